//! The error for a file whose metadata contradicts its index.

use crate::domain::{FileLink, MaskedUrl, ResolutionMetadata};

/// The error for a file that has other dependencies than its index stated.
#[derive(Debug, thiserror::Error)]
#[error(
    "it needs {own}, and its index {index} says that it needs {claimed}: what the file says counts, so run again to \
     resolve with that, or ask the index's owner"
)]
pub struct InconsistentMetadata {
    index: MaskedUrl,
    own: String,
    claimed: String,
}

impl InconsistentMetadata {
    /// Makes the error for the file of `link`, which has the dependencies `own`.
    pub(super) fn new(link: &FileLink, own: &ResolutionMetadata, claimed: &ResolutionMetadata) -> Self {
        let index = MaskedUrl::clone(&link.index);
        Self { index, own: only_in(own, claimed), claimed: only_in(claimed, own) }
    }
}

/// Returns the dependencies that `one` has and `other` does not have.
fn only_in(one: &ResolutionMetadata, other: &ResolutionMetadata) -> String {
    let dependencies = one.dependencies.iter().filter(|dependency| !other.dependencies.contains(dependency));
    let lines = one.unreadable.iter().filter(|line| !other.unreadable.contains(line));
    let python = one.requires_python.as_ref().filter(|python| other.requires_python.as_ref() != Some(*python));
    let all = dependencies.map(|dependency| format!("`{dependency}`"));
    let all = all.chain(lines.map(|line| format!("`{line}`"))).chain(python.map(|python| format!("Python {python}")));
    let all: Vec<_> = all.collect();
    if all.is_empty() { "nothing else".to_owned() } else { all.join(", ") }
}
