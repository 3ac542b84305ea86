//! Bytes of files that are on this machine already.

use crate::domain::{FileLink, Object, Sha256};
use crate::index::LocalDigests;
use crate::store::DiskStore;

/// Returns the object of the file of `link`, if the store has it: by an expected digest, or for
/// a local file without one by the digest that it had when it was last read.
pub fn find_bytes(link: &FileLink, store: &DiskStore) -> Option<Object> {
    store.find_expected(&link.expected).or_else(|| find_local(link, store))
}

fn find_local(link: &FileLink, store: &DiskStore) -> Option<Object> {
    let expected = &link.expected;
    let may_be = |sha256: &Sha256| {
        expected.by_index.is_empty()
            && (expected.by_user.is_empty() || expected.by_user.iter().any(|asked| asked.as_sha256() == Some(*sha256)))
    };
    let sha256 = LocalDigests::new(store.layout()).get(&link.url).filter(may_be)?;
    store.find(sha256).filter(|object| expected.size.is_none_or(|size| size == object.size))
}
