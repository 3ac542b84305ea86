//! Real installers and a browser as judges, each in a clean environment that has no way to the network.
//!
//! `scripts/setup` installs them. A judge that a machine cannot have makes its tests fail in CI, and
//! say elsewhere that they checked nothing.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::browser::Browser;
use super::index::ServedIndex;
use super::sandbox::files_below;

/// A judge that thinks this long hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// Nobody listens on the discard port, so whatever goes there fails at once.
const CLOSED_PORT: &str = "http://127.0.0.1:9";

/// The judges that `scripts/setup` made.
pub struct Judges {
    folder: PathBuf,
    /// Why a judge cannot be had on this machine.
    missing: BTreeMap<String, String>,
}

/// What of `scripts/setup` is read of its recipe.
#[derive(serde::Deserialize)]
struct Recipe {
    #[serde(default)]
    pips: Vec<String>,
}

/// The judges.
///
/// # Panics
/// If `scripts/setup` has not been run.
pub fn judges() -> &'static Judges {
    static JUDGES: LazyLock<Judges> = LazyLock::new(|| {
        let folder = std::env::var_os("PREFETCH_JUDGES").map_or_else(|| project().join("target/judges"), PathBuf::from);
        assert!(folder.join("recipe.json").exists(), "no judges in {}: run scripts/setup", folder.display());
        let told = std::fs::read(folder.join("missing.json")).unwrap_or_else(|_| b"{}".into());
        Judges { folder, missing: serde_json::from_slice(&told).unwrap() }
    });
    &JUDGES
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where a judge takes distributions from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// `--no-index --find-links`: a folder, a page, or its URL.
    Links(&'a str),
    /// `--index-url`.
    Index(&'a str),
}

impl Source<'_> {
    fn arguments(self) -> Vec<String> {
        match self {
            Self::Links(place) => vec!["--no-index".into(), "--find-links".into(), place.into()],
            Self::Index(url) => vec!["--index-url".into(), url.into()],
        }
    }
}

/// What an installer did.
#[derive(Debug)]
pub struct Verdict {
    pub succeeded: bool,
    /// `name-version` of every installed distribution, sorted.
    pub installed: Vec<String>,
    /// All that it printed.
    pub output: String,
}

impl Verdict {
    /// Passes if exactly these distributions (`name-version`, sorted) were installed.
    #[track_caller]
    pub fn assert_installed<const N: usize>(&self, expected: [&str; N]) {
        assert!(self.succeeded, "the installer failed:\n{}", self.output);
        assert_eq!(self.installed, expected, "{}", self.output);
    }
}

/// Tells that the running test checks nothing here, and why.
pub fn tell_unchecked(why: &str) {
    let test = std::thread::current();
    let told = format!("NOT CHECKED in {}: {why}\n", test.name().unwrap_or_default());
    // Not `eprintln!`, which is heard of failing tests only.
    std::io::stderr().write_all(told.as_bytes()).unwrap();
}

impl Judges {
    /// The newest pip that there was when the judges were set up.
    pub fn pip(&self) -> Pip {
        Pip { python: self.python("current"), release: None }
    }

    /// pip 23.2.1, the older of the two that the facts in `docs/facts/` compare.
    pub fn pip_23_2_1(&self) -> Pip {
        Pip { python: self.python("pip-23.2.1"), release: None }
    }

    pub fn uv(&self) -> Uv {
        Uv { binary: self.bin().join("uv"), python: self.python("current") }
    }

    /// Other releases of pip, 6.1 to the last but few, by their versions.
    pub fn pips_of_every_age(&self) -> Vec<(String, Pip)> {
        let recipe: Recipe = serde_json::from_slice(&std::fs::read(self.folder.join("recipe.json")).unwrap()).unwrap();
        assert!(!recipe.pips.is_empty(), "{} is of another time: run scripts/setup", self.folder.display());
        let releases = recipe.pips.into_iter().map(|version| {
            let folder = self.folder.join("pips").join(&version);
            let python = self.unless_missing(&format!("pip {version}"), &folder.join("version"))?;
            let python = std::fs::read_to_string(python.with_file_name("python")).unwrap();
            Some((version, Pip { python: python.into(), release: Some(folder.join("lib")) }))
        });
        releases.flatten().collect()
    }

    /// pip 1.5.6, the last that reads a download cache; `None` where it cannot run.
    pub fn old_pip(&self) -> Option<OldPip> {
        self.pip_of_old("1.5.6")
    }

    /// One of `OLD_PIPS` in `scripts/setup`; `None` where it cannot run.
    pub fn pip_of_old(&self, version: &'static str) -> Option<OldPip> {
        let work = self.folder.join("old-pip");
        self.unless_missing(&format!("pip {version}"), &work.join(format!("works-{version}")))?;
        let script = project().join("tests/judges/old_pip.py");
        Some(OldPip { version, python: self.python("current"), script, work })
    }

