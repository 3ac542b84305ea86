//! Where a file is, and what must be true of it: from an index, a direct URL or a lock.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Candidate, Digest, ExpectedContent, MaskedUrl, Sidecar, Specifiers, Timestamp, VcsInfo, Yanked};

/// The address of a file that may be fetched, with everything that is stated about it; compare pip's `Link`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileLink {
    pub filename: Box<str>,
    /// The URL of the file, without fragment.
    pub url: MaskedUrl,
    /// The index or page that listed it; the URL itself for a direct one.
    pub index: Arc<MaskedUrl>,
    pub expected: ExpectedContent,
    pub requires_python: Option<Specifiers>,
    pub yanked: Yanked,
    /// The metadata file beside it (PEP 658), if the index has one.
    pub sidecar: Option<Sidecar>,
    /// The upload time, if the index states it (PEP 700).
    pub uploaded: Option<Timestamp>,
    /// The commit that it was packed from, if it comes from a repository.
    pub vcs_info: Option<Arc<VcsInfo>>,
}

impl FileLink {
    /// Makes the link for a file of an index, with the digests that the user allows.
    pub fn of(candidate: &Candidate, asked: &[Digest]) -> Self {
        Self {
            filename: candidate.filename.clone(),
            url: candidate.url.clone(),
            index: candidate.index.clone(),
            expected: ExpectedContent {
                by_user: asked.to_vec(),
                by_index: candidate.hashes.clone(),
                size: candidate.size,
            },
            requires_python: candidate.requires_python.clone(),
            yanked: candidate.yanked.clone(),
            sidecar: candidate.sidecar.clone(),
            uploaded: candidate.uploaded,
            vcs_info: None,
        }
    }

    /// Whether the file is a wheel, by its name.
    pub fn is_wheel(&self) -> bool {
        self.filename.ends_with(".whl")
    }

    /// Whether its content is of this machine, and not packed from a repository elsewhere.
    pub fn is_of_this_machine(&self) -> bool {
        self.url.is_local() && self.vcs_info.as_ref().is_none_or(|info| info.url.starts_with("file:"))
    }

    /// Returns the link for an archive on this machine; `None` if `path` is not absolute.
    pub fn of_archive(path: &Path, vcs_info: Option<Arc<VcsInfo>>) -> Option<Self> {
        let url = MaskedUrl::new(Url::from_file_path(path).ok()?);
        Some(Self { vcs_info, ..Self::at(url) })
    }

    /// Returns the link for the file at `url`, of which nothing else is stated.
    pub fn at(url: MaskedUrl) -> Self {
        Self {
            filename: url.filename().into(),
            index: Arc::new(url.clone()),
            url,
            expected: ExpectedContent::default(),
            requires_python: None,
            yanked: Yanked::default(),
            sidecar: None,
            uploaded: None,
            vcs_info: None,
        }
    }

    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        self.filename == other.filename && self.url == other.url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_from_a_repository_elsewhere_is_not_of_this_machine() {
        let packed = |repository: &str| {
            let info = VcsInfo {
                url: repository.to_owned(),
                requested_revision: None,
                commit_id: "0".repeat(40),
                subdirectory: None,
            };
            let archive = FileLink::at("file:///srv/demo-1.0.tar.gz".parse().unwrap());
            FileLink { vcs_info: Some(Arc::new(info)), ..archive }.is_of_this_machine()
        };
        assert!(packed("file:///srv/demo.git") && !packed("https://git.example/demo.git"));
        assert!(!FileLink::at("https://files.example/demo-1.0.tar.gz".parse().unwrap()).is_of_this_machine());
    }
}
