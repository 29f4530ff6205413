//! What time it is for people: what they read in an answer, and until when what outlives processes
//! is good. How long an entry is kept is never counted by this clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "it is never compared with another machine's")]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// How long it is from `now_ms` until `end_ms`; nothing if that has passed.
pub fn until(end_ms: i64, now_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(end_ms.saturating_sub(now_ms)).unwrap_or(0))
}
