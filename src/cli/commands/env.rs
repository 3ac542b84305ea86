//! `prefetch env`: prints shell lines that point pip and uv at what was written, and nowhere else.

use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum, ValueHint};
use url::Url;

use crate::archive::ArchiveFormat;
use crate::cli::error::{CliError, Exit};
use crate::cli::host::environment::Environment;
use crate::cli::output::terminal;
use crate::cli::shell_word::shell_word;
use crate::domain::is_control;
use crate::layout::{BundleLocation, MANIFEST_PATH, Manifest, PROJECT_INSTALLERS, ProjectInstaller, WHEELS};
use crate::regular_file;

/// Arguments of `prefetch env`.
#[derive(Debug, Args)]
pub struct EnvArgs {
    /// A folder that prefetch wrote, in any layout, or an unpacked bundle.
    #[arg(value_name = "PATH", value_hint = ValueHint::DirPath)]
    pub path: PathBuf,
    /// The shell to write for [default: that of SHELL].
    #[arg(long, value_enum)]
    pub shell: Option<Shell>,
    /// Set the variables of this tool alone; all but pip install an unpacked bundle's project by its own
    /// lock.
    #[arg(long = "for", value_name = "TOOL", value_parser = tools())]
    pub tool: Option<String>,
}

/// Returns the tools that `--for` takes.
fn tools() -> PossibleValuesParser {
    let mut names: Vec<_> = PROJECT_INSTALLERS.iter().map(|installer| installer.name).collect();
    names.dedup();
    PossibleValuesParser::new(names)
}

/// The shells whose syntax for variables is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// sh, bash, zsh: `eval "$(prefetch env PATH)"`.
    Sh,
    /// `prefetch env PATH | source`.
    Fish,
    /// `prefetch env PATH | Out-String | Invoke-Expression`.
    Powershell,
    /// A batch file for `call`.
    Cmd,
}

/// Prints the lines.
///
/// # Errors
/// When the path is no folder that pip or uv can be pointed at.
pub fn run(args: &EnvArgs, environment: &Environment) -> Result<Exit, CliError> {
    let path = environment.working_folder.join(&args.path);
    // Without the `\\?\` that Windows puts in front, which neither pip nor a URL takes.
    let path = dunce::canonicalize(&path).map_err(|error| CliError::usage(format!("{}: {error}", path.display())))?;
    if path.display().to_string().contains(is_control) {
        let refused = format!("{path:?} has control or invisible characters, which no line of a shell should hold");
        return Err(CliError::usage(refused));
    }
    let actions = match args.tool.as_deref() {
        None => actions(&path)?,
        Some("pip") => actions(&path)?.into_iter().filter(ShellAction::is_of_pip).collect(),
        Some(tool) => actions_for_project(tool, &path, &environment.working_folder)?,
    };
    let shell = args.shell.unwrap_or_else(|| usual_shell(environment.variable("SHELL").as_deref()));
    let lines: Vec<_> = actions.iter().map(|action| shell.line(action)).collect();
    terminal::print_verbatim(&lines.join("\n")).map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(Exit::Done)
}

fn usual_shell(variable: Option<&str>) -> Shell {
    match variable.and_then(|shell| Path::new(shell).file_name()?.to_str()) {
        Some("fish") => Shell::Fish,
        Some("pwsh") => Shell::Powershell,
        None if cfg!(windows) => Shell::Powershell,
        _ => Shell::Sh,
    }
}

