//! Where users and passwords come from: netrc files, the keyring command, and variables.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::layers::Layers;
use super::table;
use crate::cli::error::CliError;
use crate::cli::host::environment::Environment;
use crate::cli::output::terminal;
use crate::cli::settings::args::ConnectionArgs;
use crate::http::{Credentials, Keyring, Netrc};
use crate::input::with_credentials;

/// Returns the netrc file and the keyring to look up passwords in; those in index URLs are added
/// later.
///
/// # Errors
/// When the keyring provider is unknown.
pub fn credentials(args: &ConnectionArgs, layers: &Layers<'_>) -> Result<Credentials, CliError> {
    let keyring = asks_keyring(args, layers)?.then(|| Keyring::new(ask_command));
    Ok(Credentials::new(netrc(layers.environment), keyring))
}

/// Returns the netrc file to read: the one of `NETRC`, else the first that exists.
pub fn netrc_file(environment: &Environment) -> Option<PathBuf> {
    if let Some(named) = environment.variable("NETRC") {
        return Some(environment.working_folder.join(named));
    }
    let home = environment.variable("HOME").or_else(|| environment.variable("USERPROFILE"))?;
    let places = [".netrc", "_netrc"].map(|name| PathBuf::from(&home).join(name));
    places.into_iter().find(|place| place.exists())
}

/// Reads the netrc file; as in pip, one that cannot be read counts as empty, but here with a
/// warning.
fn netrc(environment: &Environment) -> Netrc {
    let Some(path) = netrc_file(environment) else { return Netrc::default() };
    let Ok(bytes) = std::fs::read(&path) else { return Netrc::default() };
    Netrc::parse(&String::from_utf8_lossy(&bytes)).unwrap_or_else(|error| {
        terminal::warn(format!("{}, {error}; none of its passwords are used", path.display()));
        Netrc::default()
    })
}

/// Whether the keyring is asked.
///
/// pip's `auto` means no here, since asking starts a program.
fn asks_keyring(args: &ConnectionArgs, layers: &Layers<'_>) -> Result<bool, CliError> {
    match args.keyring_provider.clone().or_else(|| layers.one(&table::KEYRING_PROVIDER)).as_deref() {
        None | Some("disabled" | "auto") => Ok(false),
        Some("subprocess" | "import") => Ok(true),
        Some(other) => Err(CliError::usage(format!(
            "--keyring-provider is `{other}`, which is not known; use `subprocess` or `disabled`"
        ))),
    }
}

/// Runs `keyring get SERVICE USER` as pip does; `None` if the command is missing or fails.
fn ask_command(service: &str, user: &str) -> Option<String> {
    let mut command = Command::new("keyring");
    command.args(["get", service, user]).env("PYTHONIOENCODING", "utf-8").stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    let password = String::from_utf8(output.stdout).ok()?;
    Some(password.trim_end_matches(['\r', '\n']).to_owned()).filter(|password| !password.is_empty())
}

/// Returns an index URL without the name of uv's `name=URL`, with the user and password that
/// `UV_INDEX_<NAME>_USERNAME` and `…_PASSWORD` hold for that name.
pub fn named_index(text: &str, environment: &Environment) -> String {
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|next| next.is_alphanumeric() || "-_.".contains(next));
    let Some((name, location)) = text.split_once('=').filter(|(name, _)| is_name(name)) else {
        return text.to_owned();
    };
    with_credentials(location, ("UV_INDEX", name), |variable| environment.variable(variable))
}
