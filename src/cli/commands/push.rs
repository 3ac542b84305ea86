//! `prefetch push`: uploads what was fetched to a registry.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueHint};
use indicatif::HumanBytes;
use serde_json::json;

use crate::cli::error::{CliError, Exit, ReportedProblem, with_remedy};
use crate::cli::host::environment::Environment;
use crate::cli::host::machine;
use crate::cli::host::signals::{abandonable, cancellable};
use crate::cli::output::terminal::{self, say, warn};
use crate::cli::plural::count;
use crate::cli::settings::args::ConnectionArgs;
use crate::cli::settings::layers::Layers;
use crate::cli::settings::locations::{insecure, parse_index_location};
use crate::cli::settings::{self, network, pypirc};
use crate::domain::MaskedUrl;
use crate::http::{HttpClient, HttpSettings, is_secure_origin};
use crate::ops::push::{
    Distributions, PushError, PushFailure, PushOutcome, PushedFile, Registry, push, read_distributions,
};

/// Arguments of `prefetch push`.
#[derive(Debug, Args)]
pub struct PushArgs {
    /// A folder of distributions in any layout, or a bundle as it is.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub path: PathBuf,
    /// The URL of the registry that takes uploads, or its section in ~/.pypirc.
    #[arg(long, value_name = "URL|NAME", value_hint = ValueHint::Url)]
    pub to: String,
    /// The index of the registry, to compare with what is there [default: looked for below --to].
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub check_url: Option<String>,
    /// Only tell what would be sent.
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON (schema 1).
    #[arg(long)]
    pub json: bool,
    /// Say only what went wrong.
    #[arg(short, long)]
    pub quiet: bool,
    /// The folder below which compressed bundles are unpacked [default: the platform's cache folder].
    #[arg(long, value_name = "DIR", env = "PREFETCH_CACHE_DIR", hide_env_values = true, value_hint = ValueHint::DirPath)]
    pub cache_dir: Option<PathBuf>,
    /// Use plain HTTP with this host, and accept any certificate of it; repeatable.
    #[arg(long, value_name = "HOST", value_hint = ValueHint::Hostname)]
    pub trusted_host: Vec<String>,
    #[command(flatten)]
    pub connections: ConnectionArgs,
}

/// The number of files that are sent at once, unless `--jobs` says so: registries lock a database
/// for each.
const AT_ONCE: usize = 4;

/// Uploads what the registry lacks, and tells what became of each file.
///
/// # Errors
/// When the files cannot be read, or one was not uploaded.
pub fn run(args: PushArgs, environment: &Environment) -> Result<Exit, CliError> {
    let pip = machine::pip_settings(environment)?;
    let layers = Layers { environment, pip: &pip };
    let to = pypirc::registry(&args.to, environment)?;
    let folder = &environment.working_folder;
    let check = args.check_url.as_deref().map(|text| parse_index_location(text, folder)).transpose()?;
    let http = http(&args, &to, check.as_ref(), &layers)?;
    let distributions = read(&args, environment)?;
    distributions.left_out.iter().for_each(|path| {
        warn(format!("{path} is left out: it leads out of the folder, or has no usable name"));
    });
    let work = send(&args, &distributions, Arc::new(HttpClient::new(http)), to, check, environment);
    abandonable(work, "what was sent is kept there; a second run sends only the rest")
}

fn http(
    args: &PushArgs,
    to: &MaskedUrl,
    check: Option<&MaskedUrl>,
    layers: &Layers<'_>,
) -> Result<HttpSettings, CliError> {
    let mut http = network::http_to_trusted(&args.connections, false, &args.trusted_host, layers)?;
    if http.offline {
        return Err(CliError::usage("nothing can be pushed: the settings say that the run is offline"));
    }
    for url in [Some(to), check].into_iter().flatten() {
        if !is_secure_origin(url.secret()) && !http.is_trusted(url.secret()) {
            return Err(insecure(url));
        }
    }
    http.credentials = http.credentials.with_indexes([Some(to), check].into_iter().flatten());
    Ok(http)
}

fn read(args: &PushArgs, environment: &Environment) -> Result<Distributions, CliError> {
    let scratch = settings::scratch_folder(args.cache_dir.as_deref(), environment)?;
    let path = environment.working_folder.join(&args.path);
    cancellable(move |cancel| {
        read_distributions(&path, &scratch, cancel).map_err(|error| match error {
            PushError::Unusable(files) => {
                let problems = files.0.iter().map(|why| CliError::new(Exit::Damage, why));
                problems
                    .reduce(CliError::and)
                    .unwrap_or_else(|| CliError::new(Exit::Damage, files.to_string()))
                    .hint("nothing was sent")
            }
            PushError::Members(error) => {
                CliError::usage(error).hint("name a folder of wheels, a folder that prefetch wrote, or a bundle")
            }
            other => CliError::usage(format!("{}: {other}", path.display())),
        })
    })
}

