//! The table of settings that variables or pip's configuration can give, too.
//!
//! A row drives the variables, `--show-settings` and the table of `docs/settings.md`.

use std::path::PathBuf;

use super::args::{FetchArgs, ForkStrategyArg, StoreModeArg};

/// The default of `--jobs`.
pub const DEFAULT_JOBS: u16 = 16;

/// pip's default for the number of retries.
pub const DEFAULT_RETRIES: u32 = 5;

/// pip's default for the timeout in seconds.
pub const DEFAULT_TIMEOUT: f64 = 15.0;

/// The default of `--max-file-size` in bytes, several times the size of the largest wheels there are.
pub const DEFAULT_MAX_FILE_SIZE: u64 = 16 << 30;

/// A setting that need not be on the command line.
pub struct Setting {
    /// The long option; `index-url` stands for `--index-url` and `PREFETCH_INDEX_URL`.
    pub name: &'static str,
    /// pip's names for it, in `PIP_*` variables and configuration files.
    pub pip: &'static [&'static str],
    /// uv's variables for it, the strongest first.
    pub uv: &'static [&'static str],
    /// Returns the value on the command line, as text.
    pub typed: fn(&FetchArgs) -> Option<String>,
    /// Returns the default value as text; empty if there is none.
    pub default: fn() -> String,
}

impl Setting {
    /// Whether pip's configuration files are read for it, and not only variables.
    ///
    /// Which of these files there are depends on the interpreter, so settings that select the
    /// interpreter cannot come from them.
    pub fn counts_in_files(&self) -> bool {
        ![PYTHON_VERSION.name, PLATFORM.name, IMPLEMENTATION.name, ABI.name].contains(&self.name)
    }

    /// Returns its variables, the strongest first.
    pub fn variables(&self) -> impl Iterator<Item = String> {
        let variable = |prefix: &str, name: &str| format!("{prefix}_{}", name.to_uppercase().replace('-', "_"));
        let pip = self.pip.iter().map(move |name| variable("PIP", name));
        [variable("PREFETCH", self.name)].into_iter().chain(pip).chain(self.uv.iter().map(ToString::to_string))
    }
}

/// The only variable whose list is separated by commas.
pub const UV_FIND_LINKS: &str = "UV_FIND_LINKS";

macro_rules! settings {
    ($($row:ident: $name:literal, $pip:expr, $uv:expr, $typed:expr, $default:expr;)*) => {
        $(pub static $row: Setting = Setting {
            name: $name,
            pip: &$pip,
            uv: &$uv,
            typed: |args| $typed(args),
            default: || $default.to_string(),
        };)*

        /// Every setting, in the order in which they are shown.
        pub static SETTINGS: &[&Setting] = &[$(&$row),*];
    };
}

