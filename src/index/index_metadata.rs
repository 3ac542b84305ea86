//! What indexes said that their files need, in metadata files beside them (PEP 658) or at the end of
//! a wheel. Nobody vouches for it until the file itself is here, so it is remembered for the index
//! that said it, and for whoever asked, only.
//!
//! `index-metadata/<SHA-256 of index, asker, file and what is promised of its metadata>` in the
//! cache folder.

use std::path::PathBuf;

use super::page_cache::DEFAULT_LIFETIME;
use crate::cache_folder::{CacheBucket, CacheLayout, Readers};
use crate::domain::{Candidate, CoreMetadata, Sha256, Timestamp};

/// How far what was said before is believed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust {
    pub now: Timestamp,
    /// Ask again what may have changed.
    pub refresh: bool,
    /// Nobody can be asked again.
    pub offline: bool,
}

/// The folder of what indexes said.
#[derive(Clone, Debug)]
pub(super) struct IndexMetadataCache {
    folder: PathBuf,
    layout: CacheLayout,
}

impl IndexMetadataCache {
    pub fn new(layout: CacheLayout) -> Self {
        Self { folder: layout.folder(CacheBucket::IndexMetadata), layout }
    }

    /// What the index of `candidate` said to `asker`; a damaged memory is none.
    pub fn read(&self, candidate: &Candidate, asker: Option<Sha256>, trust: Trust) -> Option<CoreMetadata> {
        let bytes = self.layout.read(&self.path(candidate, asker)?)?;
        let (said, metadata): (Timestamp, CoreMetadata) = postcard::from_bytes(&bytes).ok()?;
        is_believed(candidate, said, trust).then_some(metadata)
    }

    /// Remembers what it said. A cache that cannot be written costs time and nothing else.
    pub fn write(&self, candidate: &Candidate, asker: Option<Sha256>, metadata: &CoreMetadata, now: Timestamp) {
        let Some(path) = self.path(candidate, asker) else { return };
        let bytes = postcard::to_stdvec(&(now, metadata)).expect("metadata can always be encoded");
        let _ = self.layout.write(&path, &[&bytes], Readers::Umask);
    }

    /// Nothing for a file that no digest names.
    fn path(&self, candidate: &Candidate, asker: Option<Sha256>) -> Option<PathBuf> {
        let promised = candidate.sidecar.as_ref().map(|sidecar| sidecar.digest.as_ref().map(ToString::to_string));
        let key = (candidate.index.public(), asker, candidate.promises.sha256()?, promised);
        let key = postcard::to_stdvec(&key).expect("texts can always be encoded");
        Some(self.folder.join(Sha256::of(&key).to_string()))
    }
}

/// A metadata file with a promised digest, which is in the key, cannot change; one without may be
/// mended at any time; the end of a wheel does not, as long as the wheel's digest is the same.
fn is_believed(candidate: &Candidate, said: Timestamp, trust: Trust) -> bool {
    let age = trust.now.0 - said.0;
    let is_young = (0..DEFAULT_LIFETIME.as_secs().cast_signed()).contains(&age);
    match &candidate.sidecar {
        Some(sidecar) if sidecar.digest.is_some() => true,
        _ if trust.offline => true,
        _ if trust.refresh => false,
        Some(_) => is_young,
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Promises, Sidecar, Yanked};

    fn candidate(index: &str, sidecar: Option<Sidecar>) -> Candidate {
        Candidate {
            filename: "demo-1.0-py3-none-any.whl".into(),
            url: "https://files.example/demo-1.0-py3-none-any.whl".parse().unwrap(),
            index: Arc::new(index.parse().unwrap()),
            promises: Promises { index: vec![Sha256::of(b"wheel").into()], ..Promises::default() },
            requires_python: None,
            yanked: Yanked::default(),
            sidecar,
            uploaded: None,
            vcs_info: None,
        }
    }

    #[test]
    fn what_one_index_said_to_one_asker_is_not_believed_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let cache = IndexMetadataCache::new(CacheLayout::new(folder.path().to_owned()));
        let trust = Trust { now: Timestamp(0), refresh: false, offline: false };
        let metadata = CoreMetadata { name: "demo".into(), ..CoreMetadata::default() };
        let digest = |text: &[u8]| Some(Sidecar { digest: Some(Sha256::of(text).into()) });
        let (me, you) = (Some(Sha256::of(b"me")), Some(Sha256::of(b"you")));
        let said = candidate("https://one.example/simple", digest(b"said"));
        cache.write(&said, me, &metadata, Timestamp(0));
        assert_eq!(cache.read(&said, me, trust), Some(metadata));
        for (other, asker) in [
            (candidate("https://two.example/simple", digest(b"said")), me),
            (candidate("https://one.example/simple", digest(b"mended")), me),
            (candidate("https://one.example/simple", None), me),
            (said.clone(), you),
            (said, None),
        ] {
            assert_eq!(cache.read(&other, asker, trust), None);
        }
    }

    #[test]
    fn what_may_be_mended_is_asked_again() {
        let believed = |sidecar: Option<Sidecar>, now, refresh, offline| {
            is_believed(
                &candidate("https://one.example/simple", sidecar),
                Timestamp(0),
                Trust { now: Timestamp(now), refresh, offline },
            )
        };
        let promised = || Some(Sidecar { digest: Some(Sha256::of(b"said").into()) });
        let unpromised = || Some(Sidecar { digest: None });
        assert!(believed(promised(), 9_999, true, false));
        assert!(believed(unpromised(), 599, false, false) && !believed(unpromised(), 600, false, false));
        assert!(!believed(unpromised(), -1, false, false), "it was said under a clock that was ahead");
        assert!(believed(unpromised(), 9_999, true, true));
        assert!(believed(None, 9_999, false, false) && !believed(None, 0, true, false));
    }
}
