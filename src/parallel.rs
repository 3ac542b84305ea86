//! Runs work on several threads.
//!
//! The calling thread takes part, so that a system that grants no more threads only makes the work
//! slower. A pool such as rayon's would panic there, and would be kept for work that a run does
//! once or twice.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, available_parallelism, scope};

use parking_lot::Mutex;

/// Returns how many threads this machine runs at once.
pub fn threads() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Runs `work` on up to `threads` threads, including the calling one; returns the result of each.
pub fn on_threads<T: Send>(threads: usize, work: impl Fn() -> T + Sync) -> Vec<T> {
    scope(|scope| {
        let others = (1..threads).map_while(|_| Builder::new().spawn_scoped(scope, &work).ok());
        let others: Vec<_> = others.collect();
        let own = work();
        let others = others.into_iter().map(|other| other.join().unwrap_or_else(|why| std::panic::resume_unwind(why)));
        [own].into_iter().chain(others).collect()
    })
}

/// Converts each of `items` on up to `threads` threads; returns the results in order.
pub fn map<I: Sync, T: Send>(items: &[I], threads: usize, convert: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(position) else { return done };
            done.push((position, convert(item)));
        }
    };
    let mut done: Vec<_> = on_threads(threads.min(items.len()), work).into_iter().flatten().collect();
    done.sort_by_key(|(position, _)| *position);
    done.into_iter().map(|(_, made)| made).collect()
}

/// Runs `other` on a thread of its own beside `own`, or before it if no thread is available.
pub fn join<A: Send, B>(other: impl FnOnce() -> A + Send, own: impl FnOnce() -> B) -> (A, B) {
    let other = Mutex::new(Some(other));
    let run = || other.lock().take().map(|other| other());
    scope(|scope| {
        let thread = Builder::new().spawn_scoped(scope, run).ok();
        let early = if thread.is_none() { run() } else { None };
        let own = own();
        let late = thread.and_then(|thread| thread.join().unwrap_or_else(|why| std::panic::resume_unwind(why)));
        (early.or(late).expect("it ran here or there"), own)
    })
}

/// Checks that `number` more threads can be started now.
///
/// # Errors
/// When they cannot; the system's error.
pub fn probe(number: usize) -> std::io::Result<()> {
    let gate = Mutex::new(());
    scope(|scope| {
        let _closed = gate.lock();
        (0..number).try_for_each(|_| {
            Builder::new().stack_size(PROBE_STACK).spawn_scoped(scope, || drop(gate.lock())).map(drop)
        })
    })
}

/// The stack size of a thread that does nothing, in bytes.
const PROBE_STACK: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<_> = (0..1000).collect();
        for threads in [0, 1, 2, 7, 5000] {
            assert_eq!(map(&items, threads, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
        assert_eq!(map(&[], 4, |item: &i32| *item), Vec::<i32>::new());
    }

    #[test]
    fn both_are_joined_and_every_thread_reports() {
        assert_eq!(join(|| 1, || 2), (1, 2));
        assert!(on_threads(3, || ()).len() <= 3);
        assert_eq!(on_threads(0, || ()).len(), 1);
        assert!(probe(2).is_ok());
    }
}
