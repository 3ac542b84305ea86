//! Runs the commands of a build within bounds of time and disk space, keeps their last lines for errors,
//! and ends every process that they started.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use tokio::time::{interval, sleep, timeout};

use crate::interpreter::{BuildError, build_hint};
use crate::ops::{Event, Listener};

/// The number of a build's last lines that an error shows.
const LAST_LINES: usize = 30;

/// The length in bytes of the longest line that is kept; a build may print no end of anything.
const LONGEST_LINE: usize = 2000;

/// How long what a build left behind may keep its output open, once it has ended.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// How often the disk is looked at.
const DISK_CHECKS: Duration = Duration::from_secs(1);

/// The bytes on the disk that a build must leave.
pub const LEAST_FREE: u64 = 256 << 20;

/// The bounds of a command, and who hears what it prints.
#[derive(Clone)]
pub struct Supervision {
    pub limit: Duration,
    /// The folder on whose disk the command writes.
    pub folder: PathBuf,
    /// The bytes that it must leave there.
    pub least_free: u64,
    /// The archive that is built.
    pub filename: Arc<str>,
    pub listener: Listener,
}

/// Runs `command` under supervision.
///
/// # Errors
/// When it cannot be run, fails, takes too long or fills the disk.
pub async fn run(command: Command, supervision: &Supervision) -> Result<(), BuildError> {
    let mut child = start(command)?;
    // Also when this future is dropped, since the program was interrupted.
    let group = ProcessGroup(child.id());
    let said = Arc::new(Mutex::new(LastLines::default()));
    let receiver = LineReceiver { said: said.clone(), supervision: supervision.clone() };
    let reading = tokio::spawn(read_both(child.stdout.take(), child.stderr.take(), receiver));
    let outcome = wait(&mut child, supervision).await;
    drop(group);
    let _ = timeout(LAST_OUTPUT, reading).await;
    let said = said.lock();
    match outcome {
        Outcome::Ended(status) if status.success() => Ok(()),
        Outcome::Ended(_) => Err(BuildError::Failed { said: said.text(), hint: said.hint.clone().unwrap_or_default() }),
        Outcome::TooLong => Err(BuildError::TooLong { limit: supervision.limit, said: said.text() }),
        Outcome::DiskFull => {
            let Supervision { folder, least_free, .. } = supervision.clone();
            Err(BuildError::DiskFull { folder, least_free })
        }
        Outcome::Lost(error) => Err(error.into()),
    }
}

fn start(command: Command) -> Result<Child, BuildError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut command = tokio::process::Command::from(command);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    command.spawn().map_err(|source| BuildError::CannotRun { program, source })
}

/// How a command ended.
enum Outcome {
    Ended(ExitStatus),
    TooLong,
    DiskFull,
    Lost(std::io::Error),
}

async fn wait(child: &mut Child, supervision: &Supervision) -> Outcome {
    tokio::select! {
        status = child.wait() => status.map_or_else(Outcome::Lost, Outcome::Ended),
        () = sleep(supervision.limit) => Outcome::TooLong,
        () = disk_full(supervision) => Outcome::DiskFull,
    }
}

/// Waits until the disk has too little space.
async fn disk_full(supervision: &Supervision) {
    let mut checks = interval(DISK_CHECKS);
    loop {
        checks.tick().await;
        // A disk whose free space is not known counts as having enough.
        if fs4::available_space(&supervision.folder).is_ok_and(|free| free < supervision.least_free) {
            return;
        }
    }
}

/// The processes that a command started and that did not leave its group; they are killed when
/// this is dropped.
#[cfg_attr(not(unix), expect(dead_code, reason = "Windows has no process groups to kill"))]
struct ProcessGroup(Option<u32>);

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.0.and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?)) {
            // It fails if all of its processes have ended.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// Takes the lines that a command prints.
#[derive(Clone)]
struct LineReceiver {
    said: Arc<Mutex<LastLines>>,
    supervision: Supervision,
}

impl LineReceiver {
    fn receive(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line).trim_end().to_owned();
        if !line.is_empty() {
            let filename = self.supervision.filename.as_ref().into();
            (self.supervision.listener)(Event::BuildPrinted { filename, line: line.clone() });
            self.said.lock().add(line);
        }
    }
}

