//! Runs blocking work from asynchronous code, and stays pending if the program is interrupted.

use std::future::pending;
use std::panic::resume_unwind;

use tokio::task::{JoinError, spawn_blocking};

/// Runs `work` on a thread that may block, and returns its result.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    joined(spawn_blocking(work)).await
}

/// Waits for the result of a task.
///
/// If the task is cancelled this never returns: only the end of the program cancels tasks, and it
/// does not wait for this.
pub async fn joined<T>(task: impl Future<Output = Result<T, JoinError>>) -> T {
    match task.await {
        Ok(answer) => answer,
        Err(error) if error.is_cancelled() => pending().await,
        Err(error) => resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// A panic would end the program by a signal, before temporary files are removed.
    #[tokio::test(start_paused = true)]
    async fn what_an_interruption_cancels_is_waited_for_in_vain() {
        let task = tokio::spawn(pending::<()>());
        task.abort();
        assert!(timeout(Duration::from_secs(20), joined(task)).await.is_err());
        assert_eq!(blocking(|| 7).await, 7);
    }
}
