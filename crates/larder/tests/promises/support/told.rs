//! An observer that remembers what it was told.

use std::sync::{Arc, Mutex};

use larder::{Event, Observer};

/// Everything that a node told, as text.
#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<String>>);

impl Told {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// How many events begin with `name`.
    pub(crate) fn count(&self, name: &str) -> usize {
        let events = self.0.lock().expect("no test panics in here");
        events.iter().filter(|event| event.starts_with(name)).count()
    }
}

impl Observer for Told {
    fn observe(&self, event: &Event<'_>) {
        self.0.lock().expect("no test panics in here").push(format!("{event:?}"));
    }
}