async fn send(
    args: &PushArgs,
    distributions: &Distributions,
    client: Arc<HttpClient>,
    to: MaskedUrl,
    check: Option<MaskedUrl>,
    environment: &Environment,
) -> Result<Exit, CliError> {
    let registry =
        Registry::find(client, to.clone(), check).await.map_err(|error| failed(&PushFailure::Http(error), &[]))?;
    if registry.index().is_none() {
        warn(format!(
            "what is there already cannot be compared: no index was found below {to}; name it with --check-url"
        ));
    }
    let at_once = args.connections.jobs.map_or(AT_ONCE, usize::from);
    let listener = |file: &PushedFile<'_>| print_file(file, args.quiet, args.dry_run);
    let files = push(&distributions.files, &registry, at_once, args.dry_run, &listener).await;
    let errors = errors(&files, args.dry_run);
    if args.json {
        let entries: Vec<_> = files.iter().map(entry).collect();
        let value = json!({"schema": 1, "to": to.public(), "dry_run": args.dry_run, "files": entries});
        terminal::print_json(&value).map_err(|error| CliError::new(Exit::Disk, error))?;
    }
    if !args.quiet {
        say(summary(&files, &to, args.dry_run, environment.seconds()));
    }
    errors.map_or(Ok(Exit::Done), Err)
}

/// Returns the word for what became of a file, as the report has it.
fn status(outcome: &PushOutcome) -> &'static str {
    match outcome {
        PushOutcome::Uploaded => "uploaded",
        PushOutcome::Present | PushOutcome::PresentUnproved => "present",
        PushOutcome::NotSent => "not_sent",
        PushOutcome::Failed(PushFailure::Conflict { .. }) => "conflict",
        PushOutcome::Failed(_) => "failed",
    }
}

fn print_file(file: &PushedFile<'_>, is_quiet: bool, is_dry_run: bool) {
    let name = &file.distribution.filename;
    match &file.outcome {
        PushOutcome::PresentUnproved => {
            warn(format!("{name} is there already; whether with these bytes is not known: its page states no digest"));
        }
        PushOutcome::Uploaded if !is_quiet => {
            say(format!("uploaded {name} ({})", HumanBytes(file.distribution.size())));
        }
        PushOutcome::NotSent if is_dry_run && !is_quiet => {
            say(format!("absent   {name} ({})", HumanBytes(file.distribution.size())));
        }
        PushOutcome::Present if !is_quiet => say(format!("present  {name}")),
        _ => {}
    }
}

fn entry(file: &PushedFile<'_>) -> serde_json::Value {
    let message = match &file.outcome {
        PushOutcome::Failed(failure) => Some(failure.to_string()),
        _ => None,
    };
    json!({"filename": file.distribution.filename, "status": status(&file.outcome), "message": message,
        "sha256": file.distribution.fingerprint.sha256.to_string(), "size": file.distribution.size()})
}

fn summary(files: &[PushedFile<'_>], to: &MaskedUrl, is_dry_run: bool, seconds: f64) -> String {
    let of = |wanted: &str| files.iter().filter(|file| status(&file.outcome) == wanted).collect::<Vec<_>>();
    let sent = of(if is_dry_run { "not_sent" } else { "uploaded" });
    let bytes = HumanBytes(sent.iter().map(|file| file.distribution.size()).sum());
    let (verb, time) =
        if is_dry_run { ("Would upload", String::new()) } else { ("Uploaded", format!(" in {seconds:.1} s")) };
    let there = match of("present").len() {
        0 => String::new(),
        present => {
            format!("; {} there already", if present == 1 { "1 was".to_owned() } else { format!("{present} were") })
        }
    };
    format!("{verb} {} ({bytes}) to {to}{time}{there}.", count(sent.len(), "file"))
}

/// Returns the error for everything that failed, the files of one cause together.
fn errors(files: &[PushedFile<'_>], is_dry_run: bool) -> Option<CliError> {
    let mut failures = Vec::<(String, &PushFailure, Vec<&str>)>::new();
    for file in files {
        if let PushOutcome::Failed(failure) = &file.outcome {
            let (cause, name) = (with_remedy(failure), file.distribution.filename.as_str());
            match failures.iter_mut().find(|(known, ..)| *known == cause) {
                Some((_, _, names)) => names.push(name),
                None => failures.push((cause, failure, vec![name])),
            }
        }
    }
    let error = failures.iter().map(|(_, failure, names)| failed(failure, names)).reduce(CliError::and)?;
    let not_sent = files.iter().filter(|file| status(&file.outcome) == "not_sent").count();
    if not_sent == 0 || is_dry_run {
        return Some(error);
    }
    Some(error.hint(format!(
        "{} not sent; once this is mended, the same command goes on where it ended",
        if not_sent == 1 { "1 file was".to_owned() } else { format!("{not_sent} files were") }
    )))
}

fn failed(failure: &PushFailure, names: &[&str]) -> CliError {
    let exit = match failure {
        PushFailure::Conflict { .. } => Exit::Digest,
        PushFailure::Http(error) if error.is_about_settings() => Exit::Usage,
        _ => Exit::Unreachable,
    };
    let named = match names {
        [one] => format!("{one} was not uploaded"),
        [one, rest @ ..] => format!("{one} and {} were not uploaded", count(rest.len(), "other")),
        [] => "nothing was uploaded".to_owned(),
    };
    let affected = names.iter().map(ToString::to_string).filter(|_| names.len() > 1).collect();
    let problem =
        ReportedProblem { affected, ..ReportedProblem::new(exit, format!("{named}: {}", with_remedy(failure))) };
    CliError { exit, problems: vec![problem], hints: Vec::new() }
}