    /// Chromium; `None` where there is none.
    pub fn browser(&self) -> Option<Browser> {
        self.unless_missing("Chromium", &self.folder.join("browser.json")).map(|file| Browser::told_by(&file))
    }

    /// A shell; `None` where there is none.
    pub fn shell(&self, name: &'static str) -> Option<PathBuf> {
        let places =
            ["/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].map(|folder| Path::new(folder).join(name));
        let found = places.iter().find(|path| path.exists()).unwrap_or(&places[0]);
        self.unless_missing(name, found)
    }

    /// The folder with the program of uv, Poetry, PDM or pipenv; `None` where it cannot be had.
    pub fn tool(&self, name: &'static str) -> Option<PathBuf> {
        let environment = if name == "uv" { "current" } else { name };
        let folder = self.folder.join(environment).join("bin");
        self.unless_missing(name, &folder.join(name)).map(|_| folder)
    }

    /// `mark`, which is there once the judge is.
    ///
    /// # Panics
    /// If the judge is missing in CI, or `scripts/setup` was never asked for it.
    fn unless_missing(&self, judge: &str, mark: &Path) -> Option<PathBuf> {
        if mark.exists() {
            return Some(mark.to_owned());
        }
        let why = self.missing.get(judge).unwrap_or_else(|| panic!("{judge} is missing: run scripts/setup"));
        let is_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
        let is_excused =
            std::env::var("PREFETCH_MISSING").is_ok_and(|names| names.split(',').any(|name| name == judge));
        assert!(!is_ci || is_excused, "{judge} is missing: {why}");
        tell_unchecked(&format!("{judge} is missing: {why}"));
        None
    }

    /// A folder for `PATH` with the current Python, pip and uv.
    pub fn bin(&self) -> PathBuf {
        self.folder.join("current/bin")
    }

    /// What a Python script prints that may import the `packaging` library, given `input`.
    pub fn run_python(&self, script: &str, input: &str) -> String {
        let mut command = isolated(self.python("current"), TempDir::new().unwrap().path());
        let output = command.args(["-c", script]).write_stdin(input).output().unwrap();
        assert!(output.status.success(), "{}", everything(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What `tests/judges/sbom.py` finds wrong, a fault on each line.
    pub fn sbom_faults(&self, arguments: impl IntoIterator<Item = String>, input: &str) -> String {
        self.faults("sbom", "sbom.py", arguments, input)
    }

    /// What `tests/judges/power_shell.py` finds wrong with a script, a fault on each line.
    pub fn power_shell_faults(&self, script: &Path) -> String {
        self.faults("power-shell", "power_shell.py", [script.display().to_string()], "")
    }

    fn faults(
        &self,
        environment: &str,
        judge: &str,
        arguments: impl IntoIterator<Item = String>,
        input: &str,
    ) -> String {
        let mut command = isolated(self.python(environment), TempDir::new().unwrap().path());
        command.arg(project().join("tests/judges").join(judge)).args(arguments);
        let output = command.write_stdin(input).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)) && output.stderr.is_empty(), "{}", everything(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(super) fn python(&self, environment: &str) -> PathBuf {
        self.folder.join(environment).join("bin/python")
    }
}

/// A command that inherits nothing and reaches no network but this machine's.
fn isolated(program: impl AsRef<OsStr>, home: &Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(program);
    command.env_clear().timeout(PATIENCE).env("PATH", "/usr/bin:/bin").env("HOME", home).env("LANG", "C.UTF-8");
    command.env("PIP_CONFIG_FILE", "/dev/null").env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("UV_NO_CONFIG", "1");
    for variable in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(variable, CLOSED_PORT);
    }
    command.env("no_proxy", "127.0.0.1,localhost");
    command
}

fn everything(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs an installer whose last arguments are `--target FOLDER`, and looks into the folder.
fn install(mut command: assert_cmd::Command, target: &Path) -> Verdict {
    let output = command.arg("--target").arg(target).output().unwrap();
    let installed = files_below(target).into_iter().filter_map(|path| {
        let (distribution, _) = path.split_once(".dist-info/METADATA")?;
        Some(distribution.to_owned())
    });
    Verdict { succeeded: output.status.success(), installed: installed.collect(), output: everything(&output) }
}

/// A pip in its own virtual environment, or an unpacked release of it.
pub struct Pip {
    python: PathBuf,
    /// The folder of the release; without what builds source archives.
    release: Option<PathBuf>,
}

impl Pip {
    /// Installs `requirements` (other arguments too, `-r FILE` say) from `source` alone.
    pub fn install<S: AsRef<OsStr>>(&self, source: Source<'_>, requirements: impl IntoIterator<Item = S>) -> Verdict {
        let home = TempDir::new().unwrap();
        let mut command = self.command(home.path(), source);
        command.arg("--no-compile").args(requirements);
        if self.release.is_none() {
            command.arg("--no-build-isolation");
        }
        install(command, &home.path().join("target"))
    }

    /// Installs `requirements` from `index` with `cache` as its cache folder, once: what fails is
    /// not tried again.
    pub fn install_with_cache<S: AsRef<OsStr>>(
        &self,
        index: &ServedIndex,
        cache: &Path,
        requirements: impl IntoIterator<Item = S>,
    ) -> Verdict {
        let home = TempDir::new().unwrap();
        let authority = home.path().join("authority.pem");
        std::fs::write(&authority, index.authority().expect("pip caches answers of encrypted servers only")).unwrap();
        let mut command = isolated(&self.python, home.path());
        command.args(["-m", "pip", "install", "--no-input", "--retries", "0", "--no-compile", "--no-build-isolation"]);
        command
            .arg("--cache-dir")
            .arg(cache)
            .arg("--cert")
            .arg(authority)
            .args(Source::Index(&index.url()).arguments());
        command.args(requirements).current_dir(home.path());
        install(command, &home.path().join("target"))
    }

    /// The file names that pip would take for `requirements`, sorted; what it printed if it failed.
    pub fn choose<S: AsRef<OsStr>>(
        &self,
        source: Source<'_>,
        requirements: impl IntoIterator<Item = S>,
    ) -> Result<Vec<String>, String> {
        let home = TempDir::new().unwrap();
        let mut command = self.command(home.path(), source);
        command.args(["--dry-run", "--ignore-installed", "--no-build-isolation", "--quiet", "--report", "-"]);
        let output = command.args(requirements).output().unwrap();
        if !output.status.success() {
            return Err(everything(&output));
        }
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let urls =
            report["install"].as_array().unwrap().iter().map(|item| item["download_info"]["url"].as_str().unwrap());
        let mut names: Vec<_> = urls.map(|url| url.rsplit('/').next().unwrap().to_owned()).collect();
        names.sort();
        Ok(names)
    }

    fn command(&self, home: &Path, source: Source<'_>) -> assert_cmd::Command {
        let mut command = isolated(&self.python, home);
        if let Some(release) = &self.release {
            command.env("PYTHONPATH", release);
        }
        command.args(["-m", "pip", "install", "--no-cache-dir", "--no-input", "--retries", "0"]);
        command.args(source.arguments()).current_dir(home);
        command
    }
}

/// uv, with the current Python.
pub struct Uv {
    binary: PathBuf,
    python: PathBuf,
}

impl Uv {
    /// Installs `requirements` from `source` alone: offline unless that is an index.
    pub fn install<S: AsRef<OsStr>>(&self, source: Source<'_>, requirements: impl IntoIterator<Item = S>) -> Verdict {
        let home = TempDir::new().unwrap();
        let mut command = isolated(&self.binary, home.path());
        command.args(["pip", "install", "--no-cache", "--no-build-isolation", "--python"]).arg(&self.python);
        if let Source::Links(_) = source {
            command.arg("--offline");
        }
        command.args(source.arguments()).args(requirements).current_dir(home.path());
        install(command, &home.path().join("target"))
    }
}

/// An old pip behind a proxy that refuses every archive: what it installs came from where it was told.
pub struct OldPip {
    version: &'static str,
    python: PathBuf,
    script: PathBuf,
    work: PathBuf,
}

/// What became of a run of an old pip.
#[derive(Debug)]
pub struct OldVerdict {
    /// Whether every artifact came out of the cache, or the links where no cache was given.
    pub is_offline: bool,
    /// What `old_pip.py` reports: `hits`, `refused`, `requirements_fetched`, `pip_output_tail` …
    pub report: Value,
}

impl OldPip {
    /// Installs `requirements` with `cache` as its download cache.
    pub fn install(&self, cache: Option<&Path>, source: Source<'_>, requirements: &[&str]) -> OldVerdict {
        let mut command = assert_cmd::Command::new(&self.python);
        command.timeout(PATIENCE).arg(&self.script).arg("--work").arg(&self.work).args(["--pip", self.version]);
        if let Some(cache) = cache {
            command.arg("--cache").arg(cache);
        }
        match source {
            Source::Links(place) => command.args(["--links", place]),
            Source::Index(url) => command.args(["--index", url]),
        };
        let output = command.args(requirements).output().unwrap();
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", everything(&output)));
        OldVerdict { is_offline: output.status.code() == Some(0), report }
    }
}
