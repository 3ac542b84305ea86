//! Fills a registry: uploads the distributions of a folder or a bundle by the legacy upload API,
//! which devpi, pypiserver and most other registries take.
//!
//! What the registry lists already is compared first, so that a file is sent once, nothing is
//! replaced, and a second run goes on where the first one ended.

mod distribution;
mod failure;
mod form_fields;
mod registry;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;

pub use self::distribution::{Distribution, Distributions, UnusableFiles};
pub use self::failure::PushFailure;
use self::registry::Listed;
pub use self::registry::Registry;
use crate::archive::CancelFlag;
use crate::http::FormResponse;
use crate::ops::members::MembersError;

/// Why nothing can be pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error(transparent)]
    Members(#[from] MembersError),
    #[error("the manifest in it cannot be read: {0}")]
    Manifest(String),
    #[error("it holds no wheels and no source archives")]
    Empty,
    #[error("{0}")]
    Unusable(UnusableFiles),
}

/// The result for one distribution.
#[derive(Debug)]
pub struct PushedFile<'a> {
    pub distribution: &'a Distribution,
    pub outcome: PushOutcome,
}

/// What became of a distribution.
#[derive(Debug)]
pub enum PushOutcome {
    Uploaded,
    /// The registry lists it with the same digest.
    Present,
    /// The registry lists it without any digest, so that nothing can be compared.
    PresentUnproved,
    /// Nothing was sent: the run stopped before, or was only to compare.
    NotSent,
    Failed(PushFailure),
}

/// Reads the distributions of a folder or bundle.
///
/// An archive that cannot be read in place is unpacked below `scratch`.
///
/// # Errors
/// When the path cannot be read, a file is damaged or is not what its name says, or `cancel` was
/// set meanwhile.
pub fn read_distributions(path: &Path, scratch: &Path, cancel: &CancelFlag) -> Result<Distributions, PushError> {
    Distributions::read(path, scratch, cancel)
}

/// Compares the distributions with what the registry lists, and uploads those that it lacks.
///
/// Nothing is sent if the registry lists one of them with another digest, nor if this `is_dry_run`.
/// Once a failure concerns every file, no further upload begins. `listener` is called for each file
/// whose result is known.
pub async fn push<'a>(
    distributions: &'a [Distribution],
    registry: &Registry,
    at_once: usize,
    is_dry_run: bool,
    listener: &dyn Fn(&PushedFile<'a>),
) -> Vec<PushedFile<'a>> {
    let compared = compare(distributions, registry, at_once).await;
    let stops = AtomicBool::new(is_dry_run || compared.iter().any(|file| file.outcome.is_failure()));
    let mut results: Vec<_> = futures::stream::iter(compared)
        .map(async |file| {
            let file = match file.outcome {
                PushOutcome::NotSent if !stops.load(Ordering::Relaxed) => {
                    let outcome = upload(file.distribution, registry).await;
                    stops.fetch_or(outcome.concerns_all(), Ordering::Relaxed);
                    PushedFile { outcome, ..file }
                }
                _ => file,
            };
            listener(&file);
            file
        })
        .buffer_unordered(at_once)
        .collect()
        .await;
    results.sort_by(|one, other| one.distribution.filename.cmp(&other.distribution.filename));
    results
}

/// Compares each distribution with the page of its project.
async fn compare<'a>(distributions: &'a [Distribution], registry: &Registry, at_once: usize) -> Vec<PushedFile<'a>> {
    let compared = futures::stream::iter(distributions).map(async |distribution| {
        let outcome = match registry.listed(distribution).await {
            Ok(Listed::Absent) => PushOutcome::NotSent,
            Ok(Listed::Same) => PushOutcome::Present,
            Ok(Listed::WithoutDigest) => PushOutcome::PresentUnproved,
            Ok(Listed::Different { listed, own }) => PushOutcome::Failed(PushFailure::Conflict { listed, own }),
            Err(failure) => PushOutcome::Failed(failure),
        };
        PushedFile { distribution, outcome }
    });
    compared.buffered(at_once).collect().await
}

/// Uploads a distribution; if it is refused, the page of the project may tell that it is there.
async fn upload(distribution: &Distribution, registry: &Registry) -> PushOutcome {
    let refusal = match registry.upload(distribution).await {
        Ok(FormResponse::Accepted) => return PushOutcome::Uploaded,
        Ok(FormResponse::Refused { error, text }) => PushFailure::refused(error, &text),
        Err(error) => PushFailure::Http(error),
    };
    if !refusal.may_mean_present() {
        return PushOutcome::Failed(refusal);
    }
    match registry.listed_now(distribution).await {
        Ok(Listed::Same) => PushOutcome::Present,
        Ok(Listed::Different { listed, own }) => PushOutcome::Failed(PushFailure::Conflict { listed, own }),
        Ok(Listed::Absent | Listed::WithoutDigest) | Err(_) => PushOutcome::Failed(refusal),
    }
}

impl PushOutcome {
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    fn concerns_all(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.concerns_all())
    }
}
