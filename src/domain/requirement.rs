//! One thing that was asked for, and the line that asked.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Digest, ExtraName, Marker, MaskedUrl, PackageName, SourceFilename, Specifiers, VcsInfo, mask_credentials};

/// Where a requirement or an option was written, printed `requirements.txt:3`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The file as the user would name it, a masked URL, or `command line`.
    pub file: Arc<str>,
    /// From 1; 0 where there are no lines (the command line).
    pub line: usize,
}

impl Origin {
    pub fn command_line() -> Self {
        Self { file: "command line".into(), line: 0 }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// A requirement or constraint as it was written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Requirement {
    /// Absent for a URL or path that does not tell its project.
    pub name: Option<PackageName>,
    pub extras: Vec<ExtraName>,
    pub source: Source,
    pub marker: Marker,
    /// `--hash` options: any one of them must hold.
    pub hashes: Vec<Digest>,
    /// `-e`.
    pub editable: bool,
    /// From a constraints file: it bounds a project and asks for nothing.
    pub constraint: bool,
    /// `--config-settings`, several values for a repeated key.
    pub config_settings: BTreeMap<String, Vec<String>>,
    /// The commit that its archive was packed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vcs_info: Option<Arc<VcsInfo>>,
    pub origin: Origin,
}

/// Where a requirement says that its distribution comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Source {
    /// An index, within these versions.
    Index(Specifiers),
    /// One archive by URL; its fragment (`#sha256=…`) is kept.
    Url(MaskedUrl),
    /// A local wheel or source archive, absolute.
    Archive(PathBuf),
    /// A local project folder, absolute.
    Project(PathBuf),
    /// A version control URL such as `git+https://…`, which stays text.
    Repository(String),
}

impl Requirement {
    /// The versions asked of an index; `None` for every other source.
    pub fn specifiers(&self) -> Option<&Specifiers> {
        match &self.source {
            Source::Index(specifiers) => Some(specifiers),
            _ => None,
        }
    }

    /// The same with the project that its archive's file name tells, where nothing else does:
    /// `https://files.example/foo-1.0.tar.gz`. What the archive says of itself is held against that.
    #[must_use]
    pub fn named_by_archive(self) -> Self {
        let name = self.name.or_else(|| project_of_archive(&self.source));
        Self { name, ..self }
    }

    /// Whether it names a tree of sources that somebody has to build: an editable, a repository or
    /// a project folder.
    pub fn is_source_tree(&self) -> bool {
        self.editable || matches!(self.source, Source::Project(_) | Source::Repository(_))
    }
}

fn project_of_archive(source: &Source) -> Option<PackageName> {
    let filename = match source {
        Source::Url(url) => url.filename(),
        Source::Archive(path) => path.file_name()?.to_str()?.to_owned(),
        Source::Index(_) | Source::Project(_) | Source::Repository(_) => return None,
    };
    SourceFilename::guess(&filename).ok().map(|archive| archive.name)
}

impl fmt::Display for Requirement {
    /// The requirement in PEP 508's form, secrets masked, without hashes and options but `-e`; the
    /// alternate form is brief where that is long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.editable { "-e " } else { "" })?;
        let extras: Vec<_> = self.extras.iter().map(ToString::to_string).collect();
        let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
        let at = match &self.name {
            Some(name) => {
                write!(f, "{name}{extras}")?;
                " @ "
            }
            None => "",
        };
        match &self.source {
            Source::Index(specifiers) if f.alternate() => write!(f, "{specifiers:#}")?,
            Source::Index(specifiers) => write!(f, "{specifiers}")?,
            Source::Url(url) => write!(f, "{at}{url}")?,
            Source::Archive(path) | Source::Project(path) => write!(f, "{at}{}", path.display())?,
            Source::Repository(url) => write!(f, "{at}{}", mask_credentials(url))?,
        }
        f.write_str(if self.name.is_none() { &extras } else { "" })?;
        write!(f, "{}", self.marker)
    }
}
