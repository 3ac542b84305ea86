//! Writes files into an object store: small ones by one request, large ones in parts.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use object_store::path::Path;
use object_store::{
    Attributes, Error, ObjectStore, ObjectStoreExt as _, PutMode, PutMultipartOptions, PutOptions, PutPayload, Result,
    WriteMultipart,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

use super::failure;
use crate::domain::{Hasher, Object, Sha256};

/// The size of the parts of large files in bytes, the smallest that S3 takes; smaller files are
/// written by one request.
const PART: usize = 5 << 20;

/// The room in bytes that a buffer must have left at the end of a file, or it would be doubled.
const SPARE: usize = 64;

/// What is written under a name.
pub struct NewFile<'a> {
    pub key: &'a Path,
    /// What the bytes must be.
    pub object: Object,
    pub attributes: Attributes,
    /// Whether it replaces what has this name already.
    pub mode: PutMode,
}

impl NewFile<'_> {
    /// Writes the bytes of `source`.
    ///
    /// # Errors
    /// When they cannot be read or written or are others than stated, or when something has the name
    /// and is not to be replaced.
    pub async fn write(self, store: &dyn ObjectStore, mut source: impl AsyncRead + Unpin) -> Result<()> {
        if self.object.size > PART as u64 {
            return self.write_parts(store, source).await;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(self.object.size).unwrap_or(PART) + SPARE);
        (&mut source).take(PART as u64 + 1).read_to_end(&mut bytes).await.map_err(unreadable)?;
        if Sha256::of(&bytes) != self.object.sha256 {
            return Err(altered());
        }
        let payload = PutPayload::from(bytes);
        let options = |mode| PutOptions { mode, attributes: self.attributes.clone(), ..PutOptions::default() };
        match store.put_opts(self.key, payload.clone(), options(self.mode.clone())).await {
            // What cannot be created conditionally is the same under this name, whoever writes it.
            Err(error) if self.mode == PutMode::Create && failure::is_unsupported(&error) => {
                store.put_opts(self.key, payload, options(PutMode::Overwrite)).await.map(drop)
            }
            other => other.map(drop),
        }
    }

    async fn write_parts(self, store: &dyn ObjectStore, mut source: impl AsyncRead + Unpin) -> Result<()> {
        if self.mode == PutMode::Create {
            match store.head(self.key).await {
                Err(error) if failure::is_absence(&error) => {}
                Ok(_) => {
                    return Err(Error::AlreadyExists { path: self.key.to_string(), source: "it is there".into() });
                }
                Err(error) => return Err(error),
            }
        }
        let options = PutMultipartOptions { attributes: self.attributes, ..PutMultipartOptions::default() };
        let upload = store.put_multipart_opts(self.key, options).await?;
        let mut parts = WriteMultipart::new_with_chunk_size(upload, PART);
        let sent = send_parts(&mut parts, &mut source, self.object.sha256).await;
        if sent.is_err() {
            let _ = parts.abort().await;
            return sent;
        }
        parts.finish().await.map(drop)
    }
}

async fn send_parts(parts: &mut WriteMultipart, source: &mut (impl AsyncRead + Unpin), sha256: Sha256) -> Result<()> {
    let mut hasher = Hasher::new(&[]);
    loop {
        let mut part = Vec::with_capacity(PART + SPARE);
        if (&mut *source).take(PART as u64).read_to_end(&mut part).await.map_err(unreadable)? == 0 {
            break;
        }
        hasher.update(&part);
        parts.put(part.into());
        parts.wait_for_capacity(1).await?;
    }
    if hasher.finish().sha256 == sha256 { Ok(()) } else { Err(altered()) }
}

/// An asynchronous view of a blocking reader, for use on a thread that may block.
pub struct Blocking<R>(pub R);

impl<R: io::Read + Unpin> AsyncRead for Blocking<R> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = self.0.read(buffer.initialize_unfilled());
        Poll::Ready(read.map(|length| buffer.advance(length)))
    }
}

pub fn unreadable(error: io::Error) -> Error {
    Error::Generic { store: "file", source: error.into() }
}

fn altered() -> Error {
    unreadable(io::Error::other("a file of the cache was altered"))
}
