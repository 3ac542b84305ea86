//! A folder in an object store: files by their paths.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_store::path::Path;
use object_store::{Attribute, Attributes, GetOptions, ObjectStore, ObjectStoreExt as _, PutMode};

use super::backend::{self, SharedStoreError, SharedStoreSettings};
use super::failure::reason;
use super::object::SharedObject;
use super::parts::{Blocking, NewFile};
use crate::domain::{MaskedUrl, Object, Sha256};

/// A folder in an object store; clones are the same one.
#[derive(Clone, Debug)]
pub struct RemoteFolder {
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) prefix: Path,
    pub(super) location: MaskedUrl,
}

/// The headers under which a file is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHeaders {
    pub content_type: &'static str,
    pub cache_control: &'static str,
}

/// The name under which the SHA-256 of a file is kept beside it.
const DIGEST: &str = "sha256";

impl RemoteFolder {
    /// Opens the folder at a URL; no request is sent.
    ///
    /// # Errors
    /// When the URL or the options of the store cannot be used.
    pub fn open(settings: SharedStoreSettings) -> Result<Self, SharedStoreError> {
        let location = settings.location.clone();
        let (objects, prefix) = backend::open(settings)?;
        Ok(Self { objects, prefix, location })
    }

    pub fn location(&self) -> &MaskedUrl {
        &self.location
    }

    /// Returns the sizes of all files below the folder, by path.
    ///
    /// # Errors
    /// When it cannot be listed; the error says why.
    pub async fn files(&self) -> Result<BTreeMap<String, u64>, String> {
        let own = self.prefix.parts().count();
        let listed = self.objects.list(Some(&self.prefix)).map_ok(|found| {
            let parts: Vec<_> = found.location.parts().skip(own).map(|part| part.as_ref().to_owned()).collect();
            (parts.join("/"), found.size)
        });
        listed.try_collect().await.map_err(|error| reason(&error))
    }

    /// Reads the file at a path.
    ///
    /// # Errors
    /// When it cannot be read; the error says why.
    pub async fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let found = self.objects.get(&self.key(path)).await.map_err(|error| reason(&error))?;
        SharedObject::new(found).read().await
    }

    /// Returns the SHA-256 that [`RemoteFolder::write`] stated of the file at a path; `None` for a
    /// file of others.
    ///
    /// # Errors
    /// When it cannot be asked for; the error says why.
    pub async fn digest(&self, path: &str) -> Result<Option<Sha256>, String> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        let found = self.objects.get_opts(&self.key(path), options).await.map_err(|error| reason(&error))?;
        let stated = found.attributes.get(&Attribute::Metadata(DIGEST.into()));
        Ok(stated.and_then(|digest| digest.parse().ok()))
    }

    /// Writes a file, which replaces another one.
    ///
    /// # Errors
    /// When `source` cannot be read or is not `object`, or the file cannot be written; the error
    /// says why.
    pub async fn write(
        &self,
        path: &str,
        object: Object,
        source: impl Read + Unpin,
        headers: FileHeaders,
    ) -> Result<(), String> {
        let attributes = Attributes::from_iter([
            (Attribute::ContentType, headers.content_type.to_owned()),
            (Attribute::CacheControl, headers.cache_control.to_owned()),
            (Attribute::Metadata(DIGEST.into()), object.sha256.to_string()),
        ]);
        let file = NewFile { key: &self.key(path), object, attributes, mode: PutMode::Overwrite };
        file.write(&*self.objects, Blocking(source)).await.map_err(|error| reason(&error))
    }

    /// Removes files; returns the number of those that are gone.
    ///
    /// # Errors
    /// When one cannot be removed; the error says why.
    pub async fn remove<'a>(&self, paths: impl Iterator<Item = &'a str>) -> Result<usize, String> {
        let keys: Vec<_> = paths.map(|path| Ok(self.key(path))).collect();
        let removed = self.objects.delete_stream(stream::iter(keys).boxed());
        let removed: Vec<_> = removed.try_collect().await.map_err(|error| reason(&error))?;
        Ok(removed.len())
    }

    /// Returns the name in the object store of a path below the folder.
    pub(super) fn key(&self, path: &str) -> Path {
        self.prefix.parts().chain(path.split('/').map(Into::into)).collect()
    }
}
