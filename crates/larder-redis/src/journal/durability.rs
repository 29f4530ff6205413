//! Decides whether a server keeps what it confirms. Pure: does not know how it was asked.

/// What a server must do with an append before it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// It is on the disk: `appendonly yes` and `appendfsync always`. The ACL user must have
    /// `+config|get`, so that this can be seen. Nothing is lost when the machine dies.
    #[default]
    Always,
    /// It will be within a second or two: `appendonly yes` and `appendfsync everysec`. When server or
    /// machine die, **up to two seconds of acknowledged writes are lost**. Where the user may not see
    /// `appendfsync`, it is taken for this.
    EverySecond,
    /// It is in the server's memory. When the server dies, **acknowledged writes since its last
    /// snapshot are lost**, all of them where it makes none; the death of this process alone loses none.
    Memory,
}

/// What a server says of itself. `None`: it does not say, or not to us.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// Whether it appends each write to a file.
    pub(super) appends_to_file: Option<bool>,
    /// When it syncs that file.
    pub(super) appendfsync: Option<String>,
    /// Whether it leaves that out while it rewrites the file (`no-appendfsync-on-rewrite`).
    pub(super) skips_while_rewriting: bool,
    /// What it drops when it is full.
    pub(super) eviction_policy: Option<String>,
}

impl Durability {
    /// What is wrong with such a server, and what to do about it.
    pub(super) fn problem(self, said: &Said) -> Option<String> {
        evicts(said).or_else(|| match self {
            Durability::Memory => None,
            _ if said.appends_to_file != Some(true) => Some(
                "the server loses what it has when it restarts: set `appendonly yes`, or allow \
                 Durability::Memory"
                    .into(),
            ),
            _ if said.skips_while_rewriting => Some(
                "the server does not sync its file while it rewrites it: set \
                 `no-appendfsync-on-rewrite no`, or allow Durability::Memory"
                    .into(),
            ),
            Durability::Always => not_always(said.appendfsync.as_deref()),
            Durability::EverySecond => (said.appendfsync.as_deref() == Some("no")).then(|| {
                "the server leaves to its system when its file is synced: set `appendfsync \
                 everysec`, or allow Durability::Memory"
                    .into()
            }),
        })
    }
}

/// Keys of a journal have no lifetime, so that a policy of volatile keys leaves them alone.
fn evicts(said: &Said) -> Option<String> {
    let policy = said.eviction_policy.as_deref()?;
    policy.starts_with("allkeys").then(|| {
        format!(
            "the server drops acknowledged writes when it is full (`maxmemory-policy {policy}`): set \
             `maxmemory-policy noeviction`"
        )
    })
}

fn not_always(appendfsync: Option<&str>) -> Option<String> {
    match appendfsync {
        Some("always") => None,
        Some(other) => Some(format!(
            "the server confirms writes before they are on the disk (`appendfsync {other}`): set \
             `appendfsync always`, or allow Durability::EverySecond"
        )),
        None => Some(
            "this user may not see whether the server syncs each write: the ACL user needs \
             `+config|get`; or allow Durability::EverySecond"
                .into(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(appends_to_file: bool, appendfsync: Option<&str>, policy: &str) -> Said {
        Said {
            appends_to_file: Some(appends_to_file),
            appendfsync: appendfsync.map(str::to_owned),
            skips_while_rewriting: false,
            eviction_policy: Some(policy.to_owned()),
        }
    }

    /// Which of the three take such a server, in their order.
    fn taken(said: &Said) -> [bool; 3] {
        [Durability::Always, Durability::EverySecond, Durability::Memory]
            .map(|durability| durability.problem(said).is_none())
    }

    #[test]
    fn a_server_is_taken_for_what_it_can_be_seen_to_do() {
        let keeps = "noeviction";
        assert_eq!(taken(&said(true, Some("always"), keeps)), [true, true, true]);
        assert_eq!(taken(&said(true, Some("everysec"), keeps)), [false, true, true]);
        assert_eq!(taken(&said(true, None, keeps)), [false, true, true]);
        assert_eq!(taken(&said(true, Some("no"), keeps)), [false, false, true]);
        assert_eq!(taken(&said(false, Some("always"), keeps)), [false, false, true]);
        assert_eq!(taken(&Said::default()), [false, false, true]);
        let pauses = Said { skips_while_rewriting: true, ..said(true, Some("always"), keeps) };
        assert_eq!(taken(&pauses), [false, false, true]);
    }

    #[test]
    fn a_server_that_evicts_any_key_is_never_taken() {
        for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random"] {
            assert_eq!(taken(&said(true, Some("always"), policy)), [false; 3], "{policy}");
        }
        assert_eq!(taken(&said(true, Some("always"), "volatile-lru")), [true; 3]);
    }

    #[test]
    fn a_refusal_says_what_to_set() {
        let problem = |said: &Said| Durability::Always.problem(said).expect("a problem");
        assert!(problem(&said(false, None, "noeviction")).contains("`appendonly yes`"));
        assert!(problem(&said(true, Some("no"), "noeviction")).contains("`appendfsync always`"));
        assert!(problem(&said(true, None, "noeviction")).contains("`+config|get`"));
        assert!(problem(&said(true, None, "allkeys-lru")).contains("noeviction"));
    }
}
