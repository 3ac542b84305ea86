//! Runs a command of a build: within a time, with its last words kept, and with nothing of it left behind.

use std::collections::VecDeque;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use crate::interpreter::{BuildError, build_hint};

/// As much of a build's last words as an error shows, in lines.
const LAST_LINES: usize = 30;

/// The longest line that is kept, in bytes; a build may print no end of anything.
const LONGEST_LINE: usize = 2000;

/// How long what a build left behind may keep its output open, once it has ended.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// Runs `command`, for `limit` at most.
///
/// # Errors
/// When it cannot be run, fails, or takes too long.
pub async fn run(command: Command, limit: Duration) -> Result<(), BuildError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut command = tokio::process::Command::from(command);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(|source| BuildError::CannotRun { program, source })?;
    // Also where this future is dropped, since the program was interrupted.
    let group = ProcessGroup(child.id());
    let said = Arc::new(Mutex::new(LastLines::default()));
    let reading = tokio::spawn(read_both(child.stdout.take(), child.stderr.take(), said.clone()));
    let ended = timeout(limit, child.wait()).await;
    drop(group);
    let _ = timeout(LAST_OUTPUT, reading).await;
    let said = said.lock().unwrap_or_else(PoisonError::into_inner);
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(_)) => Err(BuildError::Failed { said: said.text(), hint: said.hint.clone().unwrap_or_default() }),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(BuildError::TooLong { limit, said: said.text() }),
    }
}

/// All processes that a command started and that did not leave its group, which end with this value.
struct ProcessGroup(Option<u32>);

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.0.and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?)) {
            // Whoever is gone already needs nothing.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

async fn read_both(
    output: Option<impl AsyncRead + Unpin>,
    errors: Option<impl AsyncRead + Unpin>,
    said: Arc<Mutex<LastLines>>,
) {
    tokio::join!(read(output, &said), read(errors, &said));
}

async fn read(from: Option<impl AsyncRead + Unpin>, said: &Mutex<LastLines>) {
    let Some(mut from) = from else { return };
    let (mut bytes, mut open) = (vec![0; 8 << 10], Vec::new());
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        for byte in &bytes[..length] {
            match byte {
                b'\n' => said.lock().unwrap_or_else(PoisonError::into_inner).add(&std::mem::take(&mut open)),
                byte if open.len() < LONGEST_LINE => open.push(*byte),
                _ => {}
            }
        }
    }
    said.lock().unwrap_or_else(PoisonError::into_inner).add(&open);
}

/// The end of what was said, and what it tells is missing.
#[derive(Default)]
struct LastLines {
    lines: VecDeque<String>,
    hint: Option<String>,
}

impl LastLines {
    fn add(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line).trim_end().to_owned();
        if line.is_empty() {
            return;
        }
        if self.hint.is_none() {
            self.hint = build_hint(&line);
        }
        if self.lines.len() == LAST_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    fn text(&self) -> String {
        self.lines.iter().map(|line| format!("\n  {line}")).collect()
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    #[tokio::test]
    async fn a_failure_is_told_with_the_last_lines_of_much_output() {
        run(shell("echo fine"), LONG).await.unwrap();
        let script =
            "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo yaml.h: No such file >&2; exit 3";
        let BuildError::Failed { said, hint } = run(shell(script), LONG).await.unwrap_err() else { panic!() };
        assert!(said.lines().count() <= LAST_LINES + 1 && said.contains("line 2999"), "{said}");
        assert!(hint.contains("libyaml-dev"), "{hint}");
        let long = run(shell("head -c 9000000 /dev/zero | tr '\\0' x; exit 1"), LONG).await.unwrap_err().to_string();
        assert!(long.len() < 3 * LONGEST_LINE, "{}", long.len());
    }

    #[tokio::test]
    async fn what_takes_too_long_is_ended_with_all_its_children() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut command = shell("tail -f /dev/null & tail -f /dev/null");
        command.stdin(writer);
        let error = run(command, Duration::from_millis(300)).await.unwrap_err();
        assert!(matches!(error, BuildError::TooLong { .. }), "{error}");
        // A child that lives on would hold the other end open.
        assert_eq!(std::io::read_to_string(&mut reader).unwrap(), "");
    }

    #[tokio::test]
    async fn what_cannot_be_run_is_told() {
        let error = run(Command::new("/nonexistent/python"), LONG).await.unwrap_err();
        assert!(error.to_string().starts_with("could not run /nonexistent/python: "), "{error}");
    }
}
