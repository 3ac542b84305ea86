//! `--show-settings`: every setting with its value and where that comes from.

use super::credentials;
use super::layers::{FoundSetting, Layers, SettingSource};
use super::{JOBS, NO_PROXY_VARIABLES, PROXY_VARIABLES, RETRIES, TIMEOUT};
use crate::cli::args::FetchArgs;
use crate::cli::error::{CliError, Exit};
use crate::cli::host::machine::Machine;
use crate::cli::output::terminal;
use crate::cli::settings;
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
/// When standard output does not take them.
pub fn run(args: &FetchArgs, layers: &Layers<'_>, machine: &Machine<'_>) -> Result<Exit, CliError> {
    let rows = rows(args, layers, machine);
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let lines = rows.iter().map(|row| {
        let value = if row.value.is_empty() { "-" } else { &row.value };
        format!("{:width$} = {}  ({})", row.name, mask(value), row.source)
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    terminal::print(&text).map_err(|error| CliError::new(Exit::Disk, error))?;
    Ok(Exit::Done)
}

fn rows(args: &FetchArgs, layers: &Layers<'_>, machine: &Machine<'_>) -> Vec<Row> {
    let rows = Rows(layers);
    let mut all = vec![rows.index(args, machine)];
    all.extend(rows.of_indexes(args));
    all.extend(rows.of_selection(args));
    all.extend(rows.of_network(args));
    all
}

struct Rows<'a>(&'a Layers<'a>);

impl Rows<'_> {
    /// What was typed, else what the environment or a file says, else `default`.
    fn row(&self, name: &'static str, typed: Option<String>, default: impl ToString) -> Row {
        let typed = typed.map(|value| FoundSetting { value, source: SettingSource::Typed });
        Self::found(name, typed.or_else(|| self.0.find(name)), default)
    }

    fn found(name: &'static str, found: Option<FoundSetting>, default: impl ToString) -> Row {
        let found =
            found.unwrap_or_else(|| FoundSetting { value: default.to_string(), source: SettingSource::Default });
        let value = found.value.split_whitespace().collect::<Vec<_>>().join(" ");
        Row { name, value, source: found.source.to_string() }
    }

    fn list(&self, name: &'static str, typed: &[String]) -> Row {
        self.row(name, (!typed.is_empty()).then(|| typed.join(" ")), "")
    }

    fn switch(&self, name: &'static str, typed: bool) -> Row {
        self.row(name, typed.then(|| "yes".to_owned()), "no")
    }

    fn index(&self, args: &FetchArgs, machine: &Machine<'_>) -> Row {
        let row = self.row("index-url", args.indexes.index_url.clone(), "");
        if !row.value.is_empty() {
            return row;
        }
        match machine.default_index() {
            Ok(value) => Row { value, source: "built into pip".to_owned(), ..row },
            Err(_) => row,
        }
    }

    fn of_indexes(&self, args: &FetchArgs) -> Vec<Row> {
        let indexes = &args.indexes;
        vec![
            self.list("extra-index-url", &indexes.extra_index_url),
            self.list("find-links", &indexes.find_links),
            self.switch("no-index", indexes.no_index),
            self.list("ignore-error-codes", &indexes.ignore_error_codes),
            self.list("trusted-host", &indexes.trusted_host),
        ]
    }

    fn of_selection(&self, args: &FetchArgs) -> Vec<Row> {
        let selection = &args.selection;
        vec![
            self.list("requirement", &args.inputs.requirement_files),
            self.list("constraint", &args.inputs.constraint_files),
            self.list("only-binary", &selection.formats.only_binary()),
            self.list("no-binary", &selection.formats.no_binary()),
            self.switch("prefer-binary", selection.prefer_binary),
            self.switch("pre", selection.pre),
            self.switch("require-hashes", selection.require_hashes),
            self.row("exclude-newer", selection.exclude_newer.clone(), ""),
            self.switch("no-deps", selection.no_deps),
        ]
    }

    fn of_network(&self, args: &FetchArgs) -> Vec<Row> {
        let network = &args.network;
        let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let cache = settings::cache_folder(network.cache_dir.as_deref(), self.0.environment).ok();
        let mut rows = vec![
            self.row(
                "cache-dir",
                path(&network.cache_dir),
                cache.map(|cache| cache.display().to_string()).unwrap_or_default(),
            ),
            self.switch("offline", network.offline),
            self.switch("refresh", network.refresh),
            self.switch("prefer-cached", network.prefer_cached),
            self.row("jobs", network.jobs.map(|jobs| jobs.to_string()), JOBS),
            self.row("retries", network.retries.map(|retries| retries.to_string()), RETRIES),
            self.row("timeout", network.timeout.map(|timeout| timeout.to_string()), TIMEOUT),
            self.certificates(path(&network.cert)),
            self.row("client-cert", path(&network.client_cert), ""),
        ];
        rows.extend(self.proxies(network.proxy.clone()));
        rows.push(self.row("keyring-provider", network.keyring_provider.clone(), "disabled"));
        rows.push(self.netrc());
        rows
    }

    fn certificates(&self, typed: Option<String>) -> Row {
        let typed = typed.map(|value| FoundSetting { value, source: SettingSource::Typed });
        let found = typed.map_or_else(|| settings::ambient_certificates(self.0), |found| vec![found]);
        let rows: Vec<_> = found.into_iter().map(|found| Self::found("cert", Some(found), "")).collect();
        let joined = |part: fn(&Row) -> &str| rows.iter().map(part).collect::<Vec<_>>().join(" ");
        match rows.is_empty() {
            true => Self::found("cert", None, "the platform's"),
            false => Row { name: "cert", value: joined(|row| &row.value), source: joined(|row| &row.source) },
        }
    }

    /// Without a setting of ours, the usual variables decide for each request.
    fn proxies(&self, typed: Option<String>) -> Vec<Row> {
        let row = self.row("proxy", typed, "");
        if !row.value.is_empty() {
            return vec![row];
        }
        let names = ["https-proxy", "http-proxy", "all-proxy"];
        let variables = names.into_iter().zip(&PROXY_VARIABLES).map(|(name, names)| self.variable(name, names));
        [row].into_iter().chain(variables).chain([self.variable("no-proxy", &NO_PROXY_VARIABLES)]).collect()
    }

    fn variable(&self, name: &'static str, variables: &[&str]) -> Row {
        Self::found(name, self.0.first_variable(variables), "")
    }

    fn netrc(&self) -> Row {
        let environment = self.0.environment;
        let source = environment.variable("NETRC").map(|_| SettingSource::Variable("NETRC".to_owned()));
        let found = credentials::netrc_file(environment).map(|path| FoundSetting {
            value: path.display().to_string(),
            source: source.unwrap_or(SettingSource::Default),
        });
        Self::found("netrc", found, "")
    }
}

/// A proxy may be written without a scheme.
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
