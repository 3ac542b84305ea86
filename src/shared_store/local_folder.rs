//! A folder of this machine as an object store, that does not lead out of itself.

use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// A folder whose links are not followed, and whose pipes and devices are not opened: others may write
/// there, and what is removed or written must be below it.
#[derive(Clone, Debug)]
pub struct LocalFolder {
    root: PathBuf,
    inner: Arc<LocalFileSystem>,
}

impl LocalFolder {
    /// Opens the folder at `root`.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(root: PathBuf) -> Result<Self> {
        let inner = Arc::new(LocalFileSystem::new_with_prefix(&root)?);
        // As the object store has it: links above the folder are the user's own.
        Ok(Self { root: fs::canonicalize(&root).map_err(failed)?, inner })
    }

    /// Refuses a place that is not a plain file, or absent, in plain folders.
    fn check(&self, location: &Path) -> Result<()> {
        let file = self.inner.path_to_filesystem(location)?;
        let below = file.strip_prefix(&self.root).map_err(|_| refused(location, "leads out of the store"))?;
        let mut path = self.root.clone();
        let mut parts = below.components().peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            let kind = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata.file_type(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(failed(error)),
            };
            let is_plain = if parts.peek().is_some() { kind.is_dir() } else { kind.is_file() || kind.is_dir() };
            if kind.is_symlink() || !is_plain {
                return Err(refused(location, "is a link, or lies in one, or is something else than a file"));
            }
        }
        Ok(())
    }

    fn is_plain(&self, found: &Result<ObjectMeta>) -> bool {
        found.as_ref().map_or(true, |found| self.check(&found.location).is_ok())
    }
}

fn failed(error: io::Error) -> Error {
    Error::Generic { store: "folder", source: error.into() }
}

fn refused(location: &Path, what: &str) -> Error {
    Error::Generic { store: "folder", source: format!("{location} {what}").into() }
}

impl fmt::Display for LocalFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait::async_trait]
impl ObjectStore for LocalFolder {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.check(location)?;
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.check(location)?;
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.check(location)?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.check(location)?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let folder = self.clone();
        let checked = locations.map(move |location| location.and_then(|path| folder.check(&path).map(|()| path)));
        self.inner.delete_stream(checked.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let folder = self.clone();
        self.inner.list(prefix).filter(move |found| std::future::ready(folder.is_plain(found))).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let listed = self.inner.list_with_delimiter(prefix).await?;
        let is_plain = |path: &Path| self.check(path).is_ok();
        let objects = listed.objects.into_iter().filter(|found| is_plain(&found.location)).collect();
        let common_prefixes = listed.common_prefixes.into_iter().filter(is_plain).collect();
        Ok(ListResult { common_prefixes, objects, ..listed })
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.check(from)?;
        self.check(to)?;
        self.inner.copy_opts(from, to, options).await
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use futures::TryStreamExt as _;
    use object_store::ObjectStoreExt as _;

    use super::*;

    #[tokio::test]
    async fn nothing_outside_is_read_written_listed_or_removed() {
        let [inside, outside] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let precious = outside.path().join("precious");
        fs::write(&precious, "precious").unwrap();
        fs::create_dir(inside.path().join("real")).unwrap();
        fs::write(inside.path().join("real/own"), "own").unwrap();
        symlink(outside.path(), inside.path().join("folder")).unwrap();
        symlink(&precious, inside.path().join("real/file")).unwrap();
        let folder = LocalFolder::new(inside.path().to_owned()).unwrap();
        let listed: Vec<_> = folder.list(None).map_ok(|found| found.location.to_string()).try_collect().await.unwrap();
        assert_eq!(listed, ["real/own"]);
        assert_eq!(folder.list_with_delimiter(None).await.unwrap().common_prefixes, [Path::from("real")]);
        for path in ["folder/precious", "real/file"].map(Path::from) {
            assert!(folder.get(&path).await.is_err(), "{path}");
            assert!(folder.put(&path, "evil".into()).await.is_err(), "{path}");
            assert!(folder.put_multipart(&path).await.is_err(), "{path}");
            assert!(folder.delete(&path).await.is_err(), "{path}");
            assert!(folder.copy(&Path::from("real/own"), &path).await.is_err(), "{path}");
        }
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        assert!(inside.path().join("real/file").is_symlink());
        let new = Path::from("new/folder/file");
        folder.put(&new, "new".into()).await.unwrap();
        assert_eq!(folder.get(&new).await.unwrap().bytes().await.unwrap(), "new");
        folder.delete(&new).await.unwrap();
    }

    /// To open a pipe for reading waits for whoever writes to it.
    #[tokio::test]
    async fn a_pipe_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let store = LocalFolder::new(folder.path().to_owned()).unwrap();
        assert!(store.get(&Path::from("pipe")).await.is_err());
    }
}
