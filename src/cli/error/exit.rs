//! The exit codes, and which failure has which.

use crate::http::HttpError;
use crate::index::IndexError;
use crate::ops::{FetchError, MetadataFailure, Unreachable};
use crate::resolve::Reason;
use crate::store::StoreError;

/// The exit code of a run; the numbers are documented and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// A verification found damage or a gap.
    Damage = 1,
    /// The command line or an input cannot be used.
    Usage = 2,
    /// A target has no solution.
    NoSolution = 3,
    /// The index or a file could not be reached after retries.
    Unreachable = 4,
    /// A file does not have its expected digest or size.
    Digest = 5,
    /// The disk cannot be read or written.
    Disk = 6,
    /// The run was interrupted by SIGINT (Ctrl-C) or SIGTERM.
    Interrupted = 130,
}

impl Exit {
    /// Returns the name of this exit code in reports.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Damage => "damage",
            Self::Usage => "input",
            Self::NoSolution => "no_solution",
            Self::Unreachable => "unreachable",
            Self::Digest => "digest_mismatch",
            Self::Disk => "disk",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Returns the exit code for a target without a solution.
///
/// If the index promises digests, a file with another digest than the required one is refused
/// without being fetched, which is exit code 5 as after a fetch. But if the index promises that
/// digest for another file, nothing is damaged: there is merely no file for the target.
pub(super) fn reason_exit(reason: &Reason) -> Exit {
    match reason {
        Reason::Unfetchable(_) | Reason::Nameless => Exit::Usage,
        Reason::NoFile { files, .. } if files.is_for_digest() && files.with_allowed_digest().is_none() => Exit::Digest,
        _ => Exit::NoSolution,
    }
}

/// Returns the exit code for an index or a file that could not be fetched while planning.
pub(super) fn unreachable_exit(error: &Unreachable) -> Exit {
    match error {
        Unreachable::Index(IndexError::Local { .. }) => Exit::Usage,
        Unreachable::Index(_) if http_error(error).is_some_and(HttpError::is_about_settings) => Exit::Usage,
        Unreachable::Index(_) => Exit::Unreachable,
        Unreachable::Metadata(failure) => fetch_exit(&failure.why),
    }
}

/// Returns the exit code for a file that could not be fetched.
pub(super) fn fetch_exit(why: &FetchError) -> Exit {
    match why {
        FetchError::Http(HttpError::File { .. }) | FetchError::Wheel(_) => Exit::Usage,
        FetchError::Http(error) if error.is_about_settings() => Exit::Usage,
        FetchError::Http(HttpError::FileTooLarge { .. }) => Exit::Digest,
        FetchError::Http(_) => Exit::Unreachable,
        FetchError::Build(_) => Exit::NoSolution,
        FetchError::Store(StoreError::Mismatch(_))
        | FetchError::NoDistribution(_)
        | FetchError::Refused(_)
        | FetchError::Inconsistent(_) => Exit::Digest,
        FetchError::Store(_) => Exit::Disk,
    }
}

/// Returns the network error because of which something could not be fetched.
pub(super) fn http_error(error: &Unreachable) -> Option<&HttpError> {
    match error {
        Unreachable::Index(IndexError::Http { source, .. }) => Some(source),
        Unreachable::Index(IndexError::Unreachable { source }) => Some(source),
        Unreachable::Metadata(MetadataFailure { why: FetchError::Http(why), .. }) => Some(why),
        _ => None,
    }
}
