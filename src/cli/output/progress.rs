//! Shows events as bars, lines or JSON, on standard error.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};
use parking_lot::Mutex;

use super::escape::{escape_json_text, escape_line};
use super::terminal::say;
use crate::cli::plural::count;
use crate::cli::settings::args::{MessageArgs, Progress};
use crate::domain::Status;
use crate::ops::{BuildGoal, Event, Listener};

/// Shows events on standard error as bars, lines or JSON.
#[derive(Clone)]
pub struct Reporter {
    view: Arc<Mutex<View>>,
}

enum View {
    Bars(Bars),
    Lines(Lines),
    Json,
    Nothing,
}

/// How many events are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

impl Verbosity {
    fn of(args: &MessageArgs) -> Self {
        match (args.quiet, args.verbose) {
            (true, _) => Self::Quiet,
            (_, 1..) => Self::Verbose,
            _ => Self::Normal,
        }
    }
}

impl Reporter {
    /// Makes a reporter; bars need a terminal, and `auto` shows lines without one.
    pub fn new(args: &MessageArgs, is_terminal: bool) -> Self {
        let verbosity = Verbosity::of(args);
        let view = match args.progress {
            Progress::Json => View::Json,
            Progress::None => View::Nothing,
            _ if verbosity == Verbosity::Quiet => View::Nothing,
            Progress::Auto if is_terminal => View::Bars(Bars::new(verbosity)),
            Progress::Auto | Progress::Plain => View::Lines(Lines { verbosity, ..Lines::default() }),
        };
        Self { view: Arc::new(Mutex::new(view)) }
    }

    /// Returns the listener to which operations report their events.
    pub fn listener(&self) -> Listener {
        let view = self.view.clone();
        Arc::new(move |event| {
            let mut view = view.lock();
            match &mut *view {
                View::Bars(bars) => bars.show(event),
                View::Lines(lines) => lines.show(&event),
                View::Json => show_json(&event),
                View::Nothing => {}
            }
        })
    }

    /// Removes the bars, so that the closing text can follow.
    pub fn finish(&self) {
        let mut view = self.view.lock();
        if let View::Bars(bars) = &*view {
            bars.all.clear().ok();
        }
        *view = View::Nothing;
    }
}

/// An overall bar, and a bar for each running transfer.
struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    asked: u64,
    files: HashMap<usize, ProgressBar>,
    verbosity: Verbosity,
}

/// The highest number of bars for transfers.
const MAX_LINES: usize = 8;

impl Bars {
    fn new(verbosity: Verbosity) -> Self {
        let all = MultiProgress::new();
        let total = all.add(ProgressBar::no_length().with_style(style("{spinner} {msg} {pos} projects")));
        total.set_message("Looking up");
        total.enable_steady_tick(Duration::from_millis(120));
        Self { all, total, asked: 0, files: HashMap::new(), verbosity }
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Asking(_) => {
                self.asked += 1;
                self.total.set_style(style("{spinner} {msg} {pos} of {len} projects"));
                self.total.set_length(self.asked);
            }
            Event::Answered(_) => self.total.inc(1),
            Event::Building { .. } | Event::BuildPrinted { .. } | Event::AwaitingBuild(_) => {
                build_lines(&event, self.verbosity).for_each(|line| drop(self.all.println(escape_line(&line))));
            }
            Event::NeededEarly { filename, bytes } if is_told(self.verbosity, bytes) => {
                drop(self.all.println(escape_line(&early_line(&filename, bytes))));
            }
            Event::NeededEarly { .. } => {}
            Event::Planned { files, bytes } => self.begin(files, bytes),
            Event::Started { file, filename, size } => self.start(file, &filename, size),
            Event::Received { file, bytes } => self.advance(file, bytes),
            Event::Restarted { file, received } => self.restart(file, received),
            Event::Stored { file, filename, bytes, status } => {
                if self.verbosity == Verbosity::Verbose {
                    let _ = self.all.println(escape_line(&held_line(&filename, bytes, status)));
                }
                self.end(file);
            }
            Event::Failed { file } => self.end(file),
        }
    }

    fn begin(&mut self, files: usize, bytes: Option<u64>) {
        self.total.set_style(style("{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta} left"));
        self.total.set_message(format!("Fetching {}", count(files, "file")));
        self.total.set_length(bytes.unwrap_or_default());
        self.total.set_position(0);
        self.total.reset_elapsed();
        self.total.reset_eta();
    }

    fn start(&mut self, file: usize, filename: &str, size: Option<u64>) {
        if self.files.len() >= MAX_LINES {
            return;
        }
        let bar = self.all.add(ProgressBar::new(size.unwrap_or(0)));
        bar.set_style(style("  {bytes:>10} of {total_bytes:10} {wide_msg}"));
        bar.set_message(escape_line(filename));
        self.files.insert(file, bar);
    }

    fn advance(&mut self, file: usize, bytes: u64) {
        if self.total.position() + bytes > self.total.length().unwrap_or(0) {
            self.total.set_length(self.total.position() + bytes);
        }
        self.total.inc(bytes);
        if let Some(bar) = self.files.get(&file) {
            bar.inc(bytes);
        }
    }

    fn restart(&mut self, file: usize, received: u64) {
        self.total.set_position(self.total.position().saturating_sub(received));
        self.end(file);
    }

    fn end(&mut self, file: usize) {
        if let Some(bar) = self.files.remove(&file) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a constant of ours").progress_chars("=> ")
}

