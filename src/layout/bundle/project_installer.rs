//! The tools that install a project from a bundle by its own lock.
//!
//! One more tool is a file and a line in [`PROJECT_INSTALLERS`].

mod pdm;
mod pipenv;
mod uv;

use super::manifest::ManifestProject;
use crate::domain::{Fetched, LockedProject, RelPath, SelectedGroups};

/// Texts of files by their paths in the bundle.
type FileTexts = Vec<(String, String)>;

/// A tool that owns a format of locks.
#[derive(Debug)]
pub struct ProjectInstaller {
    /// What `prefetch env --for` calls it.
    pub name: &'static str,
    /// The format of its locks.
    pub lock: &'static str,
    /// What the bundle has for it beside the wheels, for the list in `README.txt`: a folder and what
    /// it is; absent where the wheels are enough.
    contents: Option<(&'static str, &'static str)>,
    /// Composes the files of that folder by their paths in the bundle; absent where the tool cannot
    /// install the project from a bundle.
    files: fn(&LockedProject, &Fetched) -> Option<FileTexts>,
    /// Returns the options that choose what was chosen.
    options: fn(&SelectedGroups) -> Vec<String>,
    /// Returns the variables that it needs.
    variables: fn(&BundleLocation<'_>) -> Vec<(&'static str, String)>,
    /// Returns the command without those options, where the placeholder stands for the bundle.
    command: fn(folder: &str) -> String,
    /// What the command needs besides, in words.
    needs: &'static str,
}

/// Where a bundle was unpacked.
#[derive(Clone, Copy, Debug)]
pub struct BundleLocation<'a> {
    /// The absolute path of its folder.
    pub path: &'a str,
    /// The folder as a URL, ending in a slash.
    pub url: &'a str,
    /// The absolute path of the folder in which the tool is run: the project's.
    pub project: &'a str,
}

/// Every tool there is.
pub const PROJECT_INSTALLERS: &[ProjectInstaller] = &[uv::INSTALLER, pdm::INSTALLER, pipenv::INSTALLER];

/// What a bundle has for the tool of a project.
pub(super) struct ProjectPages {
    pub manifest: ManifestProject,
    /// By their paths in the bundle.
    pub files: Vec<(RelPath, String)>,
}

/// Composes what the tool of `project` needs; absent where no tool installs it from a bundle.
pub(super) fn project_pages(project: &LockedProject, fetched: &Fetched) -> Option<ProjectPages> {
    let installer = PROJECT_INSTALLERS.iter().find(|installer| installer.lock == project.format)?;
    let files = (installer.files)(project, fetched)?.into_iter();
    let files = files.map(|(path, text)| Some((RelPath::new(path).ok()?, text))).collect::<Option<_>>()?;
    let options = if project.is_default { Vec::new() } else { (installer.options)(&project.groups) };
    let manifest = ManifestProject {
        lock: project.format.to_owned(),
        dependencies: project.groups.project,
        extras: project.groups.extras.iter().map(ToString::to_string).collect(),
        groups: project.groups.groups.iter().map(ToString::to_string).collect(),
        options,
    };
    Some(ProjectPages { manifest, files })
}

/// Returns what a bundle of `fetched` says of `project`; absent where no tool installs it from there.
pub fn project_of(project: &LockedProject, fetched: &Fetched) -> Option<ManifestProject> {
    project_pages(project, fetched).map(|pages| pages.manifest)
}

impl ProjectInstaller {
    /// Returns the tool that installs the project of a manifest.
    pub fn of(project: &ManifestProject) -> Option<&'static Self> {
        PROJECT_INSTALLERS.iter().find(|installer| installer.lock == project.lock)
    }

    /// Returns the variables that it needs for a bundle at `location`.
    pub fn variables(&self, location: &BundleLocation<'_>) -> Vec<(&'static str, String)> {
        (self.variables)(location)
    }

    /// Returns the folder that it has in a bundle, and what that is.
    pub(super) fn contents(&self) -> Option<(&'static str, &'static str)> {
        self.contents
    }

    /// Returns the command line that installs `project` from the bundle in `folder`.
    pub fn command_line(&self, project: &ManifestProject, folder: &str) -> String {
        let options = project.options.iter().map(|option| format!(" {option}"));
        (self.command)(folder) + &options.collect::<String>()
    }

    /// Returns what that command line needs, in words.
    pub fn needs(&self) -> &'static str {
        self.needs
    }
}