settings! {
    INDEX_URL: "index-url", ["index-url", "pypi-url"], ["UV_DEFAULT_INDEX", "UV_INDEX_URL"],
        |args: &FetchArgs| args.indexes.index_url.clone(), "";
    EXTRA_INDEX_URL: "extra-index-url", ["extra-index-url"], ["UV_INDEX", "UV_EXTRA_INDEX_URL"],
        |args: &FetchArgs| list(&args.indexes.extra_index_url), "";
    FIND_LINKS: "find-links", ["find-links"], [UV_FIND_LINKS], |args: &FetchArgs| list(&args.indexes.find_links), "";
    NO_INDEX: "no-index", ["no-index"], ["UV_NO_INDEX"], |args: &FetchArgs| switch(args.indexes.no_index), NO;
    IGNORE_ERROR_CODES: "ignore-error-codes", [], [], |args: &FetchArgs| list(&args.indexes.ignore_error_codes), "";
    TRUSTED_HOST: "trusted-host", ["trusted-host"], ["UV_INSECURE_HOST"],
        |args: &FetchArgs| list(&args.indexes.trusted_host), "";
    REQUIREMENT: "requirement", ["requirement"], [], |args: &FetchArgs| list(&args.inputs.requirement_files), "";
    CONSTRAINT: "constraint", ["constraint"], ["UV_CONSTRAINT"],
        |args: &FetchArgs| list(&args.inputs.constraint_files), "";
    DEST: "dest", ["dest", "destination-dir", "destination-directory"], [],
        |args: &FetchArgs| path(args.outputs.dest.as_ref()), "";
    PYTHON_VERSION: "python-version", ["python-version"], [],
        |args: &FetchArgs| list(&args.targets.python_version), "";
    PLATFORM: "platform", ["platform"], [], |args: &FetchArgs| list(&args.targets.platform), "";
    IMPLEMENTATION: "implementation", ["implementation"], [], |args: &FetchArgs| args.targets.implementation.clone(), "";
    ABI: "abi", ["abi"], [], |args: &FetchArgs| args.targets.abi.clone(), "";
    ONLY_BINARY: "only-binary", ["only-binary"], [],
        |args: &FetchArgs| list(&args.selection.formats.only_binary()), "";
    NO_BINARY: "no-binary", ["no-binary"], [], |args: &FetchArgs| list(&args.selection.formats.no_binary()), "";
    PREFER_BINARY: "prefer-binary", ["prefer-binary"], [],
        |args: &FetchArgs| switch(args.selection.prefer_binary), NO;
    PRE: "pre", ["pre"], [], |args: &FetchArgs| switch(args.selection.pre), NO;
    REQUIRE_HASHES: "require-hashes", ["require-hashes"], ["UV_REQUIRE_HASHES"],
        |args: &FetchArgs| switch(args.selection.require_hashes), NO;
    EXCLUDE_NEWER: "exclude-newer", ["uploaded-prior-to"], ["UV_EXCLUDE_NEWER"],
        |args: &FetchArgs| args.selection.exclude_newer.clone(), "";
    NO_DEPS: "no-deps", ["no-deps", "no-dependencies"], [], |args: &FetchArgs| switch(args.selection.no_deps), NO;
    STRICT_METADATA: "strict-metadata", [], [], |args: &FetchArgs| switch(args.selection.strict_metadata), NO;
    FORK_STRATEGY: "fork-strategy", [], ["UV_FORK_STRATEGY"],
        |args: &FetchArgs| args.targets.fork_strategy.map(ForkStrategyArg::name), ForkStrategyArg::PerTarget.name();
    OFFLINE: "offline", [], ["UV_OFFLINE"], |args: &FetchArgs| switch(args.network.offline), NO;
    CACHE_DIR: "cache-dir", [], [], |args: &FetchArgs| path(args.network.cache_dir.as_ref()), "";
    STORE: "store", [], [], |args: &FetchArgs| args.network.store.clone(), "";
    STORE_MODE: "store-mode", [], [],
        |args: &FetchArgs| args.network.store_mode.map(|mode| mode.name().to_owned()), StoreModeArg::ReadWrite.name();
    REFRESH: "refresh", [], [], |args: &FetchArgs| switch(args.network.refresh), NO;
    PREFER_CACHED: "prefer-cached", [], [], |args: &FetchArgs| switch(args.network.prefer_cached), NO;
    JOBS: "jobs", [], ["UV_CONCURRENT_DOWNLOADS"], |args: &FetchArgs| number(args.network.connections.jobs), DEFAULT_JOBS;
    RETRIES: "retries", ["retries"], ["UV_HTTP_RETRIES"], |args: &FetchArgs| number(args.network.connections.retries), DEFAULT_RETRIES;
    TIMEOUT: "timeout", ["timeout", "default-timeout"], ["UV_HTTP_TIMEOUT", "UV_REQUEST_TIMEOUT"],
        |args: &FetchArgs| number(args.network.connections.timeout), DEFAULT_TIMEOUT;
    MAX_FILE_SIZE: "max-file-size", [], [],
        |args: &FetchArgs| number(args.network.connections.max_file_size), DEFAULT_MAX_FILE_SIZE;
    CERT: "cert", ["cert"], [], |args: &FetchArgs| path(args.network.connections.cert.as_ref()), "the platform's";
    CLIENT_CERT: "client-cert", ["client-cert"], ["SSL_CLIENT_CERT"],
        |args: &FetchArgs| path(args.network.connections.client_cert.as_ref()), "";
    PROXY: "proxy", ["proxy"], [], |args: &FetchArgs| args.network.connections.proxy.clone(), "";
    KEYRING_PROVIDER: "keyring-provider", ["keyring-provider"], ["UV_KEYRING_PROVIDER"],
        |args: &FetchArgs| args.network.connections.keyring_provider.clone(), "disabled";
}

const NO: &str = "no";

fn list(typed: &[String]) -> Option<String> {
    (!typed.is_empty()).then(|| typed.join(" "))
}

fn switch(typed: bool) -> Option<String> {
    typed.then(|| "yes".to_owned())
}

fn number(typed: Option<impl ToString>) -> Option<String> {
    typed.map(|number| number.to_string())
}

fn path(typed: Option<&PathBuf>) -> Option<String> {
    typed.map(|path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table has a row for each setting: the option, and its variables.
    #[test]
    fn the_page_on_settings_shows_the_table() {
        let rows = SETTINGS.iter().map(|setting| {
            let variables: Vec<_> = setting.variables().map(|variable| format!("`{variable}`")).collect();
            format!("| `--{}` | {} |\n", setting.name, variables.join(", "))
        });
        let table: String = rows.collect();
        assert!(include_str!("../../../docs/settings.md").contains(&table), "{table}");
    }
}
