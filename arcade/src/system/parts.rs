//! What the operator's answers are made of.

use std::sync::Arc;

use larder::{Larder, Probe, ProbeReport, Rules, Warmer};
use larder_sql::outbox::Outbox;
use tokio_util::sync::CancellationToken;

use crate::bundles::Bundle;
use crate::figures::Figures;
use crate::settings::Profile;
use crate::shared_tier::SharedTier;
use crate::storage::Store;
use crate::telemetry::Telemetry;

/// The parts that this module reports on. Clones share them.
#[derive(Debug, Clone)]
pub struct System {
    /// Where this process runs.
    pub profile: Profile,
    /// The database.
    pub store: Store,
    /// The cache.
    pub larder: Larder,
    /// What every domain has cached of one thing.
    pub bundles: Rules<Bundle>,
    /// Invalidations that committed with their changes.
    pub outbox: Outbox,
    /// What the cache shares with other processes.
    pub tier: SharedTier,
    /// The cache's counts.
    pub figures: Arc<Figures>,
    /// What is read before somebody asks.
    pub warmer: Warmer,
    /// The consistency probe, where it is wanted.
    pub probe: Option<Arc<Probe>>,
    /// The metrics.
    pub telemetry: Arc<Telemetry>,
    /// Cancelled once the server drains.
    pub stop: CancellationToken,
}

impl System {
    pub(super) fn probe_report(&self) -> Option<ProbeReport> {
        self.probe.as_ref().map(|probe| probe.report())
    }
}
