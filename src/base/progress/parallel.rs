//! The same work on several things at once, a thread each, with the answers in the order of the things: how many
//! threads there are changes nothing but the time. The only threads that the flow ever starts.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// As many as the machine has cores for, but no more than are useful.
pub fn threads_for(things: usize) -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(things).max(1)
}

/// `work` is told a thing's number and the thing.
pub fn in_parallel<T: Sync, R: Send>(
    things: &[T],
    threads: usize,
    work: impl Fn(usize, &T) -> R + Sync,
) -> Vec<R> {
    if threads <= 1 || things.len() <= 1 {
        return things.iter().enumerate().map(|(number, thing)| work(number, thing)).collect();
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(things.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads.min(things.len()) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(thing) = things.get(number) else { break };
                    let answer = work(number, thing);
                    // A thread that panicked ends the scope with its panic; nothing half done is read.
                    done.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((number, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_things_however_many_threads_work() {
        let things: Vec<u64> = (0..57).collect();
        let alone = in_parallel(&things, 1, |number, thing| (number, thing * thing));
        assert_eq!(alone[5], (5, 25));
        for threads in [2, 3, 100] {
            assert_eq!(in_parallel(&things, threads, |number, thing| (number, thing * thing)), alone);
        }
        assert!(in_parallel(&[] as &[u64], 4, |_, thing| *thing).is_empty());
    }
}
