//! A project with its lock, as far as its own installer needs it where a bundle is installed.

use super::{MaskedUrl, SelectedGroups};

/// A project whose lock was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedProject {
    /// The format of the lock, such as `uv.lock`.
    pub format: &'static str,
    /// What was taken of its extras and groups.
    pub groups: SelectedGroups,
    /// Whether that is what its tool takes without options.
    pub is_default: bool,
    /// The index that tools ask if they are not told otherwise, if it is known.
    pub default_index: Option<MaskedUrl>,
    /// The lock, then the files of the project that its tool reads beside it.
    pub files: Vec<ProjectFile>,
}

/// A text file of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectFile {
    /// Relative to the folder of the lock, with `/` between its parts.
    pub path: String,
    pub text: String,
}

impl LockedProject {
    /// Returns the text of the file at `path`.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }
}
