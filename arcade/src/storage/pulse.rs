//! Decides whether the database still gives signs of life. One that is slow does, for whoever waits
//! sees others get on; one that is gone does not.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// What the database has been seen to do. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Pulse(Arc<watch::Sender<()>>);

impl Pulse {
    /// Something has ended well.
    pub(super) fn beat(&self) {
        self.0.send_replace(());
    }

    /// Ends once nothing has ended well for so long.
    pub(super) async fn stopped(&self, silence_max: Duration) {
        let mut beats = self.0.subscribe();
        while let Ok(Ok(())) = timeout(silence_max, beats.changed()).await {}
    }
}
