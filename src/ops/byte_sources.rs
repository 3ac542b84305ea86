//! The sources that may already have a file's bytes, which are asked before its URL.

use futures::future::{BoxFuture, FutureExt as _, ready};

use crate::domain::{Candidate, Object, Sha256};
use crate::index::LocalDigests;
use crate::store::DiskStore;

/// A source of bytes, which adds the file of a candidate to the store if it has it.
///
/// It may take its time; its failures are not reported, since the next source is asked.
trait ByteSource: Sync {
    fn find<'a>(&'a self, candidate: &'a Candidate, store: &'a DiskStore) -> BoxFuture<'a, Option<Object>>;
}

/// Every source, in the order in which they are asked.
const SOURCES: &[&dyn ByteSource] = &[&ExpectedObjects, &LocalFiles];

/// Returns the object of the file of `candidate`, if any source has it.
pub async fn find_bytes(candidate: &Candidate, store: &DiskStore) -> Option<Object> {
    for source in SOURCES {
        if let Some(object) = source.find(candidate, store).await {
            return Some(object);
        }
    }
    None
}

/// The objects of the store, found by an expected digest.
struct ExpectedObjects;

impl ByteSource for ExpectedObjects {
    fn find<'a>(&'a self, candidate: &'a Candidate, store: &'a DiskStore) -> BoxFuture<'a, Option<Object>> {
        ready(store.find_expected(&candidate.expected)).boxed()
    }
}

/// Local files for which no index promises a digest, found by the digest that they had when they
/// were last read.
struct LocalFiles;

impl ByteSource for LocalFiles {
    fn find<'a>(&'a self, candidate: &'a Candidate, store: &'a DiskStore) -> BoxFuture<'a, Option<Object>> {
        ready(find_local(candidate, store)).boxed()
    }
}

fn find_local(candidate: &Candidate, store: &DiskStore) -> Option<Object> {
    let expected = &candidate.expected;
    let may_be = |sha256: &Sha256| {
        expected.by_index.is_empty()
            && (expected.by_user.is_empty() || expected.by_user.iter().any(|asked| asked.as_sha256() == Some(*sha256)))
    };
    let sha256 = LocalDigests::new(store.layout()).get(&candidate.url).filter(may_be)?;
    store.find(sha256).filter(|object| expected.size.is_none_or(|size| size == object.size))
}
