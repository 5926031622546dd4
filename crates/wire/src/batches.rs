//! A session in the batches of a stream that keeps them.
//!
//! A batch is a MoldUDP64 datagram of any length, stored whole and given out in the order in which it was stored. A publisher
//! that was not sure whether it had stored one stores it again, cut otherwise: what is had already is passed over, and a
//! number too high means that something is missing.

use crate::SessionId;
use crate::mold::{Contents, Datagram, Told, block};
use crate::soup::Close;

/// Follows one session from a message on.
#[derive(Clone, Copy, Debug)]
pub struct Batches {
    session: SessionId,
    /// The number of the next message.
    next: u64,
    accept_gap: bool,
}

impl Batches {
    /// Follows `session` from message `next` on; with `accept_gap` what is missing is a gap, once.
    pub fn new(session: SessionId, next: u64, accept_gap: bool) -> Batches {
        Batches { session, next, accept_gap }
    }

    /// Takes the next batch, and tells `tell` what of it is new.
    ///
    /// # Errors
    /// [`Close`] where reading has to begin again, or has come to its end. `tell`'s error is passed on.
    pub fn receive<E>(
        &mut self,
        bytes: &[u8],
        mut tell: impl FnMut(Told<'_>) -> Result<(), E>,
    ) -> Result<Result<(), Close>, E> {
        let Some(Datagram { session, sequence, contents }) = Datagram::read(bytes) else {
            return Ok(Err(Close::Malformed));
        };
        if session != self.session {
            return Ok(Err(Close::OtherSession(session)));
        }
        let missing = sequence.saturating_sub(self.next);
        if 0 < missing && !std::mem::take(&mut self.accept_gap) {
            return Ok(Err(Close::Ahead { found: sequence }));
        }
        if 0 < missing {
            tell(Told::Gap { first: self.next, count: missing })?;
            self.next = sequence;
        }
        match contents {
            Contents::Heartbeat => Ok(Ok(())),
            Contents::End => Ok(Err(Close::Ended { next: self.next })),
            Contents::Messages(count, blocks) => {
                let end = sequence + u64::from(count);
                let mut rest = blocks;
                for _ in sequence..self.next.min(end) {
                    rest = block(rest).map_or(&[], |(_, rest)| rest);
                }
                if self.next < end {
                    tell(Told::Messages { first: self.next, count: end - self.next, blocks: rest })?;
                    self.next = end;
                }
                Ok(Ok(()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mold::{put_batch, put_sign};

    fn session(name: &str) -> SessionId {
        SessionId::new(name.as_bytes()).unwrap()
    }

    /// Messages `first` to `last`, each its own number as text.
    fn batch(first: u64, last: u64) -> Vec<u8> {
        let texts: Vec<String> = (first..=last).map(|number| number.to_string()).collect();
        let mut bytes = Vec::new();
        let nth = |number: u64| texts.get(usize::try_from(number - first).unwrap()).map(String::as_bytes);
        put_batch(&mut bytes, session("S1"), first, (texts.len() as u64, 1 << 16), nth);
        bytes
    }

    fn end(next: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_sign(&mut bytes, session("S1"), next, true);
        bytes
    }

    /// What batches say to whoever wants message 3 next, and why reading ends.
    fn told(accept_gap: bool, batches: &[Vec<u8>]) -> (Vec<String>, Option<Close>) {
        let (mut follower, mut told) = (Batches::new(session("S1"), 3, accept_gap), Vec::new());
        for bytes in batches {
            let result = follower.receive(bytes, |what| {
                match what {
                    Told::Gap { first, count } => told.push(format!("gap {first}+{count}")),
                    Told::Messages { first, count, mut blocks } => {
                        for number in first..first + count {
                            let (text, rest) = block(blocks).unwrap();
                            assert_eq!(text, number.to_string().as_bytes());
                            told.push(number.to_string());
                            blocks = rest;
                        }
                        assert!(blocks.is_empty());
                    }
                }
                Ok::<(), ()>(())
            });
            if let Err(close) = result.unwrap() {
                return (told, Some(close));
            }
        }
        (told, None)
    }

    #[test]
    fn however_batches_were_cut_and_stored_twice_each_message_counts_once() {
        let whole = ["3", "4", "5", "6"].map(str::to_owned).to_vec();
        let ended = Some(Close::Ended { next: 7 });
        for batches in [
            vec![batch(1, 6), end(7)],
            vec![batch(3, 6), end(7)],
            vec![batch(1, 2), batch(3, 3), batch(4, 6), end(7)],
            vec![batch(2, 4), batch(3, 4), batch(1, 5), batch(5, 6), batch(1, 1), end(7)],
            vec![batch(1, 4), batch(4, 6), batch(2, 3), end(7)],
        ] {
            assert_eq!(told(false, &batches), (whole.clone(), ended));
        }
    }

    #[test]
    fn a_number_too_high_stops_reading_and_is_a_gap_where_one_is_accepted() {
        assert_eq!(told(false, &[batch(4, 5)]), (Vec::new(), Some(Close::Ahead { found: 4 })));
        assert_eq!(
            told(false, &[batch(3, 4), batch(6, 6)]),
            (vec!["3".into(), "4".into()], Some(Close::Ahead { found: 6 }))
        );
        assert_eq!(told(false, &[end(4)]).1, Some(Close::Ahead { found: 4 }), "an end after what is missing");
        let gap = ["gap 3+1", "4", "5"].map(str::to_owned).to_vec();
        assert_eq!(told(true, &[batch(4, 5), batch(7, 7)]), (gap, Some(Close::Ahead { found: 7 })), "one gap");
        assert_eq!(told(true, &[end(5)]), (vec!["gap 3+2".into()], Some(Close::Ended { next: 5 })));
    }

    #[test]
    fn what_is_of_another_session_or_no_batch_is_not_mixed_in() {
        let mut other = Vec::new();
        put_sign(&mut other, session("S2"), 3, false);
        assert_eq!(told(true, &[other]).1, Some(Close::OtherSession(session("S2"))));
        let mut cut = batch(3, 5);
        cut.pop();
        assert_eq!(told(true, &[cut]), (Vec::new(), Some(Close::Malformed)));
    }
}
