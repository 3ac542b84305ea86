//! A requirement or constraint, and the line that it comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Digest, ExtraName, Marker, MaskedUrl, PackageName, RepositoryUrl, SourceFilename, Specifiers, VcsInfo,
    mask_credentials,
};

/// The place where a requirement or an option was written, printed as `requirements.txt:3`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The file as the user named it, a masked URL, or `command line`.
    pub file: Arc<str>,
    /// The line, from 1; 0 for the command line, which has no lines.
    pub line: usize,
}

impl Origin {
    pub fn command_line() -> Self {
        Self { file: "command line".into(), line: 0 }
    }

    /// Returns the origin of a project that is taken itself, beside what it needs.
    pub fn project() -> Self {
        Self { file: "the project itself".into(), line: 0 }
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
    /// The project; `None` for a URL or path that does not state it.
    pub name: Option<PackageName>,
    pub extras: Vec<ExtraName>,
    pub source: Source,
    pub marker: Marker,
    /// The `--hash` options, of which one must match.
    pub hashes: Vec<Digest>,
    /// Whether it is editable (`-e`).
    pub editable: bool,
    /// Whether it is from a constraints file: it bounds a project's version and asks for nothing.
    pub constraint: bool,
    /// The `--config-settings`, with several values for a repeated key.
    pub config_settings: BTreeMap<String, Vec<String>>,
    /// The commit that its archive was packed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vcs_info: Option<Arc<VcsInfo>>,
    pub origin: Origin,
}

/// The source of a requirement's distribution.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Source {
    /// An index, with the allowed versions.
    Index(Specifiers),
    /// One archive by URL, whose fragment (`#sha256=…`) is kept.
    Url(MaskedUrl),
    /// The absolute path of a local wheel or source archive.
    Archive(PathBuf),
    /// The absolute path of a local project folder.
    Project(PathBuf),
    /// A version control URL such as `git+https://…`, kept as text.
    Repository(String),
}

impl Source {
    /// Whether it is a file, a folder or a repository of this machine.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Archive(_) | Self::Project(_) => true,
            Self::Url(url) => url.is_local(),
            Self::Repository(url) => RepositoryUrl::parse(url).is_ok_and(|url| url.is_local()),
            Self::Index(_) => false,
        }
    }
}

impl Requirement {
    /// Makes the requirement of a project, without a marker, digests and options.
    pub fn named(name: PackageName, source: Source, origin: Origin) -> Self {
        Self {
            name: Some(name),
            extras: Vec::new(),
            source,
            marker: Marker::ALWAYS,
            hashes: Vec::new(),
            editable: false,
            constraint: false,
            config_settings: BTreeMap::new(),
            vcs_info: None,
            origin,
        }
    }

    /// Returns the allowed versions on an index; `None` for every other source.
    pub fn specifiers(&self) -> Option<&Specifiers> {
        match &self.source {
            Source::Index(specifiers) => Some(specifiers),
            _ => None,
        }
    }

    /// Adds the project name from the archive's file name if there is no other:
    /// `https://files.example/foo-1.0.tar.gz`.
    ///
    /// The archive's own metadata must agree with it.
    #[must_use]
    pub fn named_by_archive(self) -> Self {
        let name = self.name.or_else(|| project_of_archive(&self.source));
        Self { name, ..self }
    }

    /// Whether it is a source tree, which somebody has to build: an editable, a repository or a
    /// project folder.
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
    /// Writes PEP 508's form with secrets masked, without hashes and options except `-e`; the
    /// alternate form shortens long specifiers.
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
