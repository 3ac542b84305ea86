//! Shell commands that install from what was written, each with the condition under which they work.

use std::borrow::Cow;
use std::path::Path;

use url::Url;

use crate::cli::settings::args::{FetchArgs, is_folder};
use crate::cli::shell_word::shell_word;
use crate::domain::{Fetched, is_control, mask_credentials};
use crate::layout::{Layout, ProjectInstaller, UsageLocation, project_of, requirements_paths};
use crate::ops::{BundleOutput, Output};

/// Shell commands, and the condition under which they work; without commands, the reason why none is shown.
#[derive(Debug, PartialEq, Eq)]
pub struct InstallHint {
    /// The condition; `None` if they always work.
    pub condition: Option<String>,
    pub lines: Vec<String>,
}

/// The run whose commands are printed.
#[derive(Clone, Copy)]
pub struct HintContext<'a> {
    pub args: &'a FetchArgs,
    pub working_folder: &'a Path,
    /// Whether pip must not follow dependencies either.
    pub no_deps: bool,
}

/// Returns the commands with which pip installs what was `fetched` from `output`, without a
/// network.
pub fn usages(output: &Output, fetched: &Fetched, context: HintContext<'_>) -> Vec<InstallHint> {
    let shell = TargetShell::of(fetched);
    if shell == TargetShell::Any && !typed(output, context.args).iter().all(|word| is_portable(word)) {
        let usages = usages_in(TargetShell::Unix, output, fetched, context);
        let in_unix_shells = |usage: InstallHint| {
            let further = usage.condition.map(|condition| format!(", {condition}")).unwrap_or_default();
            InstallHint { condition: Some(format!("in a Unix shell{further}")), ..usage }
        };
        return usages.into_iter().map(in_unix_shells).map(without_unseen).collect();
    }
    usages_in(shell, output, fetched, context).into_iter().map(without_unseen).collect()
}

/// Leaves out commands that a terminal would not show as they must be typed.
fn without_unseen(usage: InstallHint) -> InstallHint {
    if !usage.lines.iter().any(|line| line.contains(is_control)) {
        return usage;
    }
    let why = "not shown, since a path in the command has characters that a terminal does not show";
    InstallHint { condition: Some(why.to_owned()), lines: Vec::new() }
}

/// Returns the words of the user that stand in the commands.
fn typed<'a>(output: &'a Output, args: &'a FetchArgs) -> Vec<Cow<'a, str>> {
    let since = args.outputs.since.as_deref();
    let paths = [output.path(), since].into_iter().flatten().map(|path| path.to_string_lossy());
    let inputs = args.inputs.requirement_files.iter().chain(&args.inputs.constraint_files).chain(&args.requirements);
    paths.chain(inputs.map(|word| Cow::Borrowed(&**word))).collect()
}

/// Whether all shells agree on what a word means between double quotes.
///
/// cmd expands `%name%` and `!name!` even there, a Unix shell and PowerShell `$name` and a backtick,
/// and PowerShell takes typographic quotes for plain ones. The escapes of URLs (`%20`) are no names.
fn is_portable(word: &str) -> bool {
    let is_special = |character: char| {
        character.is_control() || matches!(character, '"' | '$' | '`' | '!' | '\u{2018}'..='\u{201f}')
    };
    let is_escape = |after: &str| after.len() >= 2 && after.bytes().take(2).all(|next| next.is_ascii_hexdigit());
    !word.contains(is_special) && word.split('%').skip(1).all(is_escape)
}

