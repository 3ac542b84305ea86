//! The sources in which the bytes of a file are looked for before its URL is.

use futures::future::{BoxFuture, FutureExt as _, ready};

use crate::domain::{Candidate, Object, Sha256};
use crate::index::LocalDigests;
use crate::store::DiskStore;

/// A source of bytes: brings the file of a candidate into the store, if it has it. It may take its
/// time; nothing is told of a source that fails, since the next one is asked.
trait ByteSource: Sync {
    fn find<'a>(&'a self, candidate: &'a Candidate, store: &'a DiskStore) -> BoxFuture<'a, Option<Object>>;
}

/// Every source, in the order in which they are asked.
const SOURCES: &[&dyn ByteSource] = &[&PromisedObjects, &LocalFiles];

/// Returns the object of the file of `candidate`, if any source has it.
pub async fn find_bytes(candidate: &Candidate, store: &DiskStore) -> Option<Object> {
    for source in SOURCES {
        if let Some(object) = source.find(candidate, store).await {
            return Some(object);
        }
    }
    None
}

/// The objects of the store, by a promised digest.
struct PromisedObjects;

impl ByteSource for PromisedObjects {
    fn find<'a>(&'a self, candidate: &'a Candidate, store: &'a DiskStore) -> BoxFuture<'a, Option<Object>> {
        ready(store.find_promised(&candidate.promises)).boxed()
    }
}

/// Local files of which no index promises a digest, by the digest that they had when they were last
/// read.
struct LocalFiles;

impl ByteSource for LocalFiles {
    fn find<'a>(&'a self, candidate: &'a Candidate, store: &'a DiskStore) -> BoxFuture<'a, Option<Object>> {
        ready(find_local(candidate, store)).boxed()
    }
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
