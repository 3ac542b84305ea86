//! Parses inputs into requirements, in the formats that projects use.
//!
//! Pure: files, standard input, URLs, environment variables and the kinds of local paths come from
//! an [`InputSource`]. Nothing here knows of HTTP, of an index, or of which version is chosen.

mod dependency_groups;
#[cfg(test)]
mod fake_source;
mod flat_lock;
mod foreign_formats;
mod freshness;
mod index_url;
mod location;
#[cfg(test)]
mod lock_tests;
mod locking;
mod parse_report;
mod pdm_lock;
mod pep723_script;
mod pipfile_lock;
mod pixi_lock;
mod poetry_dependency;
mod poetry_lock;
mod problem;
mod project_dependencies;
mod project_indexes;
mod pylock_toml;
mod pyproject_toml;
mod remote_input;
mod requirements_txt;
mod selected_dependencies;
mod setup_cfg;
mod text_file;
mod unfetchable;
mod uv_lock;
mod uv_sources;
mod uv_workspace;
mod version_range;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::{
    ExtraName, GroupSelection, IndexOptions, Lock, LockedPackage, LockedProject, Origin, Requirement, SelectedGroups,
};
use remote_input::RemoteInput;

pub use foreign_formats::conversion_hint;
pub use index_url::with_credentials;
pub use location::Location;
use location::normalize;
pub use parse_report::{ParseReport, parse_report};
pub use problem::{Problem, Severity};
pub use unfetchable::unfetchable;
pub use uv_workspace::Workspace;
pub use version_range::VersionRange;

/// The size limit of an input file in bytes, a thousand times the size of a large lock file.
pub const LARGEST_FILE: usize = 16 << 20;

/// A format of requirements.
pub struct Format {
    pub name: &'static str,
    /// Whether a file of this name (the last part of its path or URL) has this format.
    pub recognizes: fn(&str) -> bool,
    /// The name of a project's file in this format; empty if there is none.
    pub project_file: &'static str,
    read: fn(&mut RequirementsReader<'_>, &Location, Role),
}

/// Every format.
///
/// The first that recognizes a file's name reads it, and in a project with several files the first
/// format is used: locks before files without exact versions, and pixi's lock last, which has
/// mostly conda packages.
pub const FORMATS: &[Format] = &[
    Format { name: "uv.lock", recognizes: uv_lock::recognizes, project_file: "uv.lock", read: uv_lock::read },
    Format {
        name: "script.py.lock",
        recognizes: uv_lock::recognizes_script,
        project_file: "",
        read: uv_lock::read_script,
    },
    Format {
        name: "pylock.toml",
        recognizes: pylock_toml::recognizes,
        project_file: "pylock.toml",
        read: pylock_toml::read,
    },
    Format {
        name: "poetry.lock",
        recognizes: poetry_lock::recognizes,
        project_file: "poetry.lock",
        read: poetry_lock::read,
    },
    Format { name: "pdm.lock", recognizes: pdm_lock::recognizes, project_file: "pdm.lock", read: pdm_lock::read },
    Format {
        name: "Pipfile.lock",
        recognizes: pipfile_lock::recognizes,
        project_file: "Pipfile.lock",
        read: pipfile_lock::read,
    },
    Format { name: "script", recognizes: pep723_script::recognizes, project_file: "", read: pep723_script::read },
    Format {
        name: "requirements.txt",
        recognizes: requirements_txt::recognizes,
        project_file: "requirements.txt",
        read: requirements_txt::read,
    },
    Format {
        name: "pyproject.toml",
        recognizes: pyproject_toml::recognizes,
        project_file: "pyproject.toml",
        read: pyproject_toml::read,
    },
    Format { name: "setup.cfg", recognizes: setup_cfg::recognizes, project_file: "setup.cfg", read: setup_cfg::read },
    Format { name: "pixi.lock", recognizes: pixi_lock::recognizes, project_file: "pixi.lock", read: pixi_lock::read },
];

/// Returns the format of a file of this name.
pub fn format_of(filename: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| (format.recognizes)(filename))
}

