//! Publishes layouts and bundles into a folder of an object store, from which web servers serve them.
//!
//! Files come before the pages that list them, and the page of the root comes last, so that no reader
//! sees a page whose file is missing. What is there with the same digest is not sent again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::runtime::Handle;

use crate::archive::{ArchiveError, ArchiveFormat, FileSink, ObjectSource, TemporaryFolder, TreeSink};
use crate::domain::{Content, Fingerprint, Object, RelPath, Sha256, Tree};
use crate::layout::{HeldFolder, Layout};
use crate::shared_store::{FileHeaders, RemoteFolder};

/// A folder in an object store that gets a layout.
#[derive(Clone)]
pub struct BucketOutput {
    pub layout: &'static dyn Layout,
    pub folder: RemoteFolder,
    /// Whether a requirements file that pins the content is written, too.
    pub pins: bool,
    /// Whether what earlier runs published, and this one does not, is removed.
    pub prune: bool,
    /// What the write did, once it is done.
    pub published: Arc<OnceLock<Published>>,
}

/// The numbers of files that were sent to a bucket, kept there and removed from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The number of files that were sent.
    pub sent: usize,
    /// The size in bytes of the files that were sent.
    pub bytes: u64,
    /// The number of files that were there already.
    pub kept: usize,
    /// The number of files of earlier runs that were removed.
    pub removed: usize,
}

/// The number of files that are compared or sent at once.
const AT_ONCE: usize = 8;

/// A folder in an object store as earlier runs left it; what cannot be read counts as absent.
///
/// It is read from a thread that may block.
pub struct BucketFolder<'a> {
    folder: &'a RemoteFolder,
    /// The sizes of its files, by path.
    files: BTreeMap<String, u64>,
}

impl<'a> BucketFolder<'a> {
    /// Lists the folder.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub fn list(folder: &'a RemoteFolder) -> Result<Self, ArchiveError> {
        let files = Handle::current().block_on(folder.files());
        Ok(Self { folder, files: files.map_err(|why| remote(folder, "", why))? })
    }

    /// Writes `tree`, whose pages come last.
    async fn publish(&self, tree: &Tree, objects: &dyn ObjectSource) -> Result<Published, ArchiveError> {
        let mut published = Published::default();
        for stage in stages(tree) {
            let sent = stream::iter(stage).map(|(path, content)| self.put(path, content, objects));
            let mut sent = sent.buffer_unordered(AT_ONCE);
            while let Some(bytes) = sent.try_next().await? {
                match bytes {
                    Some(bytes) => (published.sent, published.bytes) = (published.sent + 1, published.bytes + bytes),
                    None => published.kept += 1,
                }
            }
        }
        Ok(published)
    }

    /// Sends a file, unless the same is there; returns its size if it was sent.
    async fn put(
        &self,
        path: &RelPath,
        content: &Content,
        objects: &dyn ObjectSource,
    ) -> Result<Option<u64>, ArchiveError> {
        let name = path.as_str();
        let fail = |why| remote(self.folder, name, why);
        let object = match content {
            Content::Object { sha256, size } => Object { sha256: *sha256, size: *size },
            Content::Generated(bytes) => Object { sha256: Sha256::of(bytes), size: bytes.len() as u64 },
            Content::PipCacheEntry(_) => return Err(fail("it is an entry of a cache on a disk".to_owned())),
        };
        let may_be_there = self.files.get(name) == Some(&object.size);
        if may_be_there && self.folder.digest(name).await.map_err(fail)? == Some(object.sha256) {
            return Ok(None);
        }
        let unreadable = |source| ArchiveError::Object { path: path.clone(), sha256: object.sha256, source };
        let source: Box<dyn Read + '_> = match content {
            Content::Generated(bytes) => Box::new(Cursor::new(bytes)),
            _ => objects.open(object.sha256).map_err(unreadable)?,
        };
        self.folder.write(name, object, source, headers(content, name)).await.map_err(fail)?;
        Ok(Some(object.size))
    }

    /// Removes what was published and is not in `tree`; files of others stay.
    async fn prune(&self, tree: &Tree) -> Result<usize, ArchiveError> {
        let is_left = |path: &&String| RelPath::new(path.as_str()).is_ok_and(|path| tree.get(&path).is_none());
        let fail = |why| remote(self.folder, "", why);
        let judged = stream::iter(self.files.keys().filter(is_left)).map(async |path| {
            let is_ours = self.folder.digest(path).await?.is_some();
            Ok::<_, String>(is_ours.then_some(path.as_str()))
        });
        let ours: Vec<_> = judged.buffer_unordered(AT_ONCE).try_collect().await.map_err(fail)?;
        self.folder.remove(ours.into_iter().flatten()).await.map_err(fail)
    }
}

/// A folder in an object store as a destination; its `write` blocks the thread.
pub struct BucketSink<'a> {
    pub folder: &'a RemoteFolder,
    /// Whether what else was published there is removed, after all else.
    pub prunes: bool,
    pub published: &'a OnceLock<Published>,
}

