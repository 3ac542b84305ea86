//! Finds files that the store has already.

use crate::domain::{Candidate, Object, Sha256};
use crate::index::LocalDigests;
use crate::store::DiskStore;

/// Returns the object of the file of `candidate`, if the store has it: by a promised digest, else
/// by that of the local file when it was last read.
pub fn find_stored(candidate: &Candidate, store: &DiskStore) -> Option<Object> {
    store.find_promised(&candidate.promises).or_else(|| find_local(candidate, store))
}

fn find_local(candidate: &Candidate, store: &DiskStore) -> Option<Object> {
    let promises = &candidate.promises;
    let may_be = |sha256: &Sha256| {
        promises.index.is_empty()
            && (promises.asked.is_empty() || promises.asked.iter().any(|asked| asked.as_sha256() == Some(*sha256)))
    };
    let sha256 = LocalDigests::new(store.layout()).get(&candidate.url).filter(may_be)?;
    store.find(sha256).filter(|object| promises.size.is_none_or(|size| size == object.size))
}
