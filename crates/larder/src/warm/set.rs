//! What a warm set is: a name, and what lists its keys as portions to be read.

use std::sync::Arc;

use super::supply::{Filled, Supply};
use crate::Key;
use crate::cache::BoxError;
use crate::clock::BoxFuture;

/// Some keys of one cache, of which nobody knows yet whether they must be read.
pub(super) struct Portion {
    pub(super) keys: usize,
    pub(super) look: Box<dyn FnOnce() -> Missing + Send>,
}

/// Those of a portion that memory does not hold, and the read of them, which begins with its first
/// poll.
pub(super) struct Missing {
    pub(super) keys: usize,
    pub(super) read: BoxFuture<'static, Filled>,
}

/// The keys of a set.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) portions: Vec<Portion>,
    pub(super) left_out: usize,
    /// What could not be listed, and why. The rest can be read all the same.
    pub(super) lost: Vec<String>,
}

/// How much may be listed and read at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) keys_max: usize,
    pub(super) batch_max: usize,
}

/// What lists a set's keys.
pub(super) type List =
    Box<dyn Fn(Sizes) -> BoxFuture<'static, Result<Listed, BoxError>> + Send + Sync>;

/// A named set of keys.
pub(super) struct WarmSet {
    pub(super) name: String,
    /// How many of its keys are read in a second.
    pub(super) keys_per_second: u32,
    pub(super) sizes: Sizes,
    pub(super) list: List,
}

/// What lists the keys of `supply` by asking `list`.
pub(super) fn asking<K, F, Fut, E>(supply: &Supply<K>, list: F) -> List
where
    K: Key + Clone,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Vec<K>, E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    let (supply, list) = (supply.clone(), Arc::new(list));
    Box::new(move |sizes| {
        let (supply, list) = (supply.clone(), Arc::clone(&list));
        Box::pin(async move {
            let mut keys = list().await.map_err(Into::into)?;
            let left_out = keys.len().saturating_sub(sizes.keys_max);
            keys.truncate(sizes.keys_max);
            Ok(Listed { portions: portions(&supply, &keys, sizes), left_out, lost: Vec::new() })
        })
    })
}

/// `keys` in portions, in their order.
pub(super) fn portions<K: Key + Clone>(supply: &Supply<K>, keys: &[K], sizes: Sizes) -> Vec<Portion> {
    let portion = |keys: &[K]| {
        let (supply, keys) = (supply.clone(), keys.to_vec());
        Portion {
            keys: keys.len(),
            look: Box::new(move || {
                let missing = supply.missing(keys);
                Missing { keys: missing.len(), read: supply.read(missing) }
            }),
        }
    };
    keys.chunks(sizes.batch_max).map(portion).collect()
}