fn usages_in(shell: TargetShell, output: &Output, fetched: &Fetched, context: HintContext<'_>) -> Vec<InstallHint> {
    match output {
        Output::Folder { layout, path, pins: false } => {
            vec![folder_usage(*layout, path, fetched, &requirement_arguments(context.args, shell), (context, shell))]
        }
        Output::Folder { layout, .. } if !layout.takes_other_files() => Vec::new(),
        // Which web server shows it is not known here.
        Output::Bucket(_) | Output::Bundle(BundleOutput { bucket: Some(_), .. }) => Vec::new(),
        Output::Folder { layout, path, pins: true } => {
            let usages = pinned_files(fetched).into_iter().map(|(file, condition)| {
                let asked = format!("-r {}", shell.quote(&path.join(file).display().to_string()));
                let usage = folder_usage(*layout, path, fetched, &asked, (context, shell));
                InstallHint { condition: condition.or(usage.condition), ..usage }
            });
            usages.collect()
        }
        Output::Bundle(bundle) => {
            let usages = pinned_files(fetched).into_iter();
            usages
                .map(|(file, condition)| InstallHint { condition, lines: bundle_lines(bundle, context, &file, shell) })
                .chain(by_own_lock(bundle, fetched, shell))
                .collect()
        }
    }
}

/// Returns the command of the tool that owns the lock, if it installs from the bundle.
fn by_own_lock(bundle: &BundleOutput, fetched: &Fetched, shell: TargetShell) -> Option<InstallHint> {
    let project = project_of(bundle.project.as_deref()?, fetched).ok()??;
    let installer = ProjectInstaller::of(&project)?;
    let is_unpacked = is_folder(&bundle.path) && bundle.since.is_none();
    let path = bundle.path.display().to_string();
    let folder = if is_unpacked { shell.quote(path.trim_end_matches(['/', '\\'])) } else { "bundle".to_owned() };
    let needs = installer.needs().map(|needs| format!(", {}", needs.replace("FOLDER", &folder))).unwrap_or_default();
    let condition = format!("or with {}, by {}{needs}", installer.name, installer.lock);
    Some(InstallHint { condition: Some(condition), lines: vec![installer.command_line(&project, &folder)] })
}

/// Returns the names of the requirements files, each with the target it is for if there are several.
fn pinned_files(fetched: &Fetched) -> Vec<(String, Option<String>)> {
    let files = requirements_paths(fetched);
    let targets = fetched.targets.iter().map(|target| Some(format!("on {}", target.id())));
    match files.len() {
        1 => files.into_iter().map(|file| (file, None)).collect(),
        _ => files.into_iter().zip(targets).collect(),
    }
}

/// The shells for which commands are quoted: with a target on Windows, every shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TargetShell {
    Unix,
    Any,
}

impl TargetShell {
    fn of(fetched: &Fetched) -> Self {
        let is_windows = fetched.targets.iter().any(|target| target.markers().sys_platform() == "win32");
        if is_windows { Self::Any } else { Self::Unix }
    }

    /// Quotes an argument; for [`TargetShell::Any`] with double quotes, if it is [portable](is_portable).
    ///
    /// A backslash stands for itself there unless another one or a quote follows. PowerShell takes
    /// an unquoted comma and a first `@` for operators.
    fn quote(self, text: &str) -> String {
        let is_operator = text.contains(',') || text.starts_with('@');
        let is_plain = is_portable(text) && !text.contains(r"\\") && !text.ends_with('\\');
        let quoted = shell_word(text);
        match self {
            Self::Any if (quoted != text || is_operator) && is_plain => format!("\"{text}\""),
            _ => quoted.into_owned(),
        }
    }

