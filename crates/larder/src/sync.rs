//! The locks and atomics of this crate. Under the `shuttle` feature they are those of the model
//! checker, so that its tests schedule the real code.

#[cfg(not(feature = "shuttle"))]
mod real {
    pub(crate) use parking_lot::{Mutex, MutexGuard};
    use std::sync::Arc;
    pub(crate) use std::sync::atomic::{AtomicU64, Ordering};

    /// A pointer that readers load without a lock and writers swap.
    #[derive(Debug)]
    pub(crate) struct Swap<T>(arc_swap::ArcSwap<T>);

    impl<T> Swap<T> {
        pub(crate) fn new(value: T) -> Self {
            Swap(arc_swap::ArcSwap::from_pointee(value))
        }

        pub(crate) fn load(&self) -> impl std::ops::Deref<Target = Arc<T>> + use<'_, T> {
            self.0.load()
        }

        pub(crate) fn store(&self, value: T) {
            self.0.store(Arc::new(value));
        }
    }
}

#[cfg(feature = "shuttle")]
mod model {
    pub(crate) use shuttle::sync::MutexGuard;
    pub(crate) use shuttle::sync::atomic::{AtomicU64, Ordering};
    use std::sync::Arc;

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Mutex(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("a panic under a lock is a bug of this crate")
        }
    }

    #[derive(Debug)]
    pub(crate) struct Swap<T>(Mutex<Arc<T>>);

    impl<T> Swap<T> {
        pub(crate) fn new(value: T) -> Self {
            Swap(Mutex::new(Arc::new(value)))
        }

        pub(crate) fn load(&self) -> impl std::ops::Deref<Target = Arc<T>> + use<T> {
            Loaded(Arc::clone(&self.0.lock()))
        }

        pub(crate) fn store(&self, value: T) {
            let old = std::mem::replace(&mut *self.0.lock(), Arc::new(value));
            drop(old);
        }
    }

    struct Loaded<T>(Arc<T>);

    impl<T> std::ops::Deref for Loaded<T> {
        type Target = Arc<T>;
        fn deref(&self) -> &Arc<T> {
            &self.0
        }
    }
}

#[cfg(feature = "shuttle")]
pub(crate) use model::*;
#[cfg(not(feature = "shuttle"))]
pub(crate) use real::*;
