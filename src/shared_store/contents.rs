//! What is in a shared store: listing, checking and removing it.

use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;

use super::SharedStore;
use super::entries::LARGEST_ENTRY;
use super::failure::reason;
use super::marks::MARKS;
use super::object::SharedObject;
use crate::cache_folder::{self, CacheBucket, SHARED_BUCKETS};
use crate::domain::{Hasher, Sha256, Timestamp};

/// What a file of a shared store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SharedFileKind {
    Object(Sha256),
    /// An entry in this folder.
    Entry(CacheBucket),
    /// The mark of runs.
    Mark,
}

/// A file of a shared store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedFile {
    /// The path below the store's prefix.
    pub path: String,
    pub kind: SharedFileKind,
    /// Size in bytes.
    pub size: u64,
    pub written: Timestamp,
}

impl SharedStore {
    /// Lists the store, sorted by path; what is none of ours is left out.
    ///
    /// # Errors
    /// When it cannot be listed; the error says why.
    pub async fn contents(&self) -> Result<Vec<SharedFile>, String> {
        let folder = &self.0.folder;
        let own = folder.prefix.parts().count();
        let listed = folder.objects.list(Some(&folder.prefix)).map_ok(|found| {
            let path = found.location.parts().skip(own).map(|part| part.as_ref().to_owned()).collect::<Vec<_>>();
            let written = Timestamp(found.last_modified.timestamp());
            let kind = kind_of(&path)?;
            Some(SharedFile { path: path.join("/"), kind, size: found.size, written })
        });
        let listed: Vec<_> = listed.try_collect().await.map_err(|error| reason(&error))?;
        let mut files: Vec<_> = listed.into_iter().flatten().collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// Reads a file, and returns whether it is what its name says: an object by its SHA-256, an
    /// entry by its checksum.
    ///
    /// # Errors
    /// When it cannot be read; the error says why.
    pub async fn is_whole(&self, file: &SharedFile) -> Result<bool, String> {
        match file.kind {
            SharedFileKind::Object(sha256) => {
                let (mut object, mut hasher) = (self.open_file(file).await?, Hasher::new(&[]));
                while let Some(bytes) = object.next().await? {
                    hasher.update(&bytes);
                }
                Ok(hasher.finish().sha256 == sha256)
            }
            _ if file.size > LARGEST_ENTRY => Ok(false),
            SharedFileKind::Entry(_) => Ok(cache_folder::is_whole(&self.read_whole(file).await?)),
            SharedFileKind::Mark => {
                let digest = Sha256::of(&self.read_whole(file).await?).to_string();
                Ok(file.path.ends_with(&digest))
            }
        }
    }

    /// Removes files; returns the number of those that are gone.
    ///
    /// # Errors
    /// When one cannot be removed; the error says why.
    pub async fn remove(&self, files: &[&SharedFile]) -> Result<usize, String> {
        self.0.folder.remove(files.iter().map(|file| file.path.as_str())).await
    }

    pub(super) async fn read_whole(&self, file: &SharedFile) -> Result<Vec<u8>, String> {
        self.open_file(file).await?.read().await
    }

    async fn open_file(&self, file: &SharedFile) -> Result<SharedObject, String> {
        let found = self.0.folder.objects.get(&self.key(&file.path)).await;
        found.map(SharedObject::new).map_err(|error| format!("{}: {}", file.path, reason(&error)))
    }
}

/// Returns what the file at a path below the prefix is; `None` if it is none of ours.
fn kind_of(path: &[String]) -> Option<SharedFileKind> {
    let parts: Vec<_> = path.iter().map(String::as_str).collect();
    match parts[..] {
        [folder, first, rest] if folder == CacheBucket::Objects.folder_name() && first.len() == 2 => {
            format!("{first}{rest}").parse().ok().map(SharedFileKind::Object)
        }
        [MARKS, _] => Some(SharedFileKind::Mark),
        [folder, _] => {
            let buckets = SHARED_BUCKETS.iter().map(|shared| shared.bucket);
            let bucket = buckets.into_iter().find(|bucket| bucket.folder_name() == folder)?;
            (bucket != CacheBucket::Objects).then_some(SharedFileKind::Entry(bucket))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(path: &str) -> Option<SharedFileKind> {
        kind_of(&path.split('/').map(ToOwned::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn only_what_machines_share_is_ours() {
        let digest = Sha256::of(b"a").to_string();
        let object = format!("objects-v1/{}/{}", &digest[..2], &digest[2..]);
        assert_eq!(kind(&object), Some(SharedFileKind::Object(Sha256::of(b"a"))));
        assert_eq!(kind(&format!("pages-v1/{digest}")), Some(SharedFileKind::Entry(CacheBucket::Pages)));
        assert_eq!(kind(&format!("marks-v1/{digest}")), Some(SharedFileKind::Mark));
        for other in ["objects-v1/ab/cd", "objects-v1/a", "pages-v0/a", "runs-v1/a", "notes.txt", "a/pages-v1/b"] {
            assert_eq!(kind(other), None, "{other}");
        }
    }
}
