//! Shell commands that install from what was written, each with the condition under which they
//! work.

use std::path::Path;

use url::Url;

use crate::cli::settings::args::{FetchArgs, is_folder};
use crate::domain::{Fetched, mask_credentials};
use crate::layout::{Layout, UsageLocation, requirements_paths};
use crate::ops::{BundleOutput, Output};

/// Shell commands, and the condition under which they work.
#[derive(Debug, PartialEq, Eq)]
pub struct InstallHint {
    /// The condition; `None` if they always work.
    pub condition: Option<String>,
    pub lines: Vec<String>,
}

/// Returns the commands with which pip installs what was `fetched` from `output`, without a
/// network.
pub fn usages(output: &Output, fetched: &Fetched, args: &FetchArgs, working_folder: &Path) -> Vec<InstallHint> {
    let shell = Shell::of(fetched);
    match output {
        Output::Folder { layout, path } => {
            let asked = format!("{}{}", options(args), asked(args, shell));
            vec![folder_usage(*layout, path, fetched, args, &asked, (working_folder, shell))]
        }
        Output::Bundle(bundle) => {
            let files = requirements_paths(fetched);
            let targets = fetched.targets.iter().map(|target| format!("on {}", target.id()));
            let conditions: Vec<_> =
                if files.len() > 1 { targets.map(Some).collect() } else { files.iter().map(|_| None).collect() };
            let usages = files.iter().zip(conditions);
            usages
                .map(|(file, condition)| InstallHint { condition, lines: bundle_lines(bundle, args, file, shell) })
                .collect()
        }
    }
}

/// The shells for which commands are quoted: with a target on Windows, every shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shell {
    Unix,
    Any,
}

impl Shell {
    fn of(fetched: &Fetched) -> Self {
        let is_windows = fetched.targets.iter().any(|target| target.markers().sys_platform() == "win32");
        if is_windows { Self::Any } else { Self::Unix }
    }

    /// Quotes an argument, with double quotes for [`Shell::Any`] if all shells agree on what they
    /// mean.
    fn quote(self, text: &str) -> String {
        let is_plain = !text.contains(['"', '$', '`', '\\', '!', '%']);
        match shlex::try_quote(text) {
            Ok(quoted) if self == Self::Any && quoted != text && is_plain => format!("\"{text}\""),
            Ok(quoted) => quoted.into_owned(),
            Err(_) => format!("{text:?}"),
        }
    }

    /// Joins commands with `&&`, or returns them as separate lines, since PowerShell 5.1 has no
    /// `&&`.
    fn joined(self, commands: Vec<String>) -> Vec<String> {
        match self {
            Self::Unix => vec![commands.join(" && ")],
            Self::Any => commands,
        }
    }
}

fn folder_usage(
    layout: &dyn Layout,
    path: &Path,
    fetched: &Fetched,
    args: &FetchArgs,
    asked: &str,
    (working_folder, shell): (&Path, Shell),
) -> InstallHint {
    let absolute = Url::from_directory_path(working_folder.join(path)).map(String::from).unwrap_or_default();
    let location = UsageLocation { path: &path.display().to_string(), url: &absolute };
    let usage = layout.usage(&location);
    let variables = usage.variables.iter().map(|(name, value)| format!("{name}={} ", shell.quote(value)));
    let arguments = usage.arguments.iter().map(|argument| shell.quote(argument) + " ");
    let line =
        format!("{}python -m pip install {}{asked}", variables.collect::<String>(), arguments.collect::<String>());
    let unbuildable = unbuildable(fetched, args).map(|filename| {
        format!("where {filename} can be built with what is installed (--no-build-isolation); --build-requires fetches what that takes")
    });
    InstallHint { condition: unbuildable.or(usage.condition.map(str::to_owned)), lines: vec![line] }
}

/// Returns a source archive that an install must build although nothing was fetched to build it.
fn unbuildable<'a>(fetched: &'a Fetched, args: &FetchArgs) -> Option<&'a str> {
    let has_builders =
        args.selection.build_requires || args.outputs.bundle.is_some() && !args.selection.no_build_requires;
    let is_wheel = |filename: &str| filename.ends_with(".whl");
    let sources =
        fetched.packages.iter().filter(|package| !package.files.iter().any(|file| is_wheel(&file.candidate.filename)));
    let mut filenames = sources.flat_map(|package| &package.files).map(|file| &*file.candidate.filename);
    filenames.next().filter(|_| !has_builders)
}

fn bundle_lines(bundle: &BundleOutput, args: &FetchArgs, requirements: &str, shell: Shell) -> Vec<String> {
    let path = &bundle.path;
    let name = shell.quote(&path.display().to_string());
    let install = |file: String| format!("python -m pip install {}-r {}", options(args), shell.quote(&file));
    if is_folder(path) && bundle.since.is_none() {
        return vec![install(path.join(requirements).display().to_string())];
    }
    let unpack = match (&args.outputs.since, bundle.split) {
        (Some(base), _) => {
            vec![format!("prefetch apply {name} {} -o bundle", shell.quote(&base.display().to_string()))]
        }
        (None, Some(_)) => vec![format!("prefetch unpack {} bundle", shell.quote(&format!("{}.001", path.display())))],
        (None, None) if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) => {
            vec![format!("python -m zipfile -e {name} bundle")]
        }
        (None, None) => vec!["mkdir bundle".to_owned(), format!("tar -xf {name} -C bundle")],
    };
    shell.joined(unpack.into_iter().chain([install(format!("bundle/{requirements}"))]).collect())
}

/// Returns `--no-deps` if dependencies were not followed.
fn options(args: &FetchArgs) -> &'static str {
    if args.selection.no_deps { "--no-deps " } else { "" }
}

/// Returns the requirements as pip takes them: as typed, but without passwords.
fn asked(args: &FetchArgs, shell: Shell) -> String {
    let files = args.inputs.requirement_files.iter().flat_map(|file| ["-r", file]);
    let constraints = args.inputs.constraint_files.iter().flat_map(|file| ["-c", file]);
    let all = files.chain(constraints).chain(args.requirements.iter().map(String::as_str));
    all.map(|word| shell.quote(&mask_credentials(word))).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_word_leaves_its_quotes(word in "\\PC{0,20}") {
            for shell in [Shell::Unix, Shell::Any] {
                proptest::prop_assert_eq!(shlex::split(&shell.quote(&word)), Some(vec![word.clone()]));
            }
        }
    }

    #[test]
    fn words_are_quoted_for_the_shells_of_the_targets() {
        let words = ["wheels", "my wheels", "a$b", "flask>=2"];
        assert_eq!(words.map(|word| Shell::Unix.quote(word)), ["wheels", "'my wheels'", "'a$b'", "'flask>=2'"]);
        assert_eq!(words.map(|word| Shell::Any.quote(word)), ["wheels", "\"my wheels\"", "'a$b'", "\"flask>=2\""]);
    }
}