/// Whether the file at `path` is read as a requirements file, by its name.
pub fn is_requirements_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format_of(&name).is_none_or(|format| format.name == "requirements.txt")
}

/// Returns the files that a folder's project can be read from, the preferred one first.
pub fn project_files(exists: impl Fn(&str) -> bool) -> Vec<&'static str> {
    FORMATS.iter().map(|format| format.project_file).filter(|name| !name.is_empty() && exists(name)).collect()
}

/// Whether the lines of a file are requirements or constraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Requirements, which ask for distributions (`-r`).
    Requirements,
    /// Constraints, which bound the versions of what others ask for (`-c`).
    Constraints,
}

/// The source of input: files, URLs, variables and the kinds of local paths.
pub trait InputSource {
    /// Returns the content of a file, of standard input, or of a URL.
    ///
    /// It may stop reading after more than [`LARGEST_FILE`] bytes.
    ///
    /// # Errors
    /// When it cannot be read; the error says why, such as `No such file or directory`.
    fn load(&self, location: &Location) -> Result<LoadedFile, String>;

    /// Returns an environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// Returns what is at an absolute path.
    fn path_kind(&self, path: &Path) -> PathKind;

    /// Returns the absolute folder that relative paths start from.
    fn working_folder(&self) -> &Path;
}

/// The content that [`InputSource::load`] returns.
#[derive(Clone, Debug, Default)]
pub struct LoadedFile {
    pub bytes: Vec<u8>,
    /// The `Content-Type` of a URL's response, which decides the encoding.
    pub content_type: Option<String>,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    Missing,
    File,
    Folder {
        /// Whether it has a `pyproject.toml` or a `setup.py`.
        is_project: bool,
    },
}

/// The requirements, options and problems of everything that was read, in order.
#[derive(Clone, Debug, Default)]
pub struct ParsedInput {
    /// The requirements, including constraints, which are marked as such.
    pub requirements: Vec<Requirement>,
    /// The options of all files, merged.
    pub options: IndexOptions,
    /// The Python versions that the projects among the inputs require, and where they say so.
    pub requires_python: Vec<(VersionRange, Origin)>,
    /// The projects among the inputs of which more is taken than some groups.
    pub projects: Vec<ProjectInput>,
    /// The lock file, which is the whole answer if there is one.
    pub lock: Option<LockInput>,
    /// Whether an input has, or might have, extras or dependency groups to choose from.
    pub has_groups: bool,
    pub problems: Vec<Problem>,
}

/// A project among the inputs, by its lock or its own file.
#[derive(Clone, Debug)]
pub struct ProjectInput {
    /// The absolute path of its folder.
    pub folder: PathBuf,
    /// The extras that are requested of it.
    pub extras: BTreeSet<ExtraName>,
    pub origin: Origin,
}

/// A lock file, with what is selected from it.
#[derive(Clone, Debug)]
pub struct LockInput {
    /// The name of its [`Format`].
    pub format: &'static str,
    /// The file as the user would name it.
    pub name: String,
    pub lock: Arc<dyn Lock>,
    pub groups: SelectedGroups,
    /// The project with the texts that its own installer reads.
    pub project: Arc<LockedProject>,
}

impl LockInput {
    /// Whether an index must be asked for the URLs of files.
    pub fn needs_index(&self) -> bool {
        self.lock.packages().iter().any(LockedPackage::needs_index)
    }
}

impl ParsedInput {
    /// Whether there is an error, after which nothing may be fetched.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Whether every file needs a hash: by an option, or since any line has one, whether it is a
    /// constraint or its marker holds or not (`docs/facts/pip.md` 2.2).
    pub fn requires_hashes(&self) -> bool {
        let has_hashes = self.requirements.iter().any(|requirement| !requirement.hashes.is_empty());
        !self.options.no_require_hashes && (self.options.require_hashes || has_hashes)
    }

