//! That this process has the journal of a cache: by which token, and until when it can be sure of it
//! without asking.

use std::time::Duration;

use larder::clock::Moment;
use parking_lot::Mutex;

use super::keys::Keys;

/// The journal of one cache, as this process has it.
#[derive(Debug)]
pub(super) struct Holding {
    pub(super) keys: Keys,
    /// Random, and new for each who opens: a number could be given twice by a server that went back.
    pub(super) token: [u8; 16],
    /// When the server was asked that confirmed it last; on a clock that counts suspended time.
    confirmed: Mutex<Moment>,
}

impl Holding {
    pub(super) fn new(keys: Keys, token: u128) -> Self {
        Holding { keys, token: token.to_le_bytes(), confirmed: Mutex::new(Moment::START) }
    }

    /// The server has confirmed it when it was asked then.
    pub(super) fn confirm(&self, asked: Moment) {
        let mut confirmed = self.confirmed.lock();
        *confirmed = asked.max(*confirmed);
    }

    /// Nobody else can have taken it yet: its lease had not begun before it was asked for.
    pub(super) fn is_sure(&self, now: Moment, lease_ttl: Duration) -> bool {
        now < self.confirmed.lock().plus(lease_ttl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_sure_for_one_lease_from_when_it_asked() {
        let second = |count| Moment::START.plus(Duration::from_secs(count));
        let holding = Holding::new(Keys::new("shop", "scores", 1), 7);
        holding.confirm(second(20));
        holding.confirm(second(15));
        let ttl = Duration::from_secs(10);
        assert!(holding.is_sure(second(29), ttl) && !holding.is_sure(second(30), ttl));
    }
}
