//! Events for whoever has a stream open: one log for each recipient, with numbers of its own.
//!
//! A stream keeps a place in its recipient's log and nothing else. Whoever does not take its events is put out: nothing
//! waits for it, and it is never owed more than the log holds.

use crate::recipient::Recipient;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// Events that a log holds.
const EVENTS_MAX: usize = 20_000;
/// Streams that a recipient may have open: others have to find a place, too.
const STREAMS_MAX: usize = 100;
/// The bytes that a stream may owe to take.
const OWED_BYTES_MAX: u64 = 1 << 20;
/// How long it may owe to take something.
const OWED_FOR_MAX: Duration = Duration::from_secs(5);
/// A recipient without a stream is forgotten after so long: until then a new stream goes on where the last one ended.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);

/// All recipients that have, or had, a stream.
#[derive(Default)]
pub(crate) struct Hub(Mutex<HashMap<Recipient, Arc<Log>>>);

/// What one recipient is told.
pub(crate) struct Log {
    events: Mutex<Events>,
    streams: Mutex<Vec<Arc<Stream>>>,
    /// Told with every event, and when a stream is to end.
    more: watch::Sender<u64>,
}

struct Events {
    log: VecDeque<Event>,
    /// The number of the next one.
    next: u64,
    /// Bytes of all events so far.
    bytes: u64,
    used: Instant,
}

struct Event {
    text: Arc<str>,
    /// Bytes of all events up to and with this one.
    bytes: u64,
    at: Instant,
}

/// One open stream.
pub(crate) struct Stream {
    /// Of its token.
    pub(crate) token: [u8; 32],
    /// Its connection.
    pub(crate) connection: Arc<Notify>,
    /// The number of the next event that it takes.
    next: AtomicU64,
    /// It is to be over.
    ended: AtomicBool,
}

/// What a stream takes next.
pub(crate) enum Taken {
    /// The text of events, to be sent as it stands.
    Events(String),
    /// Nothing is there: wait for more.
    Nothing,
    /// It is over.
    Ended,
}

impl Hub {
    /// The log of a recipient.
    pub(crate) fn log(&self, recipient: &Recipient) -> Arc<Log> {
        let mut logs = lock(&self.0);
        Arc::clone(logs.entry(recipient.clone()).or_insert_with(|| Arc::new(Log::new())))
    }

    /// Everybody who is to be told something.
    pub(crate) fn recipients(&self) -> Vec<(Recipient, Arc<Log>)> {
        lock(&self.0).iter().map(|(recipient, log)| (recipient.clone(), Arc::clone(log))).collect()
    }

    /// How many streams are open.
    pub(crate) fn streams(&self) -> usize {
        lock(&self.0).values().map(|log| lock(&log.streams).len()).sum()
    }

    /// Puts out whoever does not take its events, or whose token is not valid any more; forgets who has gone.
    pub(crate) fn tidy(&self, is_valid: impl Fn([u8; 32]) -> bool) {
        let now = Instant::now();
        for (_, log) in self.recipients() {
            log.tidy(now, &is_valid);
        }
        lock(&self.0).retain(|_, log| {
            let mut events = lock(&log.events);
            if !lock(&log.streams).is_empty() {
                events.used = now;
            }
            now.saturating_duration_since(events.used) < FORGOTTEN_AFTER
        });
    }
}

impl Log {
    fn new() -> Log {
        let events = Events { log: VecDeque::new(), next: 1, bytes: 0, used: Instant::now() };
        Log { events: Mutex::new(events), streams: Mutex::default(), more: watch::channel(0).0 }
    }