impl TreeSink for BucketSink<'_> {
    fn write(&self, tree: &Tree, objects: &dyn ObjectSource) -> Result<(), ArchiveError> {
        let folder = BucketFolder::list(self.folder)?;
        let published = Handle::current().block_on(async {
            let mut published = folder.publish(tree, objects).await?;
            if self.prunes {
                published.removed = folder.prune(tree).await?;
            }
            Ok::<_, ArchiveError>(published)
        })?;
        // An output is written once.
        let _ = self.published.set(published);
        Ok(())
    }
}

/// An archive in an object store as a destination, which is packed on the disk first; its `write`
/// blocks the thread.
pub struct BucketFileSink<'a> {
    pub folder: &'a RemoteFolder,
    pub name: &'a str,
    pub format: &'a ArchiveFormat,
    /// The folder on the disk.
    pub scratch: &'a Path,
}

impl TreeSink for BucketFileSink<'_> {
    fn write(&self, tree: &Tree, objects: &dyn ObjectSource) -> Result<(), ArchiveError> {
        let failed = |source| ArchiveError::Write { path: self.scratch.to_owned(), source };
        fs::create_dir_all(self.scratch).map_err(failed)?;
        let scratch = TemporaryFolder::new_in(self.scratch).map_err(failed)?;
        let path = scratch.path().join(self.name);
        FileSink { path: &path, format: self.format }.write(tree, objects)?;
        let open = || File::open(&path).map_err(failed);
        let found = Fingerprint::read(&mut open()?, &[]).map_err(failed)?;
        let object = Object { sha256: found.sha256, size: found.size };
        let headers = FileHeaders { content_type: content_type(self.name), cache_control: CHANGING };
        let sent = Handle::current().block_on(self.folder.write(self.name, object, open()?, headers));
        sent.map_err(|why| remote(self.folder, self.name, why))
    }
}

impl HeldFolder for BucketFolder<'_> {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.has_file(path).then(|| Handle::current().block_on(self.folder.read(path)).ok())?
    }

    fn has_file(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    fn folders(&self) -> Vec<String> {
        let folders = self.files.keys().filter_map(|path| path.split_once('/'));
        let mut folders: Vec<_> = folders.map(|(folder, _)| folder.to_owned()).collect();
        folders.dedup();
        folders
    }
}

/// Returns the files of `tree` in the order in which they may appear: what is listed, the pages of
/// folders, and the pages of the root.
fn stages(tree: &Tree) -> [Vec<(&RelPath, &Content)>; 3] {
    let (pages, files): (Vec<_>, Vec<_>) =
        tree.iter().partition(|(_, content)| matches!(content, Content::Generated(_)));
    let (inner, roots) = pages.into_iter().partition(|(path, _)| path.as_str().contains('/'));
    [files, inner, roots]
}

/// What is asked for again after a minute.
const CHANGING: &str = "max-age=60";

/// What never changes under its name.
const UNCHANGING: &str = "max-age=31536000, immutable";

/// Returns the headers under which a file is served.
fn headers(content: &Content, name: &str) -> FileHeaders {
    let cache_control = if matches!(content, Content::Generated(_)) { CHANGING } else { UNCHANGING };
    FileHeaders { content_type: content_type(name), cache_control }
}

fn content_type(name: &str) -> &'static str {
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.rsplit_once('.').map(|(_, extension)| extension) {
        // The pages of the layout `simple` (PEP 691).
        Some("json") if last == "index.json" => "application/vnd.pypi.simple.v1+json",
        Some("json") => "application/json",
        Some("html") => "text/html; charset=utf-8",
        Some("txt" | "metadata") => "text/plain; charset=utf-8",
        Some("whl" | "zip") => "application/zip",
        Some("gz" | "tgz") => "application/gzip",
        _ => "application/octet-stream",
    }
}

fn remote(folder: &RemoteFolder, path: &str, why: String) -> ArchiveError {
    let location = folder.location().to_string();
    ArchiveError::Remote { place: format!("{}/{path}", location.trim_end_matches('/')), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_what_they_list_and_the_root_comes_last() {
        let mut tree = Tree::new();
        for page in ["index.html", "a/index.html", "index.json"] {
            tree.insert(RelPath::new(page).unwrap(), Content::Generated(Vec::new()));
        }
        for file in ["a/a-1.0.tar.gz", "z-1.0.zip"] {
            tree.insert(RelPath::new(file).unwrap(), Content::Object { sha256: Sha256::of(b""), size: 0 });
        }
        let paths = stages(&tree).map(|stage| stage.into_iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>());
        assert_eq!(
            paths,
            [vec!["a/a-1.0.tar.gz", "z-1.0.zip"], vec!["a/index.html"], vec!["index.html", "index.json"]]
        );
    }

    /// Else some clients would unpack the archive on the way.
    #[test]
    fn archives_are_served_as_they_are() {
        let object = Content::Object { sha256: Sha256::of(b""), size: 0 };
        assert_eq!(headers(&object, "a/a-1.0.tar.gz").content_type, "application/gzip");
        assert!(headers(&object, "a/a.whl").cache_control.contains("immutable"));
        assert!(!headers(&Content::Generated(Vec::new()), "index.html").cache_control.contains("immutable"));
    }
}
