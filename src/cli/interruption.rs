//! The word to stop.

use std::sync::atomic::Ordering;

use super::error::{CliError, Exit};
use crate::ops::Stop;

/// Comes to its end with Ctrl-C, or with the word of a service manager (SIGTERM).
pub async fn interrupted() {
    Word::listen().comes().await;
}

/// Hears every word from its making on.
#[cfg(unix)]
struct Word([Option<tokio::signal::unix::Signal>; 2]);

#[cfg(unix)]
impl Word {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self([SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok()))
    }

    async fn comes(&mut self) {
        async fn one(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        let [interrupt, terminate] = &mut self.0;
        tokio::select! {
            () = one(interrupt) => {}
            () = one(terminate) => {}
        }
    }
}

#[cfg(not(unix))]
struct Word;

#[cfg(not(unix))]
impl Word {
    fn listen() -> Self {
        Self
    }

    async fn comes(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}

/// Does `work`, which is told to stop when the word comes, and is waited for, so that it removes
/// what is half-written; a second word ends that, too.
///
/// # Errors
/// When it fails, or the word came.
pub fn stoppable<T: Send + 'static>(
    work: impl FnOnce(&Stop) -> Result<T, CliError> + Send + 'static,
) -> Result<T, CliError> {
    until_interrupted(work, true)
}

/// Does `work`, which is left where it is when the word comes: it leaves nothing half-written at
/// any time.
///
/// # Errors
/// As [`stoppable`].
pub fn abandonable<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CliError> + Send + 'static,
) -> Result<T, CliError> {
    until_interrupted(|_| work(), false)
}

fn until_interrupted<T: Send + 'static>(
    work: impl FnOnce(&Stop) -> Result<T, CliError> + Send + 'static,
    is_waited_for: bool,
) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CliError::usage)?;
    let outcome = runtime.block_on(async {
        let (mut word, stop) = (Word::listen(), Stop::default());
        let mut working = std::pin::pin!(async {
            let stop = stop.clone();
            tokio::task::spawn_blocking(move || work(&stop)).await.expect("work does not panic")
        });
        tokio::select! {
            () = word.comes() => {}
            outcome = &mut working => return outcome,
        }
        stop.store(true, Ordering::Relaxed);
        let interruption = CliError::new(Exit::Interrupted, "interrupted");
        if !is_waited_for {
            return Err(interruption);
        }
        tokio::select! {
            () = word.comes() => Err(interruption),
            _ = working => Err(interruption.hint("nothing half-written is left; run the same command again")),
        }
    });
    // Work that is left where it is must not be waited for.
    runtime.shutdown_background();
    outcome
}