    /// Tells an event: its kind, and one line of data.
    pub(crate) fn tell(&self, kind: &str, data: &str) {
        let mut events = lock(&self.events);
        let number = events.next;
        let text: Arc<str> = format!("id: {number}\nevent: {kind}\ndata: {data}\n\n").into();
        events.next += 1;
        events.bytes += text.len() as u64;
        let bytes = events.bytes;
        events.log.push_back(Event { text, bytes, at: Instant::now() });
        if EVENTS_MAX < events.log.len() {
            events.log.pop_front();
        }
        drop(events);
        self.more.send_modify(|told| *told += 1);
    }

    /// Opens a stream, after the event with the number `after` where that is known; `None` if the recipient has as many as
    /// it may.
    pub(crate) fn open(&self, token: [u8; 32], connection: Arc<Notify>, after: Option<u64>) -> Option<Arc<Stream>> {
        let (events, mut streams) = (lock(&self.events), lock(&self.streams));
        if STREAMS_MAX <= streams.len() {
            return None;
        }
        let next = after.map_or(events.next, |after| after.saturating_add(1).min(events.next));
        let stream = Arc::new(Stream { token, connection, next: AtomicU64::new(next), ended: false.into() });
        streams.push(Arc::clone(&stream));
        Some(stream)
    }

    /// A stream is gone.
    pub(crate) fn close(&self, stream: &Arc<Stream>) {
        let mut events = lock(&self.events);
        lock(&self.streams).retain(|other| !Arc::ptr_eq(other, stream));
        events.used = Instant::now();
    }

    /// Waits for more.
    pub(crate) fn more(&self) -> watch::Receiver<u64> {
        self.more.subscribe()
    }

    /// What `stream` has not taken yet, as much as is sent at once.
    pub(crate) fn take(&self, stream: &Stream) -> Taken {
        if stream.ended.load(Ordering::Acquire) {
            return Taken::Ended;
        }
        let events = lock(&self.events);
        let next = stream.next.load(Ordering::Acquire);
        let first = events.first();
        if next < first {
            // What was told in between is not kept any more: it has to look at everything again.
            stream.next.store(events.next, Ordering::Release);
            return Taken::Events("event: reset\ndata: {}\n\n".to_owned());
        }
        let skipped = usize::try_from(next - first).unwrap_or(usize::MAX);
        let mut text = String::new();
        let mut taken = 0;
        for event in events.log.iter().skip(skipped) {
            if !text.is_empty() && SENT_AT_ONCE < text.len() + event.text.len() {
                break;
            }
            text.push_str(&event.text);
            taken += 1;
        }
        stream.next.store(next + taken, Ordering::Release);
        if taken == 0 { Taken::Nothing } else { Taken::Events(text) }
    }

    fn tidy(&self, now: Instant, is_valid: &impl Fn([u8; 32]) -> bool) {
        let streams = lock(&self.streams).clone();
        let mut is_over = false;
        for stream in streams {
            let was_ended = stream.ended.load(Ordering::Acquire);
            if was_ended {
                // It was asked to end and has not: its connection takes nothing.
                stream.connection.notify_one();
            } else if !is_valid(stream.token) || self.owes_too_much(&stream, now) {
                stream.ended.store(true, Ordering::Release);
                is_over = true;
            }
        }
        if is_over {
            self.more.send_modify(|told| *told += 1);
        }
    }

    fn owes_too_much(&self, stream: &Stream, now: Instant) -> bool {
        let events = lock(&self.events);
        let next = stream.next.load(Ordering::Acquire);
        let oldest = events.log.get(usize::try_from(next.saturating_sub(events.first())).unwrap_or(usize::MAX));
        oldest.is_some_and(|oldest| {
            let owed = events.bytes - oldest.bytes + oldest.text.len() as u64;
            OWED_BYTES_MAX < owed || OWED_FOR_MAX < now.saturating_duration_since(oldest.at)
        })
    }
}

/// What is sent at once.
const SENT_AT_ONCE: usize = 16 << 10;

impl Events {
    /// The number of the first event that is kept.
    fn first(&self) -> u64 {
        self.next - self.log.len() as u64
    }
}

