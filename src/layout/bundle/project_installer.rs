//! The tools that install a project from a bundle by its own lock.
//!
//! One more tool is a file and a line in [`PROJECT_INSTALLERS`].

mod pdm;
mod pip;
mod pipenv;
mod poetry;
mod relocated_lock;
mod uv;

use super::manifest::{ManifestInstaller, ManifestProject};
use crate::domain::{
    Fetched, FetchedFile, FetchedPackage, LockedProject, MemberSelection, RelPath, RelPathError, SelectedGroups,
};

/// Generated files by their paths in the bundle.
type Pages = Vec<(String, Vec<u8>)>;

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
    /// Composes the files of that folder by their paths in the bundle.
    ///
    /// Fails with the reason where the tool cannot install the project from a bundle.
    files: fn(&LockedProject, &Fetched) -> Result<Pages, String>,
    /// What must be done before the tool runs.
    preparation: Option<Preparation>,
    /// Returns the options that choose what was chosen.
    options: fn(&SelectedGroups) -> Vec<String>,
    /// Returns the variables that it needs.
    variables: fn(&BundleLocation<'_>) -> Vec<(&'static str, String)>,
    /// Returns the command without those options, for a bundle in this folder.
    command: fn(project: &ManifestProject, folder: &str) -> String,
    /// What the command needs besides, in words.
    needs: Option<&'static str>,
    /// Where the bundle has the project's lock, if it does; a tool that reads the project's own takes no
    /// wheel that was built, whose digest that lock does not have.
    lock_path: Option<&'static str>,
}

/// A Python script of a bundle that prepares what the tool needs.
#[derive(Debug)]
pub struct Preparation {
    /// Its path in the bundle.
    script: &'static str,
    /// Returns its argument.
    argument: fn(&BundleLocation<'_>) -> String,
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
pub const PROJECT_INSTALLERS: &[ProjectInstaller] =
    &[uv::INSTALLER, uv::SCRIPT_INSTALLER, pip::INSTALLER, poetry::INSTALLER, pdm::INSTALLER, pipenv::INSTALLER];

/// What a bundle has for the tool of a project.
pub(super) struct ProjectPages {
    pub manifest: ManifestProject,
    /// By their paths in the bundle.
    pub files: Vec<(RelPath, Vec<u8>)>,
}

/// Why the tool of a project cannot install it from a bundle.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{tool} cannot install from the bundle by {lock}: {why}")]
pub struct NotServed {
    pub tool: &'static str,
    pub lock: &'static str,
    pub why: String,
}

/// Composes what the tool of `project` needs; `None` if no tool of its lock is known.
///
/// # Errors
/// When the tool cannot install it from a bundle.
pub(super) fn project_pages(project: &LockedProject, fetched: &Fetched) -> Result<Option<ProjectPages>, NotServed> {
    let installer = PROJECT_INSTALLERS.iter().find(|installer| installer.lock == project.format);
    let Some(installer) = installer else { return Ok(None) };
    let refuse = |why| NotServed { tool: installer.name, lock: installer.lock, why };
    if let Some(wheel) = built_wheels(fetched).next().filter(|_| installer.lock_path.is_none()) {
        return Err(refuse(format!("the lock has no digest of {}, which was built here", wheel.1.link.filename)));
    }
    let files = (installer.files)(project, fetched).map_err(refuse)?.into_iter();
    let files = files.map(|(path, bytes)| Ok((RelPath::new(path)?, bytes))).collect::<Result<_, RelPathError>>();
    let files = files.map_err(|error| refuse(error.to_string()))?;
    let options = if project.is_default { Vec::new() } else { (installer.options)(&project.groups) };
    let mut manifest = ManifestProject {
        lock: project.format.to_owned(),
        dependencies: project.groups.project,
        extras: project.groups.extras.iter().map(ToString::to_string).collect(),
        groups: project.groups.groups.iter().map(ToString::to_string).collect(),
        all_members: project.groups.members == MemberSelection::All,
        members: match &project.groups.members {
            MemberSelection::Root | MemberSelection::All => Vec::new(),
            MemberSelection::Named(members) => members.iter().map(ToString::to_string).collect(),
        },
        options,
        installer: None,
    };
    manifest.installer = installer.for_scripts(&manifest);
    Ok(Some(ProjectPages { manifest, files }))
}

/// Returns the wheels that were built and that targets install.
fn built_wheels(fetched: &Fetched) -> impl Iterator<Item = (&FetchedPackage, &FetchedFile)> {
    let built = fetched.files().filter(|(_, file)| file.built_from.is_some());
    built.filter(|(_, file)| file.targets.iter().any(|target| !file.tools.contains(target)))
}

/// Returns what a bundle of `fetched` says of `project`; `None` if no tool of its lock is known.
///
/// # Errors
/// When its tool cannot install it from the bundle.
pub fn project_of(project: &LockedProject, fetched: &Fetched) -> Result<Option<ManifestProject>, NotServed> {
    Ok(project_pages(project, fetched)?.map(|pages| pages.manifest))
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

    /// Returns the Python script that must have run before the tool, and its argument, for a bundle at
    /// `location`.
    pub fn preparation(&self, location: &BundleLocation<'_>) -> Option<[String; 2]> {
        let Preparation { script, argument } = self.preparation.as_ref()?;
        Some([format!("{}/{script}", location.path), argument(location)])
    }

    /// Returns the folder that it has in a bundle, and what that is.
    pub(super) fn contents(&self) -> Option<(&'static str, &'static str)> {
        self.contents
    }

    /// Returns the command line that installs `project` from the bundle in `folder`.
    pub fn command_line(&self, project: &ManifestProject, folder: &str) -> String {
        let options = project.options.iter().map(|option| format!(" {option}"));
        (self.command)(project, folder) + &options.collect::<String>()
    }

    /// Returns how install scripts run it for `project`; `None` for pip, which they run anyway.
    fn for_scripts(&self, project: &ManifestProject) -> Option<ManifestInstaller> {
        if self.name == pip::INSTALLER.name {
            return None;
        }
        let location = BundleLocation { path: "{bundle}", url: "{url}", project: "{project}" };
        let variables = self.variables(&location).into_iter();
        Some(ManifestInstaller {
            name: self.name.to_owned(),
            command: shlex::split(&self.command_line(project, location.path))?,
            variables: variables.map(|(name, value)| (name.to_owned(), value)).collect(),
            preparation: self.preparation(&location),
        })
    }

    /// Returns what that command line needs, in words.
    pub fn needs(&self) -> Option<&'static str> {
        self.needs
    }

    /// Returns where the bundle has the project's lock, if it does.
    pub fn lock_path(&self) -> Option<&'static str> {
        self.lock_path
    }
}
