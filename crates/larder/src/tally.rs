//! A count that goes up at every hit: each thread adds to a cell of its own, so that adding takes
//! no locked instruction and no line that another thread writes. Reading adds the cells up.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many threads at a time have cells; the others share one. A tally takes 4 KiB.
const CELLS: usize = u64::BITS as usize;

/// Which cells belong to a thread, a bit each. The same cell of every tally.
static TAKEN: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The cell of this thread; [`CELLS`] while it has none.
    static MINE: Cell<usize> = const { Cell::new(CELLS) };
    static LEASE: Lease = const { Lease };
}

/// Gives the cell of a thread back when the thread ends.
struct Lease;

impl Drop for Lease {
    fn drop(&mut self) {
        let mine = MINE.replace(CELLS);
        if mine < CELLS {
            // Whoever takes the cell next sees all that was added to it.
            TAKEN.fetch_and(!(1 << mine), Ordering::Release);
        }
    }
}

/// Takes a free cell for this thread, unless there is none or the thread is about to end.
fn take_cell() -> Option<usize> {
    LEASE.try_with(|_| ()).ok()?;
    let lowest_free = |taken: u64| (taken != u64::MAX).then(|| taken | (taken + 1));
    let before = TAKEN.fetch_update(Ordering::Acquire, Ordering::Relaxed, lowest_free).ok()?;
    let mine = before.trailing_ones() as usize;
    MINE.set(mine);
    Some(mine)
}

/// A line of its own keeps threads apart.
#[derive(Default)]
#[repr(align(64))]
struct Line(AtomicU64);

impl Line {
    /// By the thread that has this cell.
    #[inline]
    fn add_one(&self) {
        self.0.store(self.0.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// The count.
pub(crate) struct Tally {
    cells: [Line; CELLS],
    /// Of the threads without a cell.
    shared: Line,
}

impl Default for Tally {
    fn default() -> Self {
        Tally { cells: std::array::from_fn(|_| Line::default()), shared: Line::default() }
    }
}

impl Tally {
    #[inline]
    pub(crate) fn add_one(&self) {
        match self.cells.get(MINE.get()) {
            Some(cell) => cell.add_one(),
            None => self.add_without_cell(),
        }
    }

    #[cold]
    fn add_without_cell(&self) {
        match take_cell() {
            Some(mine) => self.cells[mine].add_one(),
            None => _ = self.shared.0.fetch_add(1, Ordering::Relaxed),
        }
    }

    pub(crate) fn sum(&self) -> u64 {
        let lines = self.cells.iter().chain([&self.shared]);
        lines.map(|line| line.0.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier};
    use std::thread::{scope, spawn};

    use super::*;

    #[test]
    fn threads_that_end_leave_their_cells_and_those_without_one_are_counted_too() {
        let one_by_one = Arc::new(Tally::default());
        for _ in 0..2 * CELLS {
            let tally = Arc::clone(&one_by_one);
            spawn(move || tally.add_one()).join().expect("it only counts");
        }
        assert_eq!(one_by_one.sum(), 2 * CELLS as u64);
        assert_eq!(one_by_one.shared.0.load(Ordering::Relaxed), 0);

        let (at_once, all_are_there) = (Tally::default(), Barrier::new(2 * CELLS));
        scope(|scope| {
            for _ in 0..2 * CELLS {
                scope.spawn(|| {
                    at_once.add_one();
                    all_are_there.wait();
                    (0..1_000).for_each(|_| at_once.add_one());
                });
            }
        });
        assert_eq!(at_once.sum(), 2 * CELLS as u64 * 1_001);
        assert!(at_once.shared.0.load(Ordering::Relaxed) >= CELLS as u64);
    }
}
