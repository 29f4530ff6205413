//! Does many things, two at a time, and tells of them in their order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Error, Result};
use parking_lot::Mutex;

/// Each check runs on one thread.
const THREADS: usize = 2;

struct Desk<R, T> {
    results: Vec<Option<R>>,
    told: usize,
    tell: T,
    failed: Option<Error>,
}

/// Does `work` on every item, and tells each result as soon as those before it are told.
///
/// # Errors
/// The first error of `work`; what has not begun by then is not done.
pub(super) fn in_order<I: Sync, R: Send>(
    items: &[I],
    work: impl Fn(&I) -> Result<R> + Sync,
    tell: impl FnMut(&I, &R) + Send,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let results = items.iter().map(|_| None).collect();
    let desk = Mutex::new(Desk { results, told: 0, tell, failed: None });
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let index = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(item) = items.get(index)
                {
                    let done = work(item);
                    if done.is_err() {
                        next.store(items.len(), Ordering::Relaxed);
                    }
                    desk.lock().put(items, index, done);
                }
            });
        }
    });
    let Desk { results, failed, .. } = desk.into_inner();
    failed.map_or_else(|| Ok(results.into_iter().flatten().collect()), Err)
}

impl<R, T> Desk<R, T> {
    fn put<I>(&mut self, items: &[I], index: usize, done: Result<R>)
    where
        T: FnMut(&I, &R),
    {
        match done {
            Ok(result) => self.results[index] = Some(result),
            Err(error) => {
                self.failed.get_or_insert(error);
            }
        }
        while let Some(Some(result)) = self.results.get(self.told) {
            (self.tell)(&items[self.told], result);
            self.told += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_told_in_the_order_of_the_items_whoever_is_done_first() {
        let (release, first_waits) = std::sync::mpsc::channel();
        let first_waits = Mutex::new(first_waits);
        let mut told = Vec::new();
        let work = |item: &u32| {
            match item {
                0 => first_waits.lock().recv()?,
                _ => release.send(())?,
            }
            Ok(item * 10)
        };
        let results = in_order(&[0, 1], work, |item, result| told.push((*item, *result)));
        assert_eq!(results.expect("no error"), [0, 10]);
        assert_eq!(told, [(0, 0), (1, 10)]);
    }

    #[test]
    fn an_error_ends_the_work() {
        let work = |item: &u32| if *item == 1 { anyhow::bail!("broken") } else { Ok(*item) };
        let error = in_order(&[0, 1, 2], work, |_, _| {}).expect_err("the second item fails");
        assert_eq!(error.to_string(), "broken");
    }
}
