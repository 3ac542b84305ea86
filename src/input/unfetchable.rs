//! Requirements that no index serves, and what to do about them.

use crate::domain::{Requirement, Source};

use super::Problem;

/// Why `requirement` cannot be fetched; `None` where it can.
pub fn unfetchable(requirement: &Requirement) -> Option<Problem> {
    let what = match &requirement.source {
        _ if requirement.editable => "an editable is installed from its working tree",
        Source::Repository(_) => "a repository is checked out and built",
        Source::Project(_) => "a local project is built where it stands",
        Source::Url(url) if url.secret().scheme() == "ftp" => "FTP is not supported",
        Source::Index(_) | Source::Url(_) | Source::Archive(_) => return None,
    };
    let message = format!("{what}, so it cannot be fetched: {}", advice(requirement));
    Some(Problem::error(requirement.origin.clone(), message).with_text(&requirement.to_string(), None))
}

fn advice(requirement: &Requirement) -> String {
    let target = match &requirement.source {
        Source::Project(path) => path.display().to_string(),
        Source::Repository(url) => url.clone(),
        Source::Url(_) | Source::Archive(_) | Source::Index(_) => {
            return "use its https:// URL, or download it and name the file".to_owned();
        }
    };
    // Quotes that every shell knows, that of Windows among them.
    format!(
        "build a wheel first (python -m pip wheel --no-deps --wheel-dir wheels \"{target}\") and put its path here, \
         or name a release"
    )
}