async fn read_both(
    output: Option<impl AsyncRead + Unpin>,
    errors: Option<impl AsyncRead + Unpin>,
    receiver: LineReceiver,
) {
    tokio::join!(read(output, &receiver), read(errors, &receiver));
}

async fn read(from: Option<impl AsyncRead + Unpin>, receiver: &LineReceiver) {
    let Some(mut from) = from else { return };
    let (mut bytes, mut open) = (vec![0; 8 << 10], Vec::new());
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        for byte in &bytes[..length] {
            match byte {
                b'\n' => receiver.receive(&std::mem::take(&mut open)),
                byte if open.len() < LONGEST_LINE => open.push(*byte),
                _ => {}
            }
        }
    }
    receiver.receive(&open);
}

/// The last lines that a command printed, and what they tell is missing.
#[derive(Default)]
struct LastLines {
    lines: VecDeque<String>,
    hint: Option<String>,
}

impl LastLines {
    fn add(&mut self, line: String) {
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

    fn supervision() -> Supervision {
        let listener: Listener = Arc::new(|_| ());
        Supervision { limit: LONG, folder: "/".into(), least_free: 0, filename: "kit-1.0.zip".into(), listener }
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    #[tokio::test]
    async fn a_failure_is_told_with_the_last_lines_of_much_output() {
        run(shell("echo fine"), &supervision()).await.unwrap();
        let script =
            "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo yaml.h: No such file >&2; exit 3";
        let error = run(shell(script), &supervision()).await.unwrap_err();
        let BuildError::Failed { said, hint } = error else { panic!() };
        assert!(said.lines().count() <= LAST_LINES + 1 && said.contains("line 2999"), "{said}");
        assert!(hint.contains("libyaml-dev"), "{hint}");
        let script = "head -c 9000000 /dev/zero | tr '\\0' x; exit 1";
        let long = run(shell(script), &supervision()).await.unwrap_err().to_string();
        assert!(long.len() < 3 * LONGEST_LINE, "{}", long.len());
    }

    #[tokio::test]
    async fn every_line_is_heard() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listener: Listener = Arc::new({
            let heard = heard.clone();
            move |event| {
                if let Event::BuildPrinted { filename, line } = event {
                    heard.lock().push(format!("{filename}: {line}"));
                }
            }
        });
        run(shell("echo one; echo; printf two"), &Supervision { listener, ..supervision() }).await.unwrap();
        assert_eq!(*heard.lock(), ["kit-1.0.zip: one", "kit-1.0.zip: two"]);
    }

    #[tokio::test]
    async fn what_takes_too_long_is_ended_with_all_its_children() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut command = shell("tail -f /dev/null & tail -f /dev/null");
        command.stdin(writer);
        let limit = Duration::from_millis(300);
        let error = run(command, &Supervision { limit, ..supervision() }).await.unwrap_err();
        assert!(matches!(error, BuildError::TooLong { .. }), "{error}");
        // A child that lives on would hold the other end open.
        assert_eq!(std::io::read_to_string(&mut reader).unwrap(), "");
    }

    #[tokio::test]
    async fn what_fills_the_disk_is_ended() {
        let bounds = Supervision { least_free: u64::MAX, ..supervision() };
        let error = run(shell("tail -f /dev/null"), &bounds).await.unwrap_err().to_string();
        assert!(error.contains("it left less than") && error.ends_with("MiB on the disk of /"), "{error}");
    }

    #[tokio::test]
    async fn what_cannot_be_run_is_told() {
        let error = run(Command::new("/nonexistent/python"), &supervision()).await.unwrap_err();
        assert!(error.to_string().starts_with("could not run /nonexistent/python: "), "{error}");
    }
}
