//! The cache of metadata that indexes serve for their files: in files beside them (PEP 658) or as
//! the end of a wheel.
//!
//! It is unverified until the file itself is fetched, so it is remembered only for the index that
//! served it and the credentials it was served to.
//!
//! An entry's name in the `index-metadata` folder of the cache is the SHA-256 of index, credentials,
//! file, and the expected digest of the metadata.

use super::page_cache::DEFAULT_LIFETIME;
use crate::cache_folder::{CacheBucket, CacheEntries};
use crate::domain::{CoreMetadata, FileLink, Sha256, Timestamp};

/// What decides whether remembered metadata may be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust {
    pub now: Timestamp,
    /// Whether metadata that may have changed is requested again.
    pub refresh: bool,
    /// Whether nothing can be requested again.
    pub offline: bool,
}

/// The metadata that indexes served.
#[derive(Clone, Debug)]
pub(super) struct IndexMetadataCache {
    entries: CacheEntries,
}

impl IndexMetadataCache {
    pub fn new(entries: CacheEntries) -> Self {
        Self { entries }
    }

    /// Returns the metadata that was served for `link`; `None` also if the cached file is
    /// damaged.
    pub fn read(&self, link: &FileLink, user: Option<Sha256>, trust: Trust) -> Option<CoreMetadata> {
        let bytes = self.entries.read(CacheBucket::IndexMetadata, &name(link, user)?)?;
        decode(&bytes, link, trust)
    }

    /// Returns the metadata that was served to another machine for `link`; it is not kept, since
    /// that machine may say anything.
    pub async fn fetch(&self, link: &FileLink, user: Option<Sha256>, trust: Trust) -> Option<CoreMetadata> {
        let bytes = self.entries.fetch(CacheBucket::IndexMetadata, &name(link, user)?).await?;
        decode(&bytes, link, trust)
    }

    /// Remembers metadata, also for other machines; a cache that cannot be written is no error,
    /// since it only saves time.
    pub fn write(&self, link: &FileLink, user: Option<Sha256>, metadata: &CoreMetadata, now: Timestamp) {
        let Some(name) = name(link, user) else { return };
        let bytes = postcard::to_stdvec(&(now, metadata)).expect("metadata can always be encoded");
        let _ = self.entries.write(CacheBucket::IndexMetadata, &name, &[&bytes]);
    }
}

/// Decodes the metadata in an entry, if it may be used.
fn decode(bytes: &[u8], link: &FileLink, trust: Trust) -> Option<CoreMetadata> {
    let (said, metadata) = postcard::from_bytes(bytes).ok()?;
    is_believed(link, said, trust).then_some(metadata)
}

/// Returns the name of a file's metadata, or `None` if no SHA-256 of the file is known.
fn name(link: &FileLink, user: Option<Sha256>) -> Option<String> {
    let promised = link.sidecar.as_ref().map(|sidecar| sidecar.digest.as_ref().map(ToString::to_string));
    let key = (link.index.public(), user, link.expected.sha256()?, &link.filename, promised);
    let key = postcard::to_stdvec(&key).expect("texts can always be encoded");
    Some(Sha256::of(&key).to_string())
}

/// Whether remembered metadata may be used.
///
/// A metadata file with an expected digest cannot change, since the digest is part of the key. One
/// without may be corrected at any time. The end of a wheel does not change as long as the wheel's
/// digest is the same.
fn is_believed(link: &FileLink, said: Timestamp, trust: Trust) -> bool {
    let age = trust.now.0 - said.0;
    let is_young = (0..DEFAULT_LIFETIME.as_secs().cast_signed()).contains(&age);
    match &link.sidecar {
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
    use crate::cache_folder::CacheLayout;
    use crate::domain::{ExpectedContent, Sidecar};

    fn link(index: &str, sidecar: Option<Sidecar>) -> FileLink {
        FileLink {
            index: Arc::new(index.parse().unwrap()),
            expected: ExpectedContent { by_index: vec![Sha256::of(b"wheel").into()], ..ExpectedContent::default() },
            sidecar,
            ..FileLink::at("https://files.example/demo-1.0-py3-none-any.whl".parse().unwrap())
        }
    }

    #[test]
    fn what_one_index_said_to_one_asker_is_not_believed_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let cache = IndexMetadataCache::new(CacheEntries::local(CacheLayout::new(folder.path().to_owned())));
        let trust = Trust { now: Timestamp(0), refresh: false, offline: false };
        let metadata = CoreMetadata { name: "demo".into(), ..CoreMetadata::default() };
        let digest = |text: &[u8]| Some(Sidecar { digest: Some(Sha256::of(text).into()) });
        let (me, you) = (Some(Sha256::of(b"me")), Some(Sha256::of(b"you")));
        let said = link("https://one.example/simple", digest(b"said"));
        cache.write(&said, me, &metadata, Timestamp(0));
        assert_eq!(cache.read(&said, me, trust), Some(metadata));
        for (other, user) in [
            (link("https://two.example/simple", digest(b"said")), me),
            (link("https://one.example/simple", digest(b"mended")), me),
            (link("https://one.example/simple", None), me),
            (said.clone(), you),
            (said, None),
        ] {
            assert_eq!(cache.read(&other, user, trust), None);
        }
    }

    #[test]
    fn what_may_be_mended_is_asked_again() {
        let believed = |sidecar: Option<Sidecar>, now, refresh, offline| {
            is_believed(
                &link("https://one.example/simple", sidecar),
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
