//! `--show-settings`: lists every setting with its value and where that comes from.

use super::credentials;
use super::layers::{FoundSetting, Layers, SettingSource};
use super::network::{NO_PROXY_VARIABLES, PROXY_VARIABLES, ambient_certificates};
use super::table::{CACHE_DIR, CERT, INDEX_URL, PROXY, SETTINGS, Setting};
use crate::cli::error::{CliError, Exit};
use crate::cli::host::machine::Machine;
use crate::cli::output::terminal;
use crate::cli::settings;
use crate::cli::settings::args::FetchArgs;
use crate::domain::mask_credentials;

/// A line of the listing.
struct Row {
    name: &'static str,
    value: String,
    source: String,
}

/// Prints the settings of a run with `args`; passwords are masked.
///
/// # Errors
/// When standard output cannot be written.
pub fn run(args: &FetchArgs, layers: &Layers<'_>, machine: &Machine<'_>) -> Result<Exit, CliError> {
    let rows: Vec<_> =
        SETTINGS.iter().flat_map(|setting| rows_of(setting, args, layers, machine)).chain([netrc(layers)]).collect();
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let lines = rows.iter().map(|row| {
        let value = if row.value.is_empty() { "-" } else { &row.value };
        format!("{:width$} = {}  ({})", row.name, mask(value), row.source)
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    terminal::print_lines(text.lines()).map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(Exit::Done)
}

/// Returns the lines of a setting; there are several if variables of other programs have an effect,
/// too.
fn rows_of(setting: &'static Setting, args: &FetchArgs, layers: &Layers<'_>, machine: &Machine<'_>) -> Vec<Row> {
    let typed = (setting.typed)(args).map(|value| FoundSetting { value, source: SettingSource::Typed });
    match setting.name {
        name if name == CERT.name => return vec![certificates(typed, layers)],
        name if name == PROXY.name => return proxies(typed, layers),
        _ => {}
    }
    let found = typed.or_else(|| layers.find(setting));
    if found.is_none() && setting.name == INDEX_URL.name {
        return vec![default_index(machine)];
    }
    let default = match setting.name == CACHE_DIR.name {
        true => settings::cache_folder(None, layers.environment).map(|folder| folder.display().to_string()),
        false => Ok((setting.default)()),
    };
    vec![row(setting.name, found, &default.unwrap_or_default())]
}

/// Returns the line of a value, or of `default` if none was found.
fn row(name: &'static str, found: Option<FoundSetting>, default: &str) -> Row {
    let found = found.unwrap_or_else(|| FoundSetting { value: default.to_owned(), source: SettingSource::Default });
    let value = found.value.split_whitespace().collect::<Vec<_>>().join(" ");
    Row { name, value, source: found.source.to_string() }
}

fn default_index(machine: &Machine<'_>) -> Row {
    match machine.default_index() {
        Ok(value) => Row { name: INDEX_URL.name, value, source: "built into pip".to_owned() },
        Err(_) => row(INDEX_URL.name, None, ""),
    }
}

fn certificates(typed: Option<FoundSetting>, layers: &Layers<'_>) -> Row {
    let found = typed.map_or_else(|| ambient_certificates(layers), |found| vec![found]);
    let rows: Vec<_> = found.into_iter().map(|found| row(CERT.name, Some(found), "")).collect();
    let joined = |part: fn(&Row) -> &str| rows.iter().map(part).collect::<Vec<_>>().join(" ");
    match rows.is_empty() {
        true => row(CERT.name, None, &(CERT.default)()),
        false => Row { name: CERT.name, value: joined(|row| &row.value), source: joined(|row| &row.source) },
    }
}

/// Returns the lines of the proxies: the setting, or else the usual variables.
fn proxies(typed: Option<FoundSetting>, layers: &Layers<'_>) -> Vec<Row> {
    let found = typed.or_else(|| layers.find(&PROXY));
    if found.is_some() {
        return vec![row(PROXY.name, found, "")];
    }
    let variable = |name, variables: &[&str]| row(name, layers.first_variable(variables), "");
    let names = ["https-proxy", "http-proxy", "all-proxy"];
    let each = names.into_iter().zip(&PROXY_VARIABLES).map(|(name, variables)| variable(name, variables));
    let none = row(PROXY.name, None, "");
    [none].into_iter().chain(each).chain([variable("no-proxy", &NO_PROXY_VARIABLES)]).collect()
}

fn netrc(layers: &Layers<'_>) -> Row {
    let source = layers.environment.variable("NETRC").map(|_| SettingSource::Variable("NETRC".to_owned()));
    let found = credentials::netrc_file(layers.environment).map(|path| FoundSetting {
        value: path.display().to_string(),
        source: source.unwrap_or(SettingSource::Default),
    });
    row("netrc", found, "")
}

/// Masks the password in a value, also in a proxy that is written without a scheme.
fn mask(value: &str) -> String {
    let words = value.split(' ').map(|word| match word.rsplit_once('@') {
        Some((_, place)) if !word.contains("://") => format!("****@{place}"),
        _ => mask_credentials(word).into_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_masked_also_without_a_scheme() {
        assert_eq!(
            mask("https://a:b@x.example y:z@proxy.example:8080 c"),
            "https://****@x.example ****@proxy.example:8080 c"
        );
    }
}
