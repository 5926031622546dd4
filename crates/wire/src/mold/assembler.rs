//! Puts the messages of a session in order, whichever way they come, and says which to ask for again.
//!
//! What comes too early is held, up to a limit, until what is missing before it has come, too, or is given up. Only
//! numbers that the source has named are asked for, in slices of about what an answer holds, several at once, each number
//! at most once in 20 ms.

use super::{Contents, Datagram, Request, block};
use crate::SessionId;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How often the same number is asked for at most.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// What has not come for so long after it was first asked for is missing for good.
const GIVE_UP_AFTER: Duration = Duration::from_secs(3);
/// The same of later gaps, while nobody has ever answered.
const GIVE_UP_AFTER_UNANSWERED: Duration = Duration::from_millis(100);
/// What is held of messages that come too early; a datagram beyond that counts as lost.
const HELD_BYTES_MAX: usize = 64 << 20;
/// Slices that are asked for at once.
const SLICES_MAX: usize = 64;
/// Messages of a slice, before an answer has shown how many it holds.
const SLICE_FIRST: u64 = 16;

/// What comes out, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told<'a> {
    /// So many messages, each with its length before it, and the number of the first.
    Messages {
        /// The number of the first.
        first: u64,
        /// How many.
        count: u64,
        /// Length and bytes of each.
        blocks: &'a [u8],
    },
    /// Messages that are missing for good.
    Gap {
        /// The number of the first.
        first: u64,
        /// How many.
        count: u64,
    },
}

/// Messages that have come too early: from their number up to `end`.
#[derive(Debug)]
struct Held {
    end: u64,
    blocks: Vec<u8>,
}

/// Numbers that have been asked for.
#[derive(Clone, Copy, Debug)]
struct Slice {
    first: u64,
    end: u64,
    /// When first.
    asked: Duration,
    /// When last.
    asked_again: Duration,
}

/// Follows one session.
#[derive(Debug)]
pub struct Assembler {
    session: Option<SessionId>,
    /// The number of the next message to hand over.
    next: u64,
    /// After the highest number that the source has named.
    named: u64,
    /// After the last message, once that is known.
    end: Option<u64>,
    held: BTreeMap<u64, Held>,
    held_bytes: usize,
    slices: VecDeque<Slice>,
    slice_messages: u64,
    /// Whether any answer has ever come.
    answered: bool,
    /// Whether anything has been given up.
    gave_up: bool,
    /// When the missing run at `next` was first asked for, or last got shorter.
    waiting_since: Option<Duration>,
    heard: Option<Duration>,
}

impl Assembler {
    /// Follows `session`, or the first that is heard of, from message `next` on.
    pub fn new(session: Option<SessionId>, next: u64) -> Assembler {
        Assembler {
            session,
            next,
            named: next,
            end: None,
            held: BTreeMap::new(),
            held_bytes: 0,
            slices: VecDeque::new(),
            slice_messages: SLICE_FIRST,
            answered: false,
            gave_up: false,
            waiting_since: None,
            heard: None,
        }
    }

    /// The session, once one is followed.
    pub fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// The number of the next message.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// When the source was last heard of.
    pub fn heard(&self) -> Option<Duration> {
        self.heard
    }

    /// Whether everything up to the end of the session has been handed over, or given up.
    pub fn is_done(&self) -> bool {
        self.end.is_some_and(|end| end <= self.next)
    }

