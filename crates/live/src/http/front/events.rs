//! `/api/v1/events` of all shards as one stream. An id has the last number of each shard, so that whoever comes back goes on in
//! all of them; `shard` says that one is away, or there again.

use super::{Caller, Given, Shared, refused};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::{self, Sender};

/// Pieces that wait for being taken.
const WAITING_MAX: usize = 64;
/// A stream whose pieces are not taken for so long is closed.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);
/// How often a shard that is away is asked again.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// A shard that has said nothing for so long, not even that it is there, is away.
const SILENT_AFTER: Duration = Duration::from_secs(40);
/// What an event may be long.
const EVENT_BYTES_MAX: usize = 1 << 20;

pub(super) async fn events(State(shown): Shared, Caller { asked }: Caller, headers: HeaderMap) -> Response {
    let count = shown.shards.count();
    let last = headers.get("last-event-id").and_then(|id| numbers(id.to_str().ok()?, count));
    let last = last.unwrap_or_else(|| vec![None; count]);
    let opened = join_all((0..count).map(|shard| shown.shards.listen(shard, &asked.token, last[shard]))).await;
    let is_open = |response: &&reqwest::Response| response.status() == StatusCode::OK;
    if !opened.iter().flatten().any(|response| is_open(&response)) {
        let given = |response: &Option<reqwest::Response>| -> Given {
            response.as_ref().map(|response| (response.status(), Bytes::from_static(b"{}")))
        };
        return refused(&opened.iter().map(given).collect::<Vec<_>>());
    }
    let (pieces, taken) = mpsc::channel(WAITING_MAX);
    let last = Arc::new(Mutex::new(last));
    for (shard, response) in opened.into_iter().enumerate() {
        let relay = Relay { shown: Arc::clone(&shown), shard, token: asked.token.clone(), last: Arc::clone(&last) };
        tokio::spawn(relay.run(response, pieces.clone()));
    }
    let first = futures_util::stream::once(async { Ok::<_, Infallible>(Bytes::from_static(b": here\n\n")) });
    let rest = futures_util::stream::unfold(taken, |mut taken| async move {
        let piece: Bytes = taken.recv().await?;
        Some((Ok(piece), taken))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (StatusCode::OK, headers, Body::from_stream(futures_util::StreamExt::chain(first, rest))).into_response()
}

/// `3.-.7`: the last number of each of so many shards.
fn numbers(id: &str, count: usize) -> Option<Vec<Option<u64>>> {
    let number = |text: &str| if text == "-" { Some(None) } else { text.parse().ok().map(Some) };
    let numbers: Vec<Option<u64>> = id.split('.').map(number).collect::<Option<_>>()?;
    (numbers.len() == count).then_some(numbers)
}

fn id(numbers: &[Option<u64>]) -> String {
    let text = |number: &Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
    numbers.iter().map(text).collect::<Vec<_>>().join(".")
}

/// Hands on what one shard tells.
struct Relay {
    shown: Arc<super::Front>,
    shard: usize,
    token: HeaderValue,
    /// The last number of each shard.
    last: Arc<Mutex<Vec<Option<u64>>>>,
}

/// Why a shard's stream is not read any more.
enum Over {
    /// It is asked again.
    Away,
    /// Nobody takes anything.
    NotTaken,
}

impl Relay {
    async fn run(self, mut response: Option<reqwest::Response>, to: Sender<Bytes>) {
        let mut was_away = false;
        loop {
            let over = match response.take() {
                Some(mut open) if open.status() == StatusCode::OK => {
                    let is_told = !was_away || self.tell(&to, "ok").await;
                    was_away = false;
                    if is_told { self.hand_on(&mut open, &to).await } else { Over::NotTaken }
                }
                // The token is not valid any more, or shows nothing: the caller's stream ends where all of them do.
                Some(_) => return,
                None => Over::Away,
            };
            if matches!(over, Over::NotTaken) || (!was_away && !self.tell(&to, "away").await) {
                return;
            }
            was_away = true;
            tokio::select! {
                () = tokio::time::sleep(AGAIN_AFTER) => {}
                () = to.closed() => return,
            }
            let after = self.last.lock().map_or(None, |last| last.get(self.shard).copied().flatten());
            response = self.shown.shards.listen(self.shard, &self.token, after).await;
        }
    }

    async fn tell(&self, to: &Sender<Bytes>, state: &str) -> bool {
        let text = format!("event: shard\ndata: {{\"shard\":{},\"state\":\"{state}\"}}\n\n", self.shard);
        send(to, text).await
    }

    async fn hand_on(&self, open: &mut reqwest::Response, to: &Sender<Bytes>) -> Over {
        let mut held = Vec::new();
        loop {
            let piece = tokio::select! {
                piece = tokio::time::timeout(SILENT_AFTER, open.chunk()) => match piece {
                    Ok(Ok(Some(piece))) => piece,
                    _ => return Over::Away,
                },
                () = to.closed() => return Over::NotTaken,
            };
            held.extend_from_slice(&piece);
            let end = held.windows(2).rposition(|two| two == b"\n\n").map_or(0, |at| at + 2);
            if EVENT_BYTES_MAX < held.len() - end {
                return Over::Away;
            }
            let text: String =
                String::from_utf8_lossy(&held[..end]).split_inclusive('\n').map(|line| self.line(line)).collect();
            held.drain(..end);
            if !text.is_empty() && !send(to, text).await {
                return Over::NotTaken;
            }
        }
    }

    /// A line as it is handed on: an id with those of the other shards.
    fn line(&self, line: &str) -> String {
        let Some(number) = line.strip_prefix("id: ").and_then(|number| number.trim_end().parse().ok()) else {
            return line.to_owned();
        };
        let mut text = String::new();
        if let Ok(mut last) = self.last.lock() {
            if let Some(own) = last.get_mut(self.shard) {
                *own = Some(number);
            }
            let _ = writeln!(text, "id: {}", id(&last));
        }
        text
    }
}

/// Whether a piece has been taken in time.
async fn send(to: &Sender<Bytes>, text: String) -> bool {
    matches!(tokio::time::timeout(TAKEN_WITHIN, to.send(Bytes::from(text))).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_the_number_of_each_shard() {
        let numbers_of = [Some(3), None, Some(70)];
        assert_eq!(id(&numbers_of), "3.-.70");
        assert_eq!(numbers("3.-.70", 3), Some(numbers_of.to_vec()));
        for bad in ["3.-", "3.-.70.1", "3..70", "a.b.c", ""] {
            assert_eq!(numbers(bad, 3), None, "{bad}");
        }
    }
}