/// Progress as lines, for pipes and logs: one after each quarter of the run, and with `--verbose`
/// one for each file.
struct Lines {
    verbosity: Verbosity,
    asked: usize,
    files: usize,
    done: usize,
}

impl Default for Lines {
    fn default() -> Self {
        Self { verbosity: Verbosity::Normal, asked: 0, files: 0, done: 0 }
    }
}

impl Lines {
    fn show(&mut self, event: &Event) {
        match event {
            Event::Asking(_) => self.asked += 1,
            Event::Building { .. } | Event::BuildPrinted { .. } | Event::AwaitingBuild(_) => {
                build_lines(event, self.verbosity).for_each(say);
            }
            Event::NeededEarly { filename, bytes } if is_told(self.verbosity, *bytes) => {
                say(early_line(filename, *bytes));
            }
            Event::Planned { files: 0, .. } => {}
            Event::Planned { files, bytes } => {
                self.files = *files;
                let size = bytes.map(|bytes| format!(" ({})", HumanBytes(bytes))).unwrap_or_default();
                say(format!("Fetching {}{size}", count(*files, "file")));
            }
            Event::Stored { filename, bytes, status, .. } => self.held(filename, *bytes, *status),
            _ => {}
        }
    }

    fn held(&mut self, filename: &str, bytes: u64, status: Status) {
        if self.verbosity == Verbosity::Verbose {
            return say(held_line(filename, bytes, status));
        }
        if status != Status::Downloaded {
            return;
        }
        let quarter = |done: usize| done * 4 / self.files.max(1);
        self.done += 1;
        if self.done < self.files && quarter(self.done) > quarter(self.done - 1) {
            say(format!("Fetched {} of {} files", self.done, self.files));
        }
    }
}

fn held_line(filename: &str, bytes: u64, status: Status) -> String {
    let how = if status == Status::Cached { "cached" } else { "fetched" };
    format!("{how:>8} {filename} ({})", HumanBytes(bytes))
}

/// Returns the lines about an event of a build.
///
/// That a build runs is shown unless `--quiet`, since it runs code of others.
fn build_lines(event: &Event, verbosity: Verbosity) -> impl Iterator<Item = String> {
    let is_verbose = verbosity == Verbosity::Verbose;
    let (line, detail) = match event {
        Event::Building { subject, goal, isolation } => {
            let what = match goal {
                BuildGoal::Metadata => "the metadata",
                BuildGoal::Wheel => "a wheel",
                BuildGoal::Sdist => "the source distribution",
            };
            (Some(format!("Building {what} of {subject} …")), is_verbose.then(|| format!("  with {isolation}")))
        }
        Event::AwaitingBuild(filename) => (Some(format!("Waiting for another build of {filename} …")), None),
        Event::BuildPrinted { filename, line } if is_verbose => (None, Some(format!("  {filename}: {line}"))),
        _ => (None, None),
    };
    line.into_iter().chain(detail)
}

/// The size in bytes from which on a file that is fetched only for its metadata is announced.
const LARGE: u64 = 10 << 20;

fn is_told(verbosity: Verbosity, bytes: Option<u64>) -> bool {
    verbosity == Verbosity::Verbose || bytes.is_some_and(|bytes| bytes >= LARGE)
}

/// Returns the line about a whole file that is fetched during resolution, when a user expects
/// requests for pages only.
fn early_line(filename: &str, bytes: Option<u64>) -> String {
    let size = bytes.map(|bytes| format!(" ({})", HumanBytes(bytes))).unwrap_or_default();
    format!("Fetching {filename}{size} to read what it needs")
}

fn show_json(event: &Event) {
    let value = match event {
        Event::Asking(subject) => serde_json::json!({"event": "asking", "subject": subject}),
        Event::Answered(subject) => serde_json::json!({"event": "answered", "subject": subject}),
        Event::Building { subject, goal, isolation } => {
            let (isolation, is_wheel) = (isolation.to_string(), *goal == BuildGoal::Wheel);
            serde_json::json!({"event": "building", "filename": subject, "wheel": is_wheel, "isolation": isolation})
        }
        Event::BuildPrinted { filename, line } => {
            serde_json::json!({"event": "build_printed", "filename": filename, "line": line})
        }
        Event::AwaitingBuild(filename) => serde_json::json!({"event": "awaiting_build", "filename": filename}),
        Event::NeededEarly { filename, bytes } => {
            serde_json::json!({"event": "needed_early", "filename": filename, "bytes": bytes})
        }
        Event::Planned { files, bytes } => serde_json::json!({"event": "planned", "files": files, "bytes": bytes}),
        Event::Started { file, filename, size } => {
            serde_json::json!({"event": "started", "file": file, "filename": filename, "size": size})
        }
        Event::Received { file, bytes } => serde_json::json!({"event": "received", "file": file, "bytes": bytes}),
        Event::Restarted { file, .. } => serde_json::json!({"event": "restarted", "file": file}),
        Event::Stored { file, filename, bytes, status } => serde_json::json!({
            "event": "held", "file": file, "filename": filename, "bytes": bytes, "cached": *status == Status::Cached,
        }),
        Event::Failed { file } => serde_json::json!({"event": "failed", "file": file}),
    };
    say(escape_json_text(&value.to_string()));
}
