//! Gets a source archive's metadata by running its build (PEP 517), which runs the package's code.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::{Interpreter, Pip};
use crate::domain::{CoreMetadata, HasRemedy, MetadataSource, Remedy, Version};

/// An interpreter's pip, which builds in an environment of its own (PEP 517, PEP 518).
#[derive(Clone, Debug)]
pub struct BuildFrontEnd {
    python: PathBuf,
    variables: Vec<(&'static str, OsString)>,
}

/// The first pip that reports what it would install without installing it.
const OLDEST_PIP: [u64; 2] = [22, 2];

/// Variables of pip that must not affect a build: the archive is checked already, and the build is
/// isolated.
const FOREIGN_VARIABLES: [&str; 6] = [
    "PIP_CONSTRAINT",
    "PIP_NO_BUILD_ISOLATION",
    "PIP_ONLY_BINARY",
    "PIP_REQUIRE_HASHES",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_TARGET",
];

/// The number of last lines of a build's output that an error shows.
const LAST_WORDS: usize = 12;

impl BuildFrontEnd {
    /// Makes the front end of `interpreter`, whose pip gets `variables` with the indexes for build
    /// requirements, and reads no configuration file.
    ///
    /// # Errors
    /// When the interpreter has no pip of its own that is new enough.
    pub fn new(
        interpreter: &Interpreter,
        pip: Option<&Pip>,
        variables: Vec<(&'static str, OsString)>,
    ) -> Result<Self, BuildError> {
        let python = interpreter.executable.clone();
        let pip = pip.filter(|pip| pip.is_own).ok_or_else(|| BuildError::NoPip { python: python.clone() })?;
        let is_new = pip.version.parse::<Version>().is_ok_and(|version| *version.release() >= OLDEST_PIP[..]);
        if is_new {
            Ok(Self { python, variables })
        } else {
            Err(BuildError::OldPip { python, version: pip.version.clone() })
        }
    }

    /// Returns the core metadata that the build of `source` makes, an archive or a project folder;
    /// temporary files go to `folder`.
    ///
    /// # Errors
    /// When the build fails; the error has its last lines.
    pub fn metadata(&self, source: &Path, folder: &Path) -> Result<CoreMetadata, BuildError> {
        let report = folder.join("report.json");
        let output = self.command(source, &report, folder).output();
        let output = output.map_err(|source| BuildError::CannotRun { python: self.python.clone(), source })?;
        if !output.status.success() {
            return Err(BuildError::Failed { said: last_words(&String::from_utf8_lossy(&output.stderr)) });
        }
        let answer = fs::read(report).map_err(|why| BuildError::Answer(why.to_string()))?;
        read(&answer)
    }

    fn command(&self, source: &Path, report: &Path, folder: &Path) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps"]);
        // The archive may be for another Python than the one that builds.
        command.args(["--ignore-requires-python", "--no-input", "--disable-pip-version-check", "--quiet"]);
        command.arg("--report").arg(report).arg(source);
        command.current_dir(folder).stdin(Stdio::null());
        for variable in FOREIGN_VARIABLES {
            command.env_remove(variable);
        }
        let no_file = if cfg!(windows) { "nul" } else { "/dev/null" };
        command.env("PIP_CONFIG_FILE", no_file).envs(self.variables.iter().cloned());
        command
    }
}

/// pip's installation report, as far as it is needed.
#[derive(Deserialize)]
struct Report {
    install: Vec<Installation>,
}

#[derive(Deserialize)]
struct Installation {
    metadata: Fields,
}

/// Core metadata as JSON (PEP 566).
#[derive(Deserialize)]
struct Fields {
    metadata_version: String,
    name: String,
    version: String,
    requires_python: Option<String>,
    #[serde(default)]
    requires_dist: Vec<String>,
    #[serde(default)]
    provides_extra: Vec<String>,
}

fn read(report: &[u8]) -> Result<CoreMetadata, BuildError> {
    let report: Report = serde_json::from_slice(report).map_err(|why| BuildError::Answer(why.to_string()))?;
    let [Installation { metadata }] = <[_; 1]>::try_from(report.install)
        .map_err(|all| BuildError::Answer(format!("it reports {} distributions instead of one", all.len())))?;
    Ok(CoreMetadata {
        metadata_version: metadata.metadata_version,
        name: metadata.name,
        version: metadata.version,
        requires_python: metadata.requires_python,
        requires_dist: metadata.requires_dist,
        provides_extra: metadata.provides_extra,
        dynamic: Vec::new(),
        source: MetadataSource::Built,
    })
}

fn last_words(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LAST_WORDS)..];
    last.iter().map(|line| format!("\n  {line}")).collect()
}

/// Why a build returned no metadata.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("a build needs pip in the environment of {}", python.display())]
    NoPip { python: PathBuf },
    #[error("a build needs pip 22.2 or newer, and {} has {version}", python.display())]
    OldPip { python: PathBuf, version: String },
    #[error("could not run {}: {source}", python.display())]
    CannotRun { python: PathBuf, source: io::Error },
    #[error("its build failed; its last words:{said}")]
    Failed { said: String },
    #[error("pip's report of its build cannot be used: {0}")]
    Answer(String),
    #[error("no place to build in: {0}")]
    Folder(#[from] io::Error),
}

impl HasRemedy for BuildError {
    fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::NoPip { .. } => Some(Remedy::InstallPip),
            Self::OldPip { .. } => Some(Remedy::UpgradePip),
            Self::CannotRun { .. } => Some(Remedy::NameOtherPython),
            Self::Failed { .. } | Self::Answer(_) | Self::Folder(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_pip_is_read() {
        let report = br#"{"version": "1", "install": [{"download_info": {}, "metadata": {"metadata_version": "2.4",
            "name": "Demo", "version": "1.0", "requires_dist": ["other>=1"], "requires_python": ">=3.8"}}]}"#;
        let metadata = read(report).unwrap();
        assert_eq!((metadata.name.as_str(), metadata.version.as_str()), ("Demo", "1.0"));
        assert_eq!(
            (metadata.requires_dist, metadata.requires_python.as_deref()),
            (vec!["other>=1".into()], Some(">=3.8"))
        );
        assert!(read(br#"{"install": []}"#).unwrap_err().to_string().contains("0 distributions"));
        assert!(read(b"pip 22.2").is_err());
    }

    #[test]
    fn an_error_shows_the_end_of_what_was_said() {
        let said: String = (0..20).map(|line| format!("line {line}\n\n")).collect();
        let words = last_words(&said);
        assert!(words.starts_with("\n  line 8\n") && words.ends_with("line 19"), "{words}");
    }
}
