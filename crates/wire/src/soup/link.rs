//! What a client does when a connection has ended: wait and come back, or give up.

use super::client::Close;
use super::packet::Rejection;
use std::time::Duration;

/// The first wait before another connection.
const WAIT_FIRST: Duration = Duration::from_millis(100);
/// The longest.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How often a server that begins too late is asked again, and for how long, before that is a gap.
const AHEAD_TRIES: u32 = 3;
const AHEAD_WITHIN: Duration = Duration::from_secs(5);
/// A source that has said nothing new for so long is gone.
pub(super) const SOURCE_GONE_AFTER: Duration = Duration::from_secs(60);

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Connect again after `wait`; with `accept_gap` take what the server still has.
    Connect {
        /// How long to wait.
        wait: Duration,
        /// See [`super::Wanted::accept_gap`].
        accept_gap: bool,
    },
    /// There is no more to come.
    End(Ending),
}

/// How following a session ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The session has ended after the message before `next`.
    Session {
        /// The number after the last message.
        next: u64,
    },
    /// User and password were refused at the first login.
    NotAuthorised,
    /// The session is refused, or the source is gone, and has been for a minute.
    SourceGone,
}

/// Follows one session over any number of connections.
#[derive(Debug, Default)]
pub struct Link {
    /// Connections that have ended without a message, since the last message.
    failures: u32,
    /// When the server was first found to begin too late, and how often it has been asked again.
    ahead: Option<(Duration, u32)>,
    /// Since when nothing but failures.
    failing_since: Option<Duration>,
    /// Whether a login has ever been accepted.
    was_accepted: bool,
}

impl Link {
    /// Takes note that a login was accepted.
    pub fn accepted(&mut self) {
        self.was_accepted = true;
    }

    /// Takes note of a message, or of any other sign that the source is well.
    pub fn alive(&mut self) {
        *self = Link { was_accepted: true, ..Link::default() };
    }

    /// What to do after a connection has ended, or could not be made ([`Close::Lost`]). `chance` is a number from 0 to
    /// 1000, drawn for this call: several clients of one server are not to come back together.
    pub fn closed(&mut self, now: Duration, close: Close, chance: u32) -> Next {
        match close {
            Close::Ended { next } => return Next::End(Ending::Session { next }),
            Close::Rejected(Rejection::NotAuthorised) if !self.was_accepted => return Next::End(Ending::NotAuthorised),
            _ => {}
        }
        let since = *self.failing_since.get_or_insert(now);
        if SOURCE_GONE_AFTER <= now.saturating_sub(since) {
            return Next::End(Ending::SourceGone);
        }
        let accept_gap = match close {
            Close::Ahead { .. } => self.is_a_gap(now),
            _ => false,
        };
        let wait = WAIT_FIRST.saturating_mul(1 << self.failures.min(8)).min(WAIT_MAX);
        self.failures += 1;
        let wait = if accept_gap { Duration::ZERO } else { wait * (500 + chance.min(1000)) / 1000 };
        Next::Connect { wait, accept_gap }
    }

    /// Whether a server that begins too late has been asked often enough.
    fn is_a_gap(&mut self, now: Duration) -> bool {
        let (since, tries) = self.ahead.get_or_insert((now, 0));
        // The last time that it is asked, what it has is taken.
        if *tries + 1 == AHEAD_TRIES || AHEAD_WITHIN <= now.saturating_sub(*since) {
            return true;
        }
        *tries += 1;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn wait(link: &mut Link, now: Duration, chance: u32) -> Duration {
        match link.closed(now, Close::Lost, chance) {
            Next::Connect { wait, .. } => wait,
            Next::End(ending) => panic!("{ending:?}"),
        }
    }

    #[test]
    fn waits_double_up_to_five_seconds_and_a_message_sets_them_back() {
        let mut link = Link::default();
        let waits: Vec<Duration> = (0..8).map(|_| wait(&mut link, Duration::ZERO, 500)).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000].map(millis));
        link.alive();
        assert_eq!(wait(&mut link, Duration::ZERO, 0), millis(50));
        assert_eq!(wait(&mut link, Duration::ZERO, 1000), millis(300));
    }

    #[test]
    fn a_server_that_begins_too_late_is_asked_three_times_more() {
        let ahead = Close::Ahead { found: 9 };
        let gap = |next| matches!(next, Next::Connect { accept_gap: true, .. });
        let mut link = Link::default();
        let found: Vec<bool> = (0..3).map(|_| gap(link.closed(Duration::ZERO, ahead, 0))).collect();
        assert_eq!(found, [false, false, true]);
        let mut link = Link::default();
        assert!(!gap(link.closed(millis(0), ahead, 0)));
        assert!(!gap(link.closed(millis(4999), ahead, 0)));
        assert!(gap(link.closed(millis(5000), ahead, 0)));
    }

    #[test]
    fn refused_at_the_first_login_is_the_end_and_later_it_is_not() {
        let refused = Close::Rejected(Rejection::NotAuthorised);
        assert_eq!(Link::default().closed(Duration::ZERO, refused, 0), Next::End(Ending::NotAuthorised));
        let mut link = Link::default();
        link.accepted();
        assert!(matches!(link.closed(Duration::ZERO, refused, 0), Next::Connect { .. }));
        let no_session = Close::Rejected(Rejection::NoSession);
        assert!(matches!(Link::default().closed(Duration::ZERO, no_session, 0), Next::Connect { .. }));
    }

    #[test]
    fn a_minute_of_failures_ends_it() {
        let mut link = Link::default();
        wait(&mut link, millis(10), 0);
        wait(&mut link, millis(60_009), 0);
        assert_eq!(link.closed(millis(60_010), Close::Silent, 0), Next::End(Ending::SourceGone));
        let mut link = Link::default();
        wait(&mut link, millis(0), 0);
        link.alive();
        wait(&mut link, millis(59_999), 0);
        wait(&mut link, millis(60_001), 0);
        assert_eq!(link.closed(millis(0), Close::Ended { next: 4 }, 0), Next::End(Ending::Session { next: 4 }));
    }
}
