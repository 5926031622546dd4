//! Standard input: CSV or a FIX log as it is written, or whole files of the binary form or DBN, from the user's own handler.
//!
//! A pipe cannot be asked for anything again. Where one goes on with a journal, it either begins as the journal does, as
//! when a log is read from its start: then what is there already is passed over. Or it does not: then what was lost in
//! between is a gap.

use super::{FeedEnd, Intake, Stop};
use crate::journal::JournalReader;
use anyhow::{Context, Result};
use quoteclock_wire::journal::Frame;
use quoteclock_wire::payload::Payload;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// How much is read at once.
const READ_BYTES: usize = 1 << 16;
/// Parts that wait for being written down.
const WAITING_MAX: usize = 4;
/// How often the engine is asked whether it has room again.
const ASK_EVERY: Duration = Duration::from_millis(1);

pub(super) async fn follow(intake: &mut Intake, stop: &Stop) -> Result<FeedEnd> {
    let mut parts = read_input()?;
    let mut known = intake.journal().map(|journal| Known::new(Arc::clone(&journal.file))).transpose()?;
    // The beginning, until it tells the form.
    let mut first = Vec::new();
    loop {
        while !intake.pass_on()? {
            if stop.is_now() {
                return Ok(FeedEnd::Stopped);
            }
            sleep(ASK_EVERY).await;
        }
        let part = tokio::select! {
            part = parts.recv() => part.transpose().context("reading standard input")?,
            () = stop.woken() => continue,
            () = sleep(Duration::from_secs(1)) => continue,
            () = stop.wait() => return Ok(FeedEnd::Stopped),
        };
        intake.health.heard();
        match (part, &mut known) {
            (Some(part), Some(known)) if !known.is_through() => {
                if let Some(rest) = known.pass_over(&part)? {
                    if known.is_other {
                        let next = intake.journal().map_or(0, |journal| journal.next);
                        intake.gap(next, 0)?;
                    }
                    intake.bytes(&rest)?;
                }
            }
            (Some(part), _) if intake.journal().is_some() => intake.bytes(&part)?,
            (Some(part), _) => {
                first.extend_from_slice(&part);
                if let Some(payload) = Payload::of_pipe(&first) {
                    begin(intake, payload, &mut first)?;
                }
            }
            (None, _) => {
                if intake.journal().is_none() {
                    begin(intake, Payload::of_pipe(&first).unwrap_or(Payload::Csv), &mut first)?;
                }
                return Ok(FeedEnd::Session);
            }
        }
    }
}

fn begin(intake: &mut Intake, payload: Payload, first: &mut Vec<u8>) -> Result<()> {
    intake.found_pipe(payload)?;
    intake.bytes(&std::mem::take(first))
}

/// Reads standard input on a thread of its own: it cannot be waited for otherwise.
fn read_input() -> Result<mpsc::Receiver<std::io::Result<Vec<u8>>>> {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let thread = std::thread::Builder::new().name("stdin".to_owned());
    let work = move || {
        let mut input = std::io::stdin().lock();
        let mut bytes = vec![0; READ_BYTES];
        loop {
            let part = match input.read(&mut bytes) {
                Ok(0) => return,
                Ok(count) => Ok(bytes[..count].to_vec()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let failed = part.is_err();
            if sender.blocking_send(part).is_err() || failed {
                return;
            }
        }
    };
    thread.spawn(work).context("starting the thread that reads standard input")?;
    Ok(receiver)
}

/// The bytes of a pipe that a journal has, compared with those that come now.
struct Known {
    reader: JournalReader,
    /// What of the journal has been read and not compared.
    ahead: Vec<u8>,
    /// The line that is being compared, as far as it was the same.
    line: Vec<u8>,
    through: bool,
    /// Whether what comes is not what the journal has.
    is_other: bool,
}

impl Known {
    fn new(file: Arc<dyn crate::disk::DiskFile>) -> Result<Known> {
        let mut reader = JournalReader::new(file);
        reader.head()?;
        Ok(Known { reader, ahead: Vec::new(), line: Vec::new(), through: false, is_other: false })
    }

    fn is_through(&self) -> bool {
        self.through
    }

    /// Compares `part`; gives what of it is new once that is known.
    fn pass_over(&mut self, part: &[u8]) -> Result<Option<Vec<u8>>> {
        for (at, &byte) in part.iter().enumerate() {
            match self.next()? {
                None => {
                    self.through = true;
                    return Ok(Some(part[at..].to_vec()));
                }
                Some(known) if known == byte => {
                    self.line.push(byte);
                    if byte == b'\n' {
                        self.line.clear();
                    }
                }
                Some(_) => {
                    (self.through, self.is_other) = (true, true);
                    return Ok(Some([&self.line, &part[at..]].concat()));
                }
            }
        }
        Ok(None)
    }

    /// The next byte that the journal has.
    fn next(&mut self) -> Result<Option<u8>> {
        while self.ahead.is_empty() {
            match self.reader.next()? {
                Some(Frame::Bytes { bytes, .. }) => self.ahead.extend(bytes.iter().rev()),
                Some(_) => {}
                None => return Ok(None),
            }
        }
        Ok(self.ahead.pop())
    }
}
