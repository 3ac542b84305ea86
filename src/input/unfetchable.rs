//! Requirements that cannot be fetched, and what to do about them.

use crate::domain::{RepositoryUrl, Requirement, Source};

use super::Problem;

/// Returns why `requirement` cannot be fetched; `None` if it can.
pub fn unfetchable(requirement: &Requirement) -> Option<Problem> {
    let why = match &requirement.source {
        Source::Repository(url) => RepositoryUrl::parse(url).err()?.to_string(),
        Source::Url(url) if url.secret().scheme() == "ftp" => {
            "FTP is not supported: use its https:// URL, or download it and name the file".to_owned()
        }
        Source::Index(_) | Source::Url(_) | Source::Archive(_) | Source::Project(_) => return None,
    };
    let message = format!("it cannot be fetched: {why}");
    Some(Problem::error(requirement.origin.clone(), message).with_text(&requirement.to_string(), None))
}
