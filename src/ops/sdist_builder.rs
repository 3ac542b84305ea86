//! Builds source archives for their metadata, if that is allowed.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::fetch_error::FetchError;
use super::{Event, Listener};
use crate::domain::{CoreMetadata, MetadataUnavailable, PackageName, Sha256, SourceFilename, Version};
use crate::http::blocking;
use crate::index::{MetadataCache, MetadataResult};
use crate::interpreter::{BuildError, BuildFrontEnd};
use crate::store::DiskStore;

/// Builds source archives with an interpreter's pip, and caches their metadata.
#[derive(Clone)]
pub struct SdistBuilder {
    front_end: Arc<BuildFrontEnd>,
    /// The cache of metadata from builds, apart from that in archives: builds with another Python
    /// may state other dependencies.
    known: MetadataCache,
    permits: Arc<Semaphore>,
}

/// The number of concurrent builds, which use the processor and not the network.
const AT_ONCE: usize = 4;

impl SdistBuilder {
    pub fn new(front_end: BuildFrontEnd, known: MetadataCache) -> Self {
        Self { front_end: Arc::new(front_end), known, permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Returns the metadata that the build of a stored archive states, from the cache if possible.
    ///
    /// # Errors
    /// When the build fails.
    pub(super) async fn metadata(
        &self,
        archive: Sha256,
        (project, filename): (&PackageName, &str),
        store: &DiskStore,
        listener: &Listener,
    ) -> Result<MetadataResult, FetchError> {
        if let Some(known) = self.known.read(archive) {
            return Ok(known);
        }
        let _turn = self.permits.acquire().await.expect("the semaphore is never closed");
        listener(Event::Building(filename.into()));
        let (front_end, mut stored, name) = (self.front_end.clone(), store.open(archive)?, filename.to_owned());
        let built = blocking(move || build(&front_end, &mut stored, &name)).await;
        let known = check_identity(built?, project, filename);
        self.known.write(archive, &known);
        Ok(known)
    }
}

impl SdistBuilder {
    /// Returns the metadata that the build of the project in `folder` makes.
    ///
    /// # Errors
    /// When the build fails.
    pub(super) fn tree_metadata(&self, folder: &Path) -> Result<CoreMetadata, BuildError> {
        let scratch = tempfile::Builder::new().prefix("prefetch-build-").tempdir()?;
        self.front_end.metadata(folder, scratch.path())
    }
}

/// Builds a copy of `stored` under its own name, in a temporary folder.
fn build(front_end: &BuildFrontEnd, stored: &mut File, filename: &str) -> Result<CoreMetadata, BuildError> {
    let folder = tempfile::Builder::new().prefix("prefetch-build-").tempdir()?;
    let archive = folder.path().join(Path::new(filename).file_name().unwrap_or_default());
    std::io::copy(stored, &mut File::create(&archive)?)?;
    front_end.metadata(&archive, folder.path())
}

/// Refuses metadata of another release than the one in the archive's name.
fn check_identity(metadata: CoreMetadata, project: &PackageName, filename: &str) -> MetadataResult {
    let is_project = metadata.name.parse().is_ok_and(|name: PackageName| name == *project);
    let is_version = SourceFilename::parse(filename, project)
        .map_or(true, |source| metadata.version.parse().is_ok_and(|version: Version| version == source.version));
    if is_project && is_version {
        return Ok(metadata);
    }
    let CoreMetadata { name, version, .. } = metadata;
    Err(MetadataUnavailable::Refused(format!(
        "its build says that it is `{name} {version}`, which its file name does not"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_of_another_release_is_refused() {
        let is_accepted = |name: &str, version: &str| {
            let metadata = CoreMetadata { name: name.into(), version: version.into(), ..CoreMetadata::default() };
            check_identity(metadata, &"demo-pkg".parse().unwrap(), "Demo_Pkg-1.0.tar.gz").is_ok()
        };
        assert!(is_accepted("demo.pkg", "1.0") && is_accepted("Demo-Pkg", "1.0.0"));
        assert!(!is_accepted("demo-pkg", "1.1") && !is_accepted("other", "1.0") && !is_accepted("demo-pkg", ""));
    }
}
