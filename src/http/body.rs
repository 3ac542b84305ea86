//! The bytes of an answer as they arrive, from the network or from a local file.

use std::io::Read;
use std::path::Path;

use bytes::Bytes;

use super::error::{HttpError, with_causes};
use super::{Page, Validators};
use crate::domain::MaskedUrl;

/// How much is read from a local file at once, in bytes.
const LOCAL_CHUNK: usize = 256 << 10;

/// A file under way.
pub struct Body {
    url: MaskedUrl,
    source: Source,
    validators: Validators,
    /// Where its bytes begin in the file.
    start: u64,
    received: u64,
    total: Option<u64>,
}

enum Source {
    Network(reqwest::Response),
    File(std::fs::File),
}

impl Body {
    pub(super) fn from_response(url: MaskedUrl, response: reqwest::Response, start: u64) -> Self {
        let total = response.content_length().map(|length| start + length);
        let validators = Validators::of(response.headers());
        Self { url, source: Source::Network(response), validators, start, received: 0, total }
    }

    pub(super) fn open(url: &MaskedUrl, path: &Path) -> Result<Self, HttpError> {
        let fail = |why| HttpError::File { url: url.clone(), why };
        let file = std::fs::File::open(path).map_err(fail)?;
        let total = file.metadata().ok().map(|metadata| metadata.len());
        let validators = Validators::default();
        Ok(Self { url: url.clone(), source: Source::File(file), validators, start: 0, received: 0, total })
    }

    /// Where its bytes begin in the file: where asked, or at 0.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Bytes of the whole file, as the sender announces them.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// What names this version of the file.
    pub fn validators(&self) -> &Validators {
        &self.validators
    }

    /// The next bytes; `None` at the end. The length announced by the server is checked.
    pub async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        let chunk = match &mut self.source {
            Source::Network(response) => response.chunk().await.map_err(|error| HttpError::Broken {
                url: self.url.clone(),
                got: self.start + self.received,
                expected: self.total,
                why: with_causes(&error),
            })?,
            Source::File(file) => {
                let mut chunk = Vec::with_capacity(LOCAL_CHUNK);
                let read = file.take(LOCAL_CHUNK as u64).read_to_end(&mut chunk);
                read.map_err(|why| HttpError::File { url: self.url.clone(), why })?;
                (!chunk.is_empty()).then_some(chunk.into())
            }
        };
        self.received += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Ok(chunk)
    }

    pub(super) async fn read_all(mut self, limit: usize) -> Result<Vec<u8>, HttpError> {
        let announced = self.total.unwrap_or(0).saturating_sub(self.start).min(limit as u64);
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
