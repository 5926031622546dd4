//! Messages to receivers and to the alert log, on threads of their own: nobody waits for a receiver.

use super::rules::Receiver;
use anyhow::{Context, Result};
use crossbeam_channel::{Receiver as Queue, Sender as Given, TrySendError, bounded};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Messages that wait for one receiver.
const WAITING_MAX: usize = 10_000;
/// How long a receiver may take for one.
const TAKE_WITHIN: Duration = Duration::from_secs(10);
/// The first wait after one that was not taken; then twice as long each time.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(60);
/// How often one is tried: for about a day.
const TRIES_MAX: u32 = 1_440;

/// How it went so far.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) sent: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) waiting: AtomicU64,
}

/// Where the messages of all rules go.
pub(crate) struct Sender {
    /// Of each rule that has a receiver.
    queues: Vec<Option<Given<Message>>>,
    log: Option<Log>,
    counts: Arc<Counts>,
}

struct Message {
    number: String,
    body: String,
}

impl Sender {
    /// Starts a thread for each receiver; `log` takes all messages, too.
    pub(crate) fn start<'a>(
        receivers: impl Iterator<Item = Option<&'a Receiver>>,
        log: Option<Log>,
        counts: &Arc<Counts>,
    ) -> Result<Sender> {
        let mut queues = Vec::new();
        for receiver in receivers {
            let Some(receiver) = receiver.cloned() else {
                queues.push(None);
                continue;
            };
            let (given, queue) = bounded(WAITING_MAX);
            let counts = Arc::clone(counts);
            let work = move || deliver_all(&receiver, &queue, &counts);
            std::thread::Builder::new().name("alerts".to_owned()).spawn(work).context("starting to send alerts")?;
            queues.push(Some(given));
        }
        Ok(Sender { queues, log, counts: Arc::clone(counts) })
    }

    /// Sends a message of a rule; `number` is the same however often it is tried.
    pub(crate) fn send(&self, rule: usize, number: String, body: String) {
        if let Some(log) = &self.log {
            // Whoever cannot write keeps nobody waiting: that is told by whoever writes.
            let _ = log.0.try_send(body.clone());
        }
        let Some(Some(queue)) = self.queues.get(rule) else { return };
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = queue.try_send(Message { number, body }) {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            self.counts.failed.fetch_add(1, Ordering::Relaxed);
            tracing::error!("an alert is not sent: too many wait for its receiver");
        }
    }
}

/// A file that nobody else can read, written line by line on a thread of its own.
#[derive(Clone)]
pub(crate) struct Log(Given<String>);

/// Opens the log.
pub(crate) fn start_log(path: &Path) -> Result<Log> {
    let opening = || format!("opening the alert log {}", path.display());
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).with_context(opening)?;
    let (given, lines): (_, Queue<String>) = bounded(WAITING_MAX);
    let work = move || {
        for line in lines {
            if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
                tracing::error!(%error, "writing the alert log");
            }
        }
    };
    std::thread::Builder::new().name("alert-log".to_owned()).spawn(work).context("starting the alert log")?;
    Ok(Log(given))
}

fn deliver_all(receiver: &Receiver, queue: &Queue<Message>, counts: &Counts) {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(TAKE_WITHIN))
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("quoteclock/", env!("CARGO_PKG_VERSION")))
        .build();
    let agent = config.new_agent();
    for message in queue {
        let mut wait = AGAIN_AFTER;
        let is_sent = (0..TRIES_MAX).any(|_| {
            let is_taken = deliver(&agent, receiver, &message);
            if !is_taken {
                std::thread::sleep(wait);
                wait = (wait * 2).min(AGAIN_AFTER_MAX);
            }
            is_taken
        });
        counts.waiting.fetch_sub(1, Ordering::Relaxed);
        let count = if is_sent { &counts.sent } else { &counts.failed };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Tries once; whether the receiver has taken it.
fn deliver(agent: &ureq::Agent, receiver: &Receiver, message: &Message) -> bool {
    let request = agent
        .post(&receiver.url)
        .header("Content-Type", "application/json")
        .header("X-Quoteclock-Delivery", &message.number)
        .header("X-Quoteclock-Signature-256", &signature(&receiver.secret, message.body.as_bytes()));
    match request.send(message.body.as_bytes()) {
        Ok(answer) if answer.status().is_success() => true,
        Ok(answer) => {
            tracing::warn!(
                status = answer.status().as_u16(),
                "a receiver of alerts does not take one; it is tried again"
            );
            false
        }
        Err(_) => {
            // Why may name the receiver, and so a party.
            tracing::warn!("a receiver of alerts cannot be reached; it is tried again");
            false
        }
    }
}

/// `sha256=` and the HMAC of a body, in hexadecimal digits.
fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(body);
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_rfc_4231() {
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
