//! The kinds of fault, by name only.

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A shard is down until some later fault finds it up again.
    ShardDown,
    /// A shard restarts and has forgotten everything.
    ShardEmpty,
    /// A replica with an old state takes over; the old primary still answers reads of one node.
    Failover,
    /// The same, and some connections do not notice that their server is another one.
    FailoverUnnoticed,
    /// Every message that is on its way between one node and one shard is lost.
    MessagesLost,
    /// One node cannot reach one shard.
    Cut,
    /// Requests of one node arrive at one shard, answers do not come back.
    HalfOpen,
    /// One value is evicted.
    ValueEvicted,
    /// One lease is evicted.
    LeaseEvicted,
    /// Epoch and head are evicted.
    MetaEvicted,
    /// The tag table is evicted.
    TableEvicted,
    /// The log is evicted.
    LogEvicted,
    /// One node stands still while its clock runs on.
    NodePaused,
    /// The machine of one node sleeps; its monotonic clock stands still as well.
    NodeSuspended,
    /// One node is killed and starts again with nothing.
    NodeKilled,
}

impl Fault {
    /// Every kind.
    pub(crate) const ALL: [Fault; 15] = [
        Fault::ShardDown,
        Fault::ShardEmpty,
        Fault::Failover,
        Fault::FailoverUnnoticed,
        Fault::MessagesLost,
        Fault::Cut,
        Fault::HalfOpen,
        Fault::ValueEvicted,
        Fault::LeaseEvicted,
        Fault::MetaEvicted,
        Fault::TableEvicted,
        Fault::LogEvicted,
        Fault::NodePaused,
        Fault::NodeSuspended,
        Fault::NodeKilled,
    ];

    /// How it is called in traces and tables.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Fault::ShardDown => "shard down",
            Fault::ShardEmpty => "shard restarted empty",
            Fault::Failover => "failover to an old state",
            Fault::FailoverUnnoticed => "failover, unnoticed",
            Fault::MessagesLost => "messages in flight lost",
            Fault::Cut => "link cut",
            Fault::HalfOpen => "link half-open",
            Fault::ValueEvicted => "value evicted",
            Fault::LeaseEvicted => "lease evicted",
            Fault::MetaEvicted => "meta evicted",
            Fault::TableEvicted => "tag table evicted",
            Fault::LogEvicted => "log evicted",
            Fault::NodePaused => "node paused",
            Fault::NodeSuspended => "machine suspended",
            Fault::NodeKilled => "node killed",
        }
    }
}
