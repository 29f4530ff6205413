//! The locks and atomics of this crate. Under the `shuttle` feature they are those of the model
//! checker, so that its tests schedule the real code.

#[cfg(not(feature = "shuttle"))]
mod real {
    pub(crate) use parking_lot::{Mutex, MutexGuard};
    use std::sync::Arc;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::ops::{Deref, DerefMut};
    use std::sync::Arc;

    /// The model checker grants the turn; the value lies beside it, because what is dropped when
    /// a schedule is given up still locks, and then no turns are granted any more.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T> {
        turn: shuttle::sync::Mutex<()>,
        value: parking_lot::Mutex<T>,
    }

    /// Fields are dropped in order: the value is free before the turn is.
    pub(crate) struct MutexGuard<'m, T> {
        value: parking_lot::MutexGuard<'m, T>,
        _turn: Option<shuttle::sync::MutexGuard<'m, ()>>,
    }

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Mutex { turn: shuttle::sync::Mutex::new(()), value: parking_lot::Mutex::new(value) }
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            let scheduled =
                !std::thread::panicking() && shuttle::current::get_current_task().is_some();
            let turn = scheduled
                .then(|| self.turn.lock().expect("a panic under a lock is a bug of this crate"));
            let value = self.value.try_lock().expect("whose turn it is has the value");
            MutexGuard { value, _turn: turn }
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            &self.value
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.value
        }
    }

    #[derive(Debug)]
    pub(crate) struct Swap<T>(Mutex<Arc<T>>);

    impl<T> Swap<T> {
        pub(crate) fn new(value: T) -> Self {
            Swap(Mutex::new(Arc::new(value)))
        }

        pub(crate) fn load(&self) -> impl Deref<Target = Arc<T>> + use<T> {
            Loaded(Arc::clone(&self.0.lock()))
        }

        pub(crate) fn store(&self, value: T) {
            let old = std::mem::replace(&mut *self.0.lock(), Arc::new(value));
            drop(old);
        }
    }

    struct Loaded<T>(Arc<T>);

    impl<T> Deref for Loaded<T> {
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