    /// Takes a datagram, from whichever line or as an answer, and tells `tell` what that lets out. What is of another
    /// session or malformed counts as lost.
    pub fn receive(&mut self, now: Duration, bytes: &[u8], is_answer: bool, mut tell: impl FnMut(Told<'_>)) {
        let Some(datagram) = Datagram::read(bytes) else { return };
        if *self.session.get_or_insert(datagram.session) != datagram.session {
            return;
        }
        self.heard = Some(now);
        match datagram.contents {
            Contents::Heartbeat => self.named = self.named.max(datagram.sequence),
            Contents::End => {
                self.named = self.named.max(datagram.sequence);
                self.end = Some(self.end.map_or(datagram.sequence, |end| end.max(datagram.sequence)));
            }
            Contents::Messages(count, blocks) => {
                let (first, end) = (datagram.sequence, datagram.sequence + u64::from(count));
                self.named = self.named.max(end);
                self.note_answer(is_answer, first, u64::from(count));
                if first <= self.next && self.held.is_empty() {
                    self.take(now, first, end, blocks, &mut tell);
                } else {
                    self.hold(first, end, blocks);
                    self.let_out(now, &mut tell);
                }
            }
        }
    }

    /// Learns from an answer how many messages one holds.
    fn note_answer(&mut self, is_answer: bool, first: u64, count: u64) {
        if !is_answer {
            return;
        }
        self.answered = true;
        let asked = self.slices.iter().find(|slice| slice.first <= first && first < slice.end);
        if let Some(slice) = asked {
            let wanted = slice.end - slice.first;
            // A full answer may have had room for more; a short one shows how much there was.
            self.slice_messages = if wanted <= count { (count + count / 8 + 1).min(4096) } else { count.max(1) };
        }
    }

    /// Hands over what of `first..end` is new, at once.
    fn take(&mut self, now: Duration, first: u64, end: u64, mut blocks: &[u8], tell: &mut impl FnMut(Told<'_>)) {
        if end <= self.next {
            return;
        }
        for _ in first..self.next {
            let Some((_, rest)) = block(blocks) else { return };
            blocks = rest;
        }
        tell(Told::Messages { first: self.next, count: end - self.next, blocks });
        self.go_to(now, end);
    }

    fn go_to(&mut self, now: Duration, next: u64) {
        self.next = next;
        self.waiting_since = self.waiting_since.map(|_| now);
        while self.slices.front().is_some_and(|slice| slice.end <= next) {
            self.slices.pop_front();
        }
    }

    /// Holds what of `first..end` is neither had nor held.
    fn hold(&mut self, first: u64, end: u64, blocks: &[u8]) {
        if HELD_BYTES_MAX < self.held_bytes + blocks.len() {
            return;
        }
        let (mut at, mut rest, mut position) = (first.max(self.next), blocks, first);
        let mut skip_to = |at: u64, rest: &mut &[u8]| {
            let start = rest.len();
            while position < at {
                let Some((_, more)) = block(rest) else { break };
                (*rest, position) = (more, position + 1);
            }
            start - rest.len()
        };
        while at < end {
            if let Some((_, before)) = self.held.range(..=at).next_back()
                && at < before.end
            {
                at = before.end;
                continue;
            }
            let piece_end = self.held.range(at..).next().map_or(end, |(&next, _)| next.min(end));
            skip_to(at, &mut rest);
            let from = rest;
            let length = skip_to(piece_end, &mut rest);
            self.held_bytes += length;
            self.held.insert(at, Held { end: piece_end, blocks: from[..length].to_vec() });
            at = piece_end;
        }
    }

    /// Hands over what is held and next.
    fn let_out(&mut self, now: Duration, tell: &mut impl FnMut(Told<'_>)) {
        while let Some(entry) = self.held.first_entry() {
            if self.next < *entry.key() {
                return;
            }
            let (first, held) = entry.remove_entry();
            self.held_bytes -= held.blocks.len();
            self.take(now, first, held.end, &held.blocks, tell);
        }
    }

    /// Lets time pass: gives up what has been waited for too long, and says what to ask for.
    pub fn tick(&mut self, now: Duration, mut tell: impl FnMut(Told<'_>)) -> Vec<Request> {
        self.give_up(now, &mut tell);
        let Some(session) = self.session else { return Vec::new() };
        if self.next == self.named {
            self.waiting_since = None;
            self.slices.clear();
            return Vec::new();
        }
        let mut requests = Vec::new();
        let ask = |first: u64, end: u64, requests: &mut Vec<Request>| {
            let count = u16::try_from(end - first).unwrap_or(super::COUNT_MAX);
            requests.push(Request { session, first, count });
        };
        // Asked for before and still missing, in whole or in part.
        let mut again = VecDeque::new();
        for slice in std::mem::take(&mut self.slices) {
            for (first, end) in self.missing(slice.first, slice.end) {
                let mut slice = Slice { first, end, ..slice };
                if ASK_AGAIN_AFTER <= now.saturating_sub(slice.asked_again) {
                    slice.asked_again = now;
                    ask(first, end, &mut requests);
                }
                again.push_back(slice);
            }
        }
        self.slices = again;
        // What has not been asked for yet.
        let mut at = self.slices.back().map_or(self.next, |slice| slice.end.max(self.next));
        while self.slices.len() < SLICES_MAX && at < self.named {
            let end = self.named.min(at.saturating_add(self.slice_messages));
            for (first, end) in self.missing(at, end) {
                self.slices.push_back(Slice { first, end, asked: now, asked_again: now });
                ask(first, end, &mut requests);
            }
            at = end;
        }
        if !self.slices.is_empty() {
            self.waiting_since.get_or_insert(now);
        }
        requests
    }

    /// The parts of `first..end` that are neither had nor held.
    fn missing(&self, first: u64, end: u64) -> Vec<(u64, u64)> {
        let mut missing = Vec::new();
        let mut at = first.max(self.next);
        if let Some((_, before)) = self.held.range(..=at).next_back() {
            at = at.max(before.end);
        }
        while at < end {
            match self.held.range(at..end).next() {
                Some((&next, held)) => {
                    if at < next {
                        missing.push((at, next));
                    }
                    at = held.end;
                }
                None => {
                    missing.push((at, end));
                    break;
                }
            }
        }
        missing
    }

    /// Gives up what is missing at `next` and has been waited for too long.
    fn give_up(&mut self, now: Duration, tell: &mut impl FnMut(Told<'_>)) {
        while self.next < self.named {
            let hole_end = self.held.first_key_value().map_or(self.named, |(&first, _)| first);
            let patience = match (self.answered, self.gave_up) {
                (false, true) => GIVE_UP_AFTER_UNANSWERED,
                _ => GIVE_UP_AFTER,
            };
            let too_long = |since: Duration| patience <= now.saturating_sub(since);
            let end = match self.slices.front() {
                // Nothing new has come at all: the hole is lost as a whole.
                Some(_) if self.waiting_since.is_some_and(too_long) => hole_end,
                Some(slice) if slice.first <= self.next && too_long(slice.asked) => slice.end.min(hole_end),
                _ => return,
            };
            tell(Told::Gap { first: self.next, count: end - self.next });
            self.gave_up = true;
            self.go_to(now, end);
            self.let_out(now, tell);
        }
    }

    /// When [`Assembler::tick`] has something to do next; `None` while nothing is missing.
    pub fn deadline(&self, now: Duration) -> Option<Duration> {
        (self.next < self.named).then(|| match self.slices.front() {
            None => now,
            Some(_) => self.slices.iter().map(|slice| slice.asked_again + ASK_AGAIN_AFTER).min().unwrap_or(now),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mold::{put_datagram, put_sign};

    fn session() -> SessionId {
        SessionId::new(b"S1").unwrap()
    }

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn datagram(first: u64, count: u64) -> Vec<u8> {
        let texts: Vec<Vec<u8>> = (first..first + count).map(|number| format!("m{number}").into_bytes()).collect();
        let mut bytes = Vec::new();
        let given = |number: u64| texts.get(usize::try_from(number - first).unwrap()).map(Vec::as_slice);
        assert_eq!(u64::from(put_datagram(&mut bytes, session(), first, count, given)), count);
        bytes
    }

    fn sign(next: u64, end: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_sign(&mut bytes, session(), next, end);
        bytes
    }

    /// Gathers what is told: each message by its number, a gap as `-first..end`. Checks that each message is what it was.
    fn note(told: &mut Vec<String>, what: Told<'_>) {
        match what {
            Told::Gap { first, count } => told.push(format!("-{first}..{}", first + count)),
            Told::Messages { first, count, mut blocks } => {
                for number in first..first + count {
                    let (message, rest) = block(blocks).unwrap();
                    assert_eq!(message, format!("m{number}").as_bytes());
                    told.push(number.to_string());
                    blocks = rest;
                }
                assert!(blocks.is_empty());
            }
        }
    }

    fn receive(assembler: &mut Assembler, now: Duration, bytes: &[u8]) -> Vec<String> {
        let mut told = Vec::new();
        assembler.receive(now, bytes, false, |what| note(&mut told, what));
        told
    }

    fn tick(assembler: &mut Assembler, now: Duration) -> (Vec<String>, Vec<(u64, u16)>) {
        let mut told = Vec::new();
        let requests = assembler.tick(now, |what| note(&mut told, what));
        (told, requests.iter().map(|request| (request.first, request.count)).collect())
    }

    #[test]
    fn overlapping_doubled_and_early_datagrams_come_out_once_and_in_order() {
        let mut assembler = Assembler::new(None, 1);
        assert_eq!(receive(&mut assembler, millis(0), &datagram(1, 3)), ["1", "2", "3"]);
        assert!(receive(&mut assembler, millis(0), &datagram(1, 3)).is_empty());
        assert_eq!(receive(&mut assembler, millis(0), &datagram(2, 4)), ["4", "5"]);
        assert!(receive(&mut assembler, millis(0), &datagram(9, 2)).is_empty());
        assert!(receive(&mut assembler, millis(0), &datagram(7, 1)).is_empty());
        assert!(receive(&mut assembler, millis(0), &datagram(7, 6)).is_empty());
        assert_eq!(receive(&mut assembler, millis(0), &datagram(6, 1)), ["6", "7", "8", "9", "10", "11", "12"]);
        assert_eq!((assembler.next(), assembler.held_bytes, assembler.held.len()), (13, 0, 0));
    }

    #[test]
    fn only_what_is_named_and_missing_is_asked_for_and_not_twice_within_20_ms() {
        let mut assembler = Assembler::new(None, 1);
        assert_eq!(tick(&mut assembler, millis(0)), (vec![], vec![]));
        receive(&mut assembler, millis(0), &sign(1, false));
        assert_eq!(tick(&mut assembler, millis(0)), (vec![], vec![]));
        receive(&mut assembler, millis(0), &datagram(4, 2));
        receive(&mut assembler, millis(0), &sign(8, false));
        assert_eq!(tick(&mut assembler, millis(0)).1, [(1, 3), (6, 2)]);
        assert_eq!(tick(&mut assembler, millis(19)).1, []);
        receive(&mut assembler, millis(19), &datagram(2, 1));
        assert_eq!(tick(&mut assembler, millis(20)).1, [(1, 1), (3, 1), (6, 2)]);
        receive(&mut assembler, millis(21), &datagram(1, 7));
        assert_eq!(tick(&mut assembler, millis(41)), (vec![], vec![]));
    }

    #[test]
    fn the_beginning_is_asked_for_where_the_source_has_begun_before() {
        let mut assembler = Assembler::new(Some(session()), 1);
        receive(&mut assembler, millis(0), &datagram(40, 1));
        assert_eq!(tick(&mut assembler, millis(0)).1, [(1, 16), (17, 16), (33, 7)]);
    }

    #[test]
    fn what_does_not_come_within_three_seconds_is_a_gap_and_later_ones_wait_less() {
        let mut assembler = Assembler::new(None, 1);
        receive(&mut assembler, millis(0), &datagram(3, 1));
        tick(&mut assembler, millis(0));
        assert_eq!(tick(&mut assembler, millis(2999)).0, Vec::<String>::new());
        assert_eq!(tick(&mut assembler, millis(3000)).0, ["-1..3", "3"]);
        receive(&mut assembler, millis(3000), &datagram(5, 1));
        assert_eq!(tick(&mut assembler, millis(3000)).1, [(4, 1)]);
        assert!(tick(&mut assembler, millis(3099)).0.is_empty());
        assert_eq!(tick(&mut assembler, millis(3100)).0, ["-4..5", "5"]);
        // Once somebody has answered, it is worth waiting again.
        receive(&mut assembler, millis(4000), &datagram(7, 1));
        tick(&mut assembler, millis(4000));
        assembler.receive(millis(4001), &datagram(6, 1), true, |_| {});
        receive(&mut assembler, millis(4001), &datagram(9, 1));
        tick(&mut assembler, millis(4001));
        assert!(tick(&mut assembler, millis(4200)).0.is_empty());
        assert_eq!(tick(&mut assembler, millis(7001)).0, ["-8..9", "9"]);
    }

    #[test]
    fn the_end_is_reached_when_everything_before_it_has_come() {
        let mut assembler = Assembler::new(None, 1);
        receive(&mut assembler, millis(0), &sign(3, true));
        assert!(!assembler.is_done());
        assert_eq!(tick(&mut assembler, millis(0)).1, [(1, 2)]);
        receive(&mut assembler, millis(1), &datagram(1, 2));
        assert!(assembler.is_done());
    }

    #[test]
    fn other_sessions_and_malformed_datagrams_count_as_lost() {
        let mut assembler = Assembler::new(Some(SessionId::new(b"S2").unwrap()), 1);
        assert!(receive(&mut assembler, millis(0), &datagram(1, 1)).is_empty());
        let mut assembler = Assembler::new(None, 1);
        let mut bytes = datagram(1, 2);
        bytes.pop();
        assert!(receive(&mut assembler, millis(0), &bytes).is_empty());
        assert_eq!((assembler.session(), assembler.heard()), (None, None));
    }

    #[test]
    fn a_long_recovery_goes_on_slice_by_slice_as_answers_come() {
        let mut assembler = Assembler::new(None, 1);
        receive(&mut assembler, millis(0), &sign(100_001, false));
        let (mut now, mut told, mut asked) = (Duration::ZERO, Vec::new(), BTreeMap::new());
        while assembler.next() <= 100_000 {
            let requests = assembler.tick(now, |what| note(&mut told, what));
            assert!(!requests.is_empty() || !assembler.slices.is_empty());
            for request in requests {
                for number in request.first..request.first + u64::from(request.count) {
                    let before = asked.insert(number, now);
                    assert!(before.is_none_or(|before| before + ASK_AGAIN_AFTER <= now), "{number}");
                }
                // An answer holds 30 messages at most.
                let bytes = datagram(request.first, u64::from(request.count).min(30));
                assembler.receive(now, &bytes, true, |what| note(&mut told, what));
            }
            now += millis(1);
        }
        assert_eq!(told.len(), 100_000);
        assert!(now < Duration::from_secs(3), "{now:?}");
    }
}