    /// Returns a problem for each requirement that cannot be fetched: by FTP, or from a repository
    /// of another system than git.
    ///
    /// Constraints ask for nothing and have none, and a line with another error is left out.
    pub fn unfetchable(&self) -> Vec<Problem> {
        let is_wrong = |origin: &Origin| {
            self.problems.iter().any(|problem| problem.severity == Severity::Error && problem.origin == *origin)
        };
        let asked = self.requirements.iter().filter(|requirement| !requirement.constraint);
        asked.filter(|requirement| !is_wrong(&requirement.origin)).filter_map(unfetchable).collect()
    }
}

/// Reads files and arguments one after another, and merges their options.
pub struct RequirementsReader<'w> {
    input_source: &'w dyn InputSource,
    /// The extras and groups that are requested of projects.
    groups: GroupSelection,
    /// The requirements files that were read, each once in a role however many include it.
    files: Vec<(Location, Role)>,
    parsed: ParsedInput,
}

impl<'w> RequirementsReader<'w> {
    pub fn new(input_source: &'w dyn InputSource) -> Self {
        let (groups, files, parsed) = (GroupSelection::default(), Vec::new(), ParsedInput::default());
        Self { input_source, groups, files, parsed }
    }

    /// Notes that a file is read in a role; returns `false` if it was before.
    fn note_file(&mut self, identity: &Location, role: Role) -> bool {
        let file = (identity.clone(), role);
        let is_new = !self.files.contains(&file);
        self.files.extend(is_new.then_some(file));
        is_new
    }

    /// Requests these extras and groups of the projects that are read.
    #[must_use]
    pub fn with_groups(self, groups: GroupSelection) -> Self {
        Self { groups, ..self }
    }

    /// Reads a file in the format by its name, with everything that it includes.
    pub fn file(&mut self, location: &Location, role: Role) {
        let name = location.filename();
        match format_of(&name) {
            Some(format) if location.is_remote() => self.remote_file(format, location, role),
            Some(format) => (format.read)(self, location, role),
            None => self.parsed.problems.push(unknown_format(location)),
        }
    }

    /// Reads a file from the network, whatever its format.
    fn remote_file(&mut self, format: &Format, location: &Location, role: Role) {
        let input_source = RemoteInput(self.input_source);
        let (files, parsed) = (std::mem::take(&mut self.files), std::mem::take(&mut self.parsed));
        let known = parsed.requirements.len();
        let mut reader = RequirementsReader { input_source: &input_source, groups: self.groups.clone(), files, parsed };
        (format.read)(&mut reader, location, role);
        (self.files, self.parsed) = (reader.files, reader.parsed);
        remote_input::refuse_local(&mut self.parsed, known);
    }

    /// Reads a requirement from the command line; as in pip it cannot have options.
    pub fn argument(&mut self, text: &str) {
        requirements_txt::read_argument(self, text);
    }

    /// Records the project of the file at `location`, unless only some of its groups are taken.
    fn note_project(&mut self, location: &Location, groups: &SelectedGroups) {
        let folder = location.folder(self.input_source.working_folder()).filter(|_| groups.project);
        self.parsed.projects.extend(folder.map(|folder| ProjectInput {
            folder: normalize(&folder),
            extras: groups.extras.clone(),
            origin: location.origin(0),
        }));
    }

    /// Returns the uv workspace that the working folder is a member of, if that has a lock.
    pub fn workspace(&self) -> Option<Workspace> {
        uv_workspace::of_member(self.input_source.working_folder(), self.input_source)
    }

    /// Returns what was read so far.
    pub fn so_far(&self) -> &ParsedInput {
        &self.parsed
    }

    pub fn finish(self) -> ParsedInput {
        self.parsed
    }
}

/// Reads one file with everything that it includes.
pub fn read(location: &Location, role: Role, input_source: &dyn InputSource) -> ParsedInput {
    let mut reader = RequirementsReader::new(input_source);
    reader.file(location, role);
    reader.finish()
}

fn unknown_format(location: &Location) -> Problem {
    let way = conversion_hint(&location.filename()).unwrap_or("a tool that knows it");
    Problem::error(location.origin(0), foreign_formats::not_read(way))
}