    /// Returns the text before `python` and the options of pip that give pip these settings. The
    /// shells differ in how they set variables, but each variable of pip has an option of its name.
    fn settings(self, variables: &[(&str, String)]) -> (String, String) {
        let quoted = variables.iter().map(|(name, value)| (*name, self.quote(value)));
        match self {
            Self::Unix => (quoted.map(|(name, value)| format!("{name}={value} ")).collect(), String::new()),
            Self::Any => {
                let option = |name: &str| name.strip_prefix("PIP_").unwrap_or(name).to_lowercase().replace('_', "-");
                (String::new(), quoted.map(|(name, value)| format!("--{} {value} ", option(name))).collect())
            }
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
    asked: &str,
    (context, shell): (HintContext<'_>, TargetShell),
) -> InstallHint {
    let absolute = Url::from_directory_path(context.working_folder.join(path)).map(String::from).unwrap_or_default();
    let location = UsageLocation { path: &path.display().to_string(), url: &absolute };
    let usage = layout.usage(&location);
    let (before, settings) = shell.settings(&usage.variables);
    let arguments: String = usage.arguments.iter().map(|argument| shell.quote(argument) + " ").collect();
    let line = format!("{before}python -m pip install {settings}{arguments}{}{asked}", options(context));
    let unbuildable = unbuildable(fetched, context.args).map(|filename| {
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
        fetched.packages.iter().filter(|package| !package.files.iter().any(|file| is_wheel(&file.link.filename)));
    let mut filenames = sources.flat_map(|package| &package.files).map(|file| &*file.link.filename);
    filenames.next().filter(|_| !has_builders)
}

fn bundle_lines(
    bundle: &BundleOutput,
    context: HintContext<'_>,
    requirements: &str,
    shell: TargetShell,
) -> Vec<String> {
    // A name that begins with a dash would be taken for an option.
    let path = match bundle.path.as_os_str().as_encoded_bytes().starts_with(b"-") {
        true => &Path::new(".").join(&bundle.path),
        false => &bundle.path,
    };
    let name = shell.quote(&path.display().to_string());
    let install = |file: String| format!("python -m pip install {}-r {}", options(context), shell.quote(&file));
    if is_folder(path) && bundle.since.is_none() {
        return vec![install(path.join(requirements).display().to_string())];
    }
    let unpack = match (&context.args.outputs.since, bundle.split) {
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
fn options(context: HintContext<'_>) -> &'static str {
    if context.no_deps { "--no-deps " } else { "" }
}

/// Returns the requirements as pip takes them: as typed, but without passwords.
fn requirement_arguments(args: &FetchArgs, shell: TargetShell) -> String {
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
            for shell in [TargetShell::Unix, TargetShell::Any] {
                proptest::prop_assert_eq!(shlex::split(&shell.quote(&word)), Some(vec![word.clone()]));
            }
        }
    }

    #[test]
    fn a_command_that_a_terminal_would_alter_is_not_shown() {
        let hint = |line: &str| InstallHint { condition: None, lines: vec![line.to_owned()] };
        assert_eq!(without_unseen(hint("pip install 'ü b'")), hint("pip install 'ü b'"));
        for unseen in ["pip install 'a\tb'", "pip install 'a\u{1b}[2Jb'", "pip install 'a\u{202e}b'"] {
            let InstallHint { condition, lines } = without_unseen(hint(unseen));
            assert!(lines.is_empty() && condition.is_some_and(|why| why.starts_with("not shown")), "{unseen:?}");
        }
    }

    #[test]
    fn a_setting_is_a_variable_on_unix_and_an_option_elsewhere() {
        let variables = [("PIP_CACHE_DIR", "my cache".to_owned())];
        assert_eq!(TargetShell::Unix.settings(&variables), ("PIP_CACHE_DIR='my cache' ".to_owned(), String::new()));
        assert_eq!(TargetShell::Any.settings(&variables), (String::new(), "--cache-dir \"my cache\" ".to_owned()));
    }

    #[test]
    fn words_are_quoted_for_the_shells_of_the_targets() {
        let words = ["wheels", "my wheels", "a$b", "flask>=2"];
        assert_eq!(words.map(|word| TargetShell::Unix.quote(word)), ["wheels", "'my wheels'", "'a$b'", "'flask>=2'"]);
        assert_eq!(
            words.map(|word| TargetShell::Any.quote(word)),
            ["wheels", "\"my wheels\"", "'a$b'", "\"flask>=2\""]
        );
        assert_eq!(["a,b", "@a", "a‘b"].map(|word| TargetShell::Any.quote(word)), ["\"a,b\"", "\"@a\"", "'a‘b'"]);
        let url = "file:///C:/my%20wheels/links.html";
        assert_eq!(TargetShell::Any.quote(url), format!("\"{url}\""));
        assert_eq!(TargetShell::Any.quote("100%"), "'100%'");
        let paths = [r"C:\my wheels", r"sub\a.txt", r"C:\"];
        let quoted = [r#""C:\my wheels""#, r#""sub\a.txt""#, r#""C:\\""#];
        assert_eq!(paths.map(|path| TargetShell::Any.quote(path)), quoted);
    }
}
