//! The bytes of an answer as they arrive, from the network or from a local file.

use std::io::Read;
use std::path::Path;

use bytes::Bytes;

use super::{HttpError, Page, Validators};
use crate::domain::MaskedUrl;

/// How much is read from a local file at once, in bytes.
const LOCAL_CHUNK: usize = 256 << 10;

/// A file under way.
pub struct Body {
    url: MaskedUrl,
    source: Source,
}

enum Source {
    Network(reqwest::Response),
    File(std::fs::File),
}

impl Body {
    pub(super) fn from_response(url: MaskedUrl, response: reqwest::Response) -> Self {
        Self { url, source: Source::Network(response) }
    }

    pub(super) fn open(url: &MaskedUrl, path: &Path) -> Result<Self, HttpError> {
        let file = std::fs::File::open(path).map_err(|why| HttpError::File { url: url.clone(), why })?;
        Ok(Self { url: url.clone(), source: Source::File(file) })
    }

    /// The size that the sender announces, in bytes.
    pub fn announced_size(&self) -> Option<u64> {
        match &self.source {
            Source::Network(response) => response.content_length(),
            Source::File(file) => file.metadata().ok().map(|metadata| metadata.len()),
        }
    }

    /// The next bytes; `None` at the end. The length announced by the server is checked.
    pub async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        match &mut self.source {
            Source::Network(response) => match response.chunk().await {
                Ok(chunk) => Ok(chunk),
                Err(error) => Err(HttpError::Broken { url: self.url.clone(), why: super::with_causes(&error) }),
            },
            Source::File(file) => {
                let mut chunk = Vec::with_capacity(LOCAL_CHUNK);
                let read = file.take(LOCAL_CHUNK as u64).read_to_end(&mut chunk);
                read.map_err(|why| HttpError::File { url: self.url.clone(), why })?;
                Ok((!chunk.is_empty()).then_some(chunk.into()))
            }
        }
    }

    pub(super) async fn read_all(mut self, limit: usize) -> Result<Vec<u8>, HttpError> {
        let announced = self.announced_size().unwrap_or(0).min(limit as u64);
        let mut bytes = Vec::with_capacity(announced as usize);
        while let Some(chunk) = self.next().await? {
            if bytes.len() + chunk.len() > limit {
                return Err(HttpError::TooLong { url: self.url, limit });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// A page from a local file; a folder stands for its `index.html`, as on a web server.
pub(super) fn read_page(url: &MaskedUrl, path: &Path) -> Result<Page, HttpError> {
    let path = if path.is_dir() { path.join("index.html") } else { path.to_owned() };
    let bytes = std::fs::read(path).map_err(|why| HttpError::File { url: url.clone(), why })?;
    Ok(Page {
        url: url.clone(),
        content_type: "text/html".to_owned(),
        validators: Validators::default(),
        cache_control: String::new(),
        bytes,
    })
}
