//! The folders of the cache that machines share by a shared store.

use super::layout::CacheBucket;

/// What proves that an entry of a shared store is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Its name, which is the SHA-256 of its bytes.
    Name,
    /// The distribution that it is about, once that is fetched; until then it is a claim.
    Distribution,
    /// Nothing: whoever may write to the store is believed.
    Nothing,
}

/// A folder of the cache that machines share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedBucket {
    pub bucket: CacheBucket,
    /// Whether an entry may become another under the same name.
    pub changes: bool,
    pub proof: Proof,
}

/// Every folder of the cache that machines share.
pub const SHARED_BUCKETS: [SharedBucket; 6] = [
    SharedBucket { bucket: CacheBucket::Objects, changes: false, proof: Proof::Name },
    SharedBucket { bucket: CacheBucket::Metadata, changes: false, proof: Proof::Distribution },
    SharedBucket { bucket: CacheBucket::IndexMetadata, changes: true, proof: Proof::Distribution },
    SharedBucket { bucket: CacheBucket::BuiltWheels, changes: false, proof: Proof::Nothing },
    SharedBucket { bucket: CacheBucket::Pages, changes: true, proof: Proof::Nothing },
    SharedBucket { bucket: CacheBucket::Plans, changes: true, proof: Proof::Nothing },
];

impl SharedBucket {
    /// Returns the row of a bucket; `None` if machines do not share it.
    pub fn of(bucket: CacheBucket) -> Option<&'static Self> {
        SHARED_BUCKETS.iter().find(|shared| shared.bucket == bucket)
    }
}
