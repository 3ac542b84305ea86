//! The summary of a run: what was done, and commands to copy that install from it.

use std::path::Path;
use std::sync::Arc;

use indicatif::HumanBytes;

use super::install_hint::{self, HintContext};
use super::plan_table;
use super::report::{Report, Summary};
use super::target_words::in_words;
use super::terminal::{self, say, warn};
use crate::cli::commands::fetch::warm_pip::WarmPip;
use crate::cli::plural::{count, listed};
use crate::cli::settings::args::{FetchArgs, MessageArgs, STANDARD_OUTPUT};
use crate::domain::{Fetched, Target};
use crate::ops::{BucketOutput, FilesToFetch, Output, Published};

/// Prints the plan of a dry run to standard output, unless the report goes there, and a summary.
///
/// # Errors
/// When standard output cannot be written.
pub fn of_plan(
    report: &Report,
    files: &FilesToFetch<'_>,
    targets: &[Arc<Target>],
    version_differences: Option<String>,
    args: &FetchArgs,
) -> std::io::Result<()> {
    if args.messages.quiet {
        return Ok(());
    }
    let lines = plan_table::lines(files);
    match args.outputs.report.as_deref() == Some(Path::new(STANDARD_OUTPUT)) {
        true => lines.iter().for_each(say),
        false => terminal::print_lines(lines)?,
    }
    say_targets(targets, version_differences);
    let summary = report.summary();
    say(format!(
        "Planned {} of {}, in {:.1} s. {}.",
        count(summary.files, "file"),
        count(summary.packages, "package"),
        summary.seconds,
        written(&summary)
    ));
    Ok(())
}

/// The number of targets that are named one by one.
const MAX_TARGETS: usize = 8;

fn say_targets(targets: &[Arc<Target>], version_differences: Option<String>) {
    if let [only] = targets {
        return say(format!("For {}.", in_words(only)));
    }
    say(format!("For {}:", count(targets.len(), "target")));
    targets.iter().take(MAX_TARGETS).for_each(|target| say(format!("  {}", in_words(target))));
    if targets.len() > MAX_TARGETS {
        say(format!("  and {} more", targets.len() - MAX_TARGETS));
    }
    version_differences.iter().for_each(say);
}

/// Returns a phrase for the files that a dry run had to fetch whole, and kept for the real one.
fn written(summary: &Summary) -> String {
    match summary.files_downloaded {
        0 => "Nothing was written".to_owned(),
        files => format!(
            "{} ({}) had to be fetched to read what they need, and are in the cache; nothing else was written",
            count(files, "file"),
            HumanBytes(summary.bytes_downloaded)
        ),
    }
}

/// Prints what a run did, and how to install from it.
///
/// If something is not `sound`, no advice is printed, so that the errors that follow are the last
/// word.
pub fn of_run(
    report: &Report,
    fetched: &Fetched,
    outputs: &[Output],
    version_differences: Option<String>,
    context: HintContext<'_>,
    is_sound: bool,
) {
    let args = context.args;
    for caveat in outputs.iter().flat_map(|output| output.caveats(fetched)) {
        warn(caveat);
    }
    if args.messages.quiet {
        return;
    }
    let summary = report.summary();
    say(format!(
        "Done: {} ({}), {}, in {:.1} s.",
        count(summary.files, "file"),
        HumanBytes(summary.bytes),
        origins(report),
        summary.seconds
    ));
    say_targets(&fetched.targets, version_differences);
    let mut outputs = outputs.iter().filter(|output| output.path() != Some(Path::new(STANDARD_OUTPUT))).peekable();
    if outputs.peek().is_none() {
        return;
    }
    for output in outputs.clone() {
        let place = output.place();
        say(match output {
            Output::Bucket(bucket) => published(&place, bucket),
            _ if is_sound => format!("Written to {place}."),
            _ => format!("Written to {place}, which is not sound."),
        });
    }
    if !is_sound {
        return;
    }
    let usages: Vec<_> = outputs.flat_map(|output| install_hint::usages(output, fetched, context)).collect();
    if usages.is_empty() {
        return;
    }
    say(format!("\nTo install without a network{}:", machines(fetched, args)));
    for usage in usages {
        let end = if usage.lines.is_empty() { "" } else { ":" };
        usage.condition.iter().for_each(|condition| say(format!("  # {condition}{end}")));
        usage.lines.iter().for_each(|line| say(format!("  {line}")));
    }
}

/// Returns what was published into a bucket.
fn published(place: &str, bucket: &BucketOutput) -> String {
    let Published { sent, bytes, kept, removed } = bucket.published.get().copied().unwrap_or_default();
    let removed = if removed > 0 { format!(", {removed} removed") } else { String::new() };
    format!(
        "Published to {place}: {} sent ({}), {kept} there already{removed}.",
        count(sent, "file"),
        HumanBytes(bytes)
    )
}

/// The number of targets that are named one by one.
const NAMED: usize = 3;

/// Returns a phrase for the targets, if the user named some.
fn machines(fetched: &Fetched, args: &FetchArgs) -> String {
    let targets = &args.targets;
    if targets.python_version.is_empty() && targets.platform.is_empty() && targets.targets.is_empty() {
        return String::new();
    }
    let ids: Vec<_> = fetched.targets.iter().map(|target| target.id()).collect();
    format!(", on {}", listed(&ids, NAMED))
}

/// Prints what was written to the cache of the interpreter's own pip.
pub fn of_warm_pip(warm: Option<&WarmPip>, fetched: &Fetched, messages: &MessageArgs) {
    let Some(warm) = warm else { return };
    let (done, warnings) = warm.words();
    warm.output.caveats(fetched).iter().chain(warnings).for_each(warn);
    if !messages.quiet {
        say(done);
    }
}

/// Returns a phrase for how many files came from the cache and how many were downloaded.
fn origins(report: &Report) -> String {
    let (cached, downloaded) = (report.count("cached"), report.count("downloaded"));
    let Summary { files_downloaded, bytes_downloaded, .. } = report.summary();
    let bytes = HumanBytes(bytes_downloaded);
    let origins = match (cached, downloaded) {
        (_, 0) => "all from the cache".to_owned(),
        (0, _) => "all downloaded".to_owned(),
        _ => format!("{cached} from the cache and {downloaded} downloaded"),
    };
    match files_downloaded.saturating_sub(downloaded) {
        0 if cached > 0 && downloaded > 0 => format!("{origins} ({bytes})"),
        0 => origins,
        others => format!("{origins}, with {} to read what they need ({bytes})", count(others, "other file")),
    }
}