/// A lock that a panic elsewhere does not close: what it guards is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Role;

    fn recipient(party: &str) -> Recipient {
        Recipient { role: Role::MarketMaker, party: party.to_owned() }
    }

    fn text(log: &Log, stream: &Stream) -> Option<String> {
        match log.take(stream) {
            Taken::Events(text) => Some(text),
            Taken::Nothing => None,
            Taken::Ended => Some("ended".to_owned()),
        }
    }

    #[test]
    fn each_recipient_counts_its_own_and_a_new_stream_goes_on_where_it_is_asked_to() {
        let hub = Hub::default();
        let (mine, other) = (hub.log(&recipient("MM1")), hub.log(&recipient("MM2")));
        let stream = mine.open([1; 32], Arc::default(), None).unwrap();
        mine.tell("state", "{\"a\":1}");
        other.tell("state", "{}");
        mine.tell("state", "{\"a\":2}");
        let both = "id: 1\nevent: state\ndata: {\"a\":1}\n\nid: 2\nevent: state\ndata: {\"a\":2}\n\n";
        assert_eq!(text(&mine, &stream).as_deref(), Some(both));
        assert_eq!(text(&mine, &stream), None);
        let again = mine.open([1; 32], Arc::default(), Some(1)).unwrap();
        assert_eq!(text(&mine, &again).as_deref(), Some("id: 2\nevent: state\ndata: {\"a\":2}\n\n"));
        let beyond = mine.open([1; 32], Arc::default(), Some(u64::MAX)).unwrap();
        assert_eq!(text(&mine, &beyond), None);
        let more: Vec<_> = (3..STREAMS_MAX).map(|_| mine.open([1; 32], Arc::default(), None).unwrap()).collect();
        assert!(
            mine.open([1; 32], Arc::default(), None).is_none() && other.open([2; 32], Arc::default(), None).is_some()
        );
        mine.close(&more[0]);
        assert!(mine.open([1; 32], Arc::default(), None).is_some());
    }

    #[test]
    fn whoever_asks_for_what_is_not_kept_any_more_is_told_to_look_again() {
        let log = Log::new();
        for _ in 0..=EVENTS_MAX {
            log.tell("state", "{}");
        }
        let stream = log.open([1; 32], Arc::default(), Some(0)).unwrap();
        assert_eq!(text(&log, &stream).as_deref(), Some("event: reset\ndata: {}\n\n"));
        assert_eq!(text(&log, &stream), None);
        log.tell("state", "{}");
        assert!(text(&log, &stream).unwrap().starts_with(&format!("id: {}\n", EVENTS_MAX + 2)));
    }

    #[test]
    fn a_stream_that_owes_too_much_or_whose_token_is_gone_ends() {
        let hub = Hub::default();
        let log = hub.log(&recipient("MM1"));
        let (slow, gone, good) = (
            log.open([1; 32], Arc::default(), None).unwrap(),
            log.open([2; 32], Arc::default(), None).unwrap(),
            log.open([1; 32], Arc::default(), None).unwrap(),
        );
        let line = "x".repeat(1 << 10);
        for _ in 0..1024 {
            log.tell("state", &line);
            while text(&log, &good).is_some() {}
        }
        hub.tidy(|token| token == [1; 32]);
        assert_eq!(text(&log, &slow).as_deref(), Some("ended"));
        assert_eq!(text(&log, &gone).as_deref(), Some("ended"));
        assert_eq!(text(&log, &good), None);
        // And after five seconds with anything.
        let told = Instant::now();
        log.tell("state", "{}");
        log.tidy(told + OWED_FOR_MAX, &|_| true);
        assert!(text(&log, &good).unwrap().starts_with("id: 1025"));
        log.tell("state", "{}");
        log.tidy(Instant::now() + OWED_FOR_MAX + Duration::from_millis(1), &|_| true);
        assert_eq!(text(&log, &good).as_deref(), Some("ended"));
    }
}
