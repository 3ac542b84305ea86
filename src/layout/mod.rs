//! Layouts: each turns what was fetched into the [`Tree`] that an installer reads, without touching
//! the disk.

mod bundle;
mod checked_tree;
mod download_cache;
mod find_links;
mod held_links;
mod html;
mod legacy_names;
mod pip_http_cache;
mod simple_index;
#[cfg(test)]
mod test_fixtures;

pub use bundle::{
    BUNDLE_ROOT, BundleInput, BundleLocation, License, MANIFEST_PATH, Manifest, ManifestError, ManifestFile,
    ManifestOptions, ManifestPackage, ManifestPage, ManifestProject, ManifestRequest, ManifestRequirement,
    ManifestTarget, ManifestValueError, NotServed, PROJECT_INSTALLERS, PackageGraph, ProjectInstaller,
    ProjectSummaries, REQUIREMENTS_PATH, SBOMS, SIGNATURE_PATH, SUMS_PATH, SbomFormat, Sboms, WHEELS, bundle, bundled,
    overview, pins, project_of, requirements_paths, sums, sums_of,
};
pub use checked_tree::literal_path;
pub use download_cache::DownloadCache;
pub use find_links::FindLinks;
pub use pip_http_cache::{PipHttpCache, index_page};
pub use simple_index::{IndexFile, IndexPages, PageEntry, SimpleIndex, index_tree};

use crate::domain::{Fetched, PackageName, RelPathError, Tree};

/// A folder structure from which pip, uv or an old pip reads distributions.
pub trait Layout: Sync {
    /// Returns the layout's name, as `--layout` takes it; with several layouts, also the name of their
    /// folder.
    fn name(&self) -> &'static str;

    /// Returns a line for `--help` that says who reads it.
    fn summary(&self) -> &'static str;

    /// Whether [`FetchedFile::metadata`](crate::domain::FetchedFile::metadata) must be present for
    /// wheels (PEP 658).
    fn needs_metadata(&self) -> bool {
        false
    }

    /// Whether an installer may write to the files, so that they must not be hard links into the
    /// store.
    fn consumer_writes(&self) -> bool {
        false
    }

    /// Whether the folder may hold files that installers do not read there, such as a requirements
    /// file.
    fn takes_other_files(&self) -> bool {
        true
    }

    /// Returns everything that an installer reads, relative to the folder it is pointed at.
    ///
    /// # Errors
    /// When two different files have the same name, or a name is no valid file name.
    fn tree(&self, fetched: &Fetched) -> Result<Tree, LayoutError>;

    /// Returns the same for a folder that earlier runs wrote to: pages also list their files.
    ///
    /// # Errors
    /// As [`Layout::tree`].
    fn tree_in(&self, fetched: &Fetched, _folder: &dyn HeldFolder) -> Result<Tree, LayoutError> {
        self.tree(fetched)
    }

    /// Whether installers also read this layout from a web server.
    fn is_served(&self) -> bool {
        false
    }

    /// Returns the same as [`Layout::tree_in`] for a folder that a web server shows, which lists no
    /// folders.
    ///
    /// # Errors
    /// As [`Layout::tree`].
    fn served_tree(&self, fetched: &Fetched, folder: &dyn HeldFolder) -> Result<Tree, LayoutError> {
        self.tree_in(fetched, folder)
    }

    /// Returns how pip is pointed at the folder.
    fn usage(&self, location: &UsageLocation<'_>) -> Usage;

    /// Returns a sentence for each file that an installer will not find in this layout.
    fn caveats(&self, _fetched: &Fetched) -> Vec<String> {
        Vec::new()
    }
}

/// A folder as earlier runs left it. Paths are relative, with `/` between their parts.
pub trait HeldFolder {
    /// Returns the bytes of the file at `path`, if it can be read.
    fn read(&self, path: &str) -> Option<Vec<u8>>;

    /// Whether there is a file at `path`.
    fn has_file(&self, path: &str) -> bool;

    /// Returns the names of its subfolders.
    fn folders(&self) -> Vec<String>;
}

/// An empty folder.
pub struct NewFolder;

impl HeldFolder for NewFolder {
    fn read(&self, _path: &str) -> Option<Vec<u8>> {
        None
    }

    fn has_file(&self, _path: &str) -> bool {
        false
    }

    fn folders(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Every layout; `--layout`, its help and its error message read this table.
pub const LAYOUTS: &[&dyn Layout] =
    &[&FindLinks, &SimpleIndex, &DownloadCache, &PipHttpCache::First, &PipHttpCache::Second { has_pages: true }];

/// Returns the layout called `name`.
pub fn find(name: &str) -> Option<&'static dyn Layout> {
    LAYOUTS.iter().copied().find(|layout| layout.name() == name)
}

/// The folder that holds a layout's tree, as path and as URL.
#[derive(Clone, Copy, Debug)]
pub struct UsageLocation<'a> {
    /// The path as the user named it.
    pub path: &'a str,
    /// The absolute `file:` URL, ending in a slash.
    pub url: &'a str,
}

/// The variables and arguments with which `pip install` reads a layout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Environment variables to set.
    pub variables: Vec<(&'static str, String)>,
    /// Arguments of `pip install`, unquoted.
    pub arguments: Vec<String>,
    /// The pip versions for which this works, if not for all.
    pub condition: Option<&'static str>,
}

/// Why a layout cannot represent what was fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    #[error(
        "two different files want to be `{path}`: one from {first}, one from {second}; \
         ask for only one of them, or for each in its own folder"
    )]
    Clash { path: String, first: String, second: String },
    #[error("a file of {project} cannot be written: {source}")]
    Name { project: PackageName, source: RelPathError },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each was tried with real pips (`docs/facts/pip.md` 6.1, `docs/facts/legacy-pip.md` 3).
    #[test]
    fn pip_is_pointed_at_a_folder() {
        let location = UsageLocation { path: "my dest", url: "file:///srv/my%20dest/" };
        let line = |name: &str| {
            let Usage { variables, arguments, .. } = find(name).unwrap().usage(&location);
            let set = variables.iter().map(|(variable, value)| format!("{variable}={value} | "));
            set.collect::<String>() + &arguments.join(" | ")
        };
        assert_eq!(line("find-links"), "--no-index | --find-links | my dest");
        assert_eq!(line("simple"), "--index-url | file:///srv/my%20dest/");
        let expected = "PIP_DOWNLOAD_CACHE=my dest | --no-index | --find-links | file:///srv/my%20dest/links.html";
        assert_eq!(line("download-cache"), expected);
        assert_eq!([line("pip-http"), line("pip-http-v2")], ["PIP_CACHE_DIR=my dest | "; 2]);
    }

    #[test]
    fn layouts_are_found_by_their_own_names() {
        for layout in LAYOUTS {
            assert_eq!(find(layout.name()).unwrap().summary(), layout.summary());
        }
        assert!(find("eggs").is_none());
    }
}