/// What a line of a shell does.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ShellAction {
    Set(&'static str, String),
    Unset(&'static str),
    /// Runs this Python script with an argument.
    Run([String; 2]),
}

impl ShellAction {
    fn is_of_pip(&self) -> bool {
        matches!(self, Self::Set(name, _) | Self::Unset(name) if name.starts_with("PIP_"))
    }
}

/// Returns the variables that point pip and uv at the folder.
///
/// Locations are URLs, since pip splits lists at spaces and uv at commas.
fn actions(path: &Path) -> Result<Vec<ShellAction>, CliError> {
    let text = |path: &Path| path.display().to_string();
    if path.is_file() {
        return Err(refusal(path));
    }
    if path.join(MANIFEST_PATH).is_file() {
        return actions_for_links(&url(&path.join(WHEELS))?);
    }
    let names: Vec<String> = entries(path);
    let has = |end: &str| names.iter().any(|name| name.ends_with(end));
    if has(".content-type") {
        let links = url(path)? + "links.html";
        return Ok(vec![
            ShellAction::Set("PIP_DOWNLOAD_CACHE", text(path)),
            set("PIP_NO_INDEX", "1"),
            ShellAction::Set("PIP_FIND_LINKS", links),
        ]);
    }
    if ["http", "http-v2"].iter().any(|name| path.join(name).is_dir()) {
        return Ok(vec![ShellAction::Set("PIP_CACHE_DIR", text(path)), ShellAction::Unset("PIP_NO_CACHE_DIR")]);
    }
    if [".whl", ".gz", ".tgz", ".zip", ".bz2", ".tar", ".xz"].iter().any(|end| has(end)) {
        return actions_for_links(&url(path)?);
    }
    if names.iter().any(|name| path.join(name).join("index.html").is_file()) {
        return actions_for_index(&url(path)?);
    }
    Err(refusal(path))
}

/// Returns the variables with which `tool`, run in the folder `project`, installs by the lock that the
/// bundle at `path` was made from.
fn actions_for_project(tool: &str, path: &Path, project: &Path) -> Result<Vec<ShellAction>, CliError> {
    let shown = path.display();
    let manifest = regular_file::read(&path.join(MANIFEST_PATH)).map_err(|error| {
        CliError::usage(format!("{shown} is no unpacked bundle: {MANIFEST_PATH}: {error}"))
            .hint(format!("--for {} takes a bundle that was made from a lock of it, unpacked", tool))
    })?;
    let manifest = Manifest::from_json(&manifest).map_err(|error| CliError::usage(format!("{shown}: {error}")))?;
    let made_from = manifest.project.as_ref();
    let installer = made_from.and_then(ProjectInstaller::of).filter(|installer| installer.name == tool);
    let Some(installer) = installer else {
        let lock = made_from.map_or("no lock by which its tool installs", |project| &project.lock);
        return Err(CliError::usage(format!("{shown} was made from {lock}, so {} cannot install by it", tool))
            .hint("pip installs from every bundle: --for pip"));
    };
    let url = url(path)?;
    let (path, project) = (path.display().to_string(), project.display().to_string());
    let location = BundleLocation { path: &path, url: &url, project: &project };
    let variables = installer.variables(&location).into_iter().map(|(name, value)| ShellAction::Set(name, value));
    Ok(installer.preparation(&location).map(ShellAction::Run).into_iter().chain(variables).collect())
}

fn set(name: &'static str, value: &str) -> ShellAction {
    ShellAction::Set(name, value.to_owned())
}

fn actions_for_links(url: &str) -> Result<Vec<ShellAction>, CliError> {
    let switches = ["PIP_NO_INDEX", "UV_NO_INDEX", "UV_OFFLINE"].map(|name| set(name, "1"));
    let places = ["PIP_FIND_LINKS", "UV_FIND_LINKS"].map(|name| set(name, url));
    Ok(switches.into_iter().chain(places).collect())
}

fn actions_for_index(url: &str) -> Result<Vec<ShellAction>, CliError> {
    let others = ["PIP_NO_INDEX", "PIP_EXTRA_INDEX_URL", "UV_NO_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL"];
    let places = ["PIP_INDEX_URL", "UV_DEFAULT_INDEX"].map(|name| set(name, url));
    let switches = ["PIP_DISABLE_PIP_VERSION_CHECK", "UV_OFFLINE"].map(|name| set(name, "1"));
    Ok(others.map(ShellAction::Unset).into_iter().chain(places).chain(switches).collect())
}

fn refusal(path: &Path) -> CliError {
    let shown = path.display();
    if path.is_file() && ArchiveFormat::of(path).is_ok() {
        return CliError::usage(format!("{shown} is an archive, which neither pip nor uv reads")).hint(format!(
            "unpack it and name the folder, or let them ask an index over it: prefetch serve {}",
            shell_word(&shown.to_string())
        ));
    }
    CliError::usage(format!("{shown} holds nothing that pip or uv could be pointed at"))
        .hint("name a folder that prefetch wrote (--dest, in any layout), an unpacked bundle, or any folder of wheels")
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Returns the `file:` URL of a folder, ending in a slash, with spaces and commas escaped.
fn url(folder: &Path) -> Result<String, CliError> {
    let url = Url::from_directory_path(folder);
    let url = url.map_err(|()| CliError::usage(format!("{} can be no URL", folder.display())))?;
    Ok(url.as_str().replace(',', "%2C"))
}

impl Shell {
    fn line(self, action: &ShellAction) -> String {
        match (self, action) {
            (Self::Sh, ShellAction::Set(name, value)) => format!("export {name}={}", self.quoted(value)),
            (Self::Sh, ShellAction::Unset(name)) => format!("unset {name}"),
            (Self::Fish, ShellAction::Set(name, value)) => format!("set -gx {name} {}", self.quoted(value)),
            (Self::Fish, ShellAction::Unset(name)) => format!("set -e {name}"),
            (Self::Powershell, ShellAction::Set(name, value)) => format!("$env:{name} = {}", self.quoted(value)),
            (Self::Powershell, ShellAction::Unset(name)) => {
                format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue")
            }
            (Self::Cmd, ShellAction::Set(name, value)) => format!("set {}", self.quoted(&format!("{name}={value}"))),
            (Self::Cmd, ShellAction::Unset(name)) => format!("set \"{name}=\""),
            (Self::Sh | Self::Fish, ShellAction::Run(words)) => format!("python3 -I {}", self.words(words)),
            (Self::Powershell | Self::Cmd, ShellAction::Run(words)) => format!("python -I {}", self.words(words)),
        }
    }

    fn words(self, words: &[String]) -> String {
        words.iter().map(|word| self.quoted(word)).collect::<Vec<_>>().join(" ")
    }

    fn quoted(self, text: &str) -> String {
        match self {
            Self::Sh => format!("'{}'", text.replace('\'', r"'\''")),
            Self::Fish => format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'")),
            Self::Powershell => format!("'{}'", double_quotes(text)),
            Self::Cmd => format!("\"{}\"", text.replace('%', "%%")),
        }
    }
}

/// Doubles single quotes for PowerShell, which takes curly quotes for straight ones.
fn double_quotes(text: &str) -> String {
    let is_quote = |character| matches!(character, '\'' | '‘' | '’' | '‚' | '‛');
    text.chars().flat_map(|character| std::iter::repeat_n(character, 1 + usize::from(is_quote(character)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_for_each_shell() {
        let set = set("NAME", r"it's 100% $HOME \ `x` ’");
        for (shell, expected) in [
            (Shell::Sh, r"export NAME='it'\''s 100% $HOME \ `x` ’'"),
            (Shell::Fish, r"set -gx NAME 'it\'s 100% $HOME \\ `x` ’'"),
            (Shell::Powershell, r"$env:NAME = 'it''s 100% $HOME \ `x` ’’'"),
            (Shell::Cmd, "set \"NAME=it's 100%% $HOME \\ `x` ’\""),
        ] {
            assert_eq!(shell.line(&set), expected);
        }
        let script = ShellAction::Run(["/it's/fill.py", "a b"].map(str::to_owned));
        assert_eq!(Shell::Sh.line(&script), r"python3 -I '/it'\''s/fill.py' 'a b'");
        assert_eq!(Shell::Powershell.line(&script), "python -I '/it''s/fill.py' 'a b'");
    }

    proptest::proptest! {
        #[test]
        fn no_value_leaves_its_quotes(value in "[ -~\u{a0}-\u{ff}‘’\u{2028}]{0,30}") {
            let line = Shell::Sh.line(&set("NAME", &value));
            proptest::prop_assert_eq!(shlex::split(&line), Some(vec!["export".to_owned(), format!("NAME={value}")]));
            for (shell, start) in [(Shell::Fish, "set -gx NAME '"), (Shell::Powershell, "$env:NAME = '")] {
                let line = shell.line(&set("NAME", &value));
                let inside = line.strip_prefix(start).and_then(|rest| rest.strip_suffix('\'')).unwrap();
                let unescaped = match shell {
                    Shell::Fish => inside.replace(r"\\", "").replace(r"\'", ""),
                    _ => ["''", "‘‘", "’’"].iter().fold(inside.to_owned(), |text, pair| text.replace(pair, "")),
                };
                proptest::prop_assert!(!unescaped.contains(['\'', '‘', '’']) || shell == Shell::Fish && !unescaped.contains('\''));
            }
        }
    }

    #[test]
    fn the_shell_is_the_usual_one() {
        assert_eq!(usual_shell(Some("/usr/bin/fish")), Shell::Fish);
        assert_eq!(usual_shell(Some("/bin/zsh")), Shell::Sh);
    }

    #[cfg(unix)]
    #[test]
    fn locations_are_safe_in_lists() {
        assert_eq!(url(Path::new("/a b,c")).unwrap(), "file:///a%20b%2Cc/");
    }
}
