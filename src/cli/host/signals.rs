//! Signal handling: SIGINT and SIGTERM.

use std::sync::atomic::Ordering;

use super::runtime;
use crate::cli::error::{CliError, Exit};
use crate::ops::CancelFlag;

/// Waits for Ctrl-C (SIGINT), or for SIGTERM as service managers send it.
pub async fn shutdown_signal() {
    ShutdownSignal::listen().received().await;
}

/// The handlers of both signals; signals count from their installation on.
#[cfg(unix)]
struct ShutdownSignal([Option<tokio::signal::unix::Signal>; 2]);

#[cfg(unix)]
impl ShutdownSignal {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self([SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok()))
    }

    async fn received(&mut self) {
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
struct ShutdownSignal;

#[cfg(not(unix))]
impl ShutdownSignal {
    fn listen() -> Self {
        Self
    }

    async fn received(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}

/// Runs `work` until it ends or a signal arrives; `kept` then says what is kept of it.
///
/// # Errors
/// When the work fails or was interrupted.
pub fn abandonable(work: impl Future<Output = Result<Exit, CliError>>, kept: &str) -> Result<Exit, CliError> {
    let runtime = runtime::multi_threaded()?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            biased;
            () = shutdown_signal() => Err(CliError::interrupted().hint(kept)),
            outcome = work => outcome,
        }
    });
    runtime.shutdown_background();
    outcome
}

/// Runs `work` and, at a signal, asks it to stop and waits until it has removed what is
/// half-written; a second signal does not wait.
///
/// # Errors
/// When the work fails or was interrupted.
pub fn cancellable<T: Send + 'static>(
    work: impl FnOnce(&CancelFlag) -> Result<T, CliError> + Send + 'static,
) -> Result<T, CliError> {
    until_interrupted(work, true)
}

/// Runs `work`, and abandons it at a signal; it must never leave anything half-written.
///
/// # Errors
/// When the work fails or was interrupted.
pub fn detached<T: Send + 'static>(work: impl FnOnce() -> Result<T, CliError> + Send + 'static) -> Result<T, CliError> {
    until_interrupted(|_| work(), false)
}

fn until_interrupted<T: Send + 'static>(
    work: impl FnOnce(&CancelFlag) -> Result<T, CliError> + Send + 'static,
    waits_for_work: bool,
) -> Result<T, CliError> {
    let runtime = runtime::single_threaded()?;
    let outcome = runtime.block_on(async {
        let (mut signal, cancel) = (ShutdownSignal::listen(), CancelFlag::default());
        let mut working = std::pin::pin!(async {
            let cancel = cancel.clone();
            tokio::task::spawn_blocking(move || work(&cancel)).await.expect("work does not panic")
        });
        tokio::select! {
            () = signal.received() => {}
            outcome = &mut working => return outcome,
        }
        cancel.store(true, Ordering::Relaxed);
        let interruption = CliError::interrupted();
        if !waits_for_work {
            return Err(interruption);
        }
        tokio::select! {
            () = signal.received() => Err(interruption),
            _ = working => Err(interruption.hint("nothing half-written is left; run the same command again")),
        }
    });
    // Work that is left where it is must not be waited for.
    runtime.shutdown_background();
    outcome
}
