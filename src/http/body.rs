//! The body of a response as it arrives, from the network or from a local file.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use reqwest::header::CONTENT_ENCODING;

use super::error::HttpError;
use super::page_content::PageContent;
use super::parallel_ranges::ParallelRanges;
use super::{HttpPage, Validators, header};
use crate::domain::{CHUNK_SIZE, MaskedUrl};
use crate::regular_file;

/// The body of a file's response.
pub struct ResponseBody {
    url: MaskedUrl,
    source: BodySource,
    validators: Validators,
    is_compressed: bool,
    /// The offset in the file of the body's first byte.
    start: u64,
    received: u64,
    total: Option<u64>,
}

enum BodySource {
    Network(reqwest::Response),
    File(File),
    ParallelRanges(ParallelRanges),
}

impl ResponseBody {
    pub(super) fn from_response(url: MaskedUrl, response: reqwest::Response, start: u64) -> Self {
        let total = response.content_length().map(|length| start + length);
        let validators = Validators::of(response.headers());
        let encoding = header(response.headers(), &CONTENT_ENCODING).unwrap_or_default();
        let is_compressed = matches!(encoding.trim().to_ascii_lowercase().as_str(), "gzip" | "x-gzip");
        Self { url, source: BodySource::Network(response), validators, is_compressed, start, received: 0, total }
    }

    /// Makes the body of a file that is fetched in parts; `start` is the offset of the first part.
    pub(super) fn from_ranges(parts: ParallelRanges, validators: Validators, start: u64) -> Self {
        let (url, total) = (parts.url().clone(), Some(parts.total()));
        Self {
            url,
            source: BodySource::ParallelRanges(parts),
            validators,
            is_compressed: false,
            start,
            received: 0,
            total,
        }
    }

    pub(super) fn open(url: &MaskedUrl, path: &Path) -> Result<Self, HttpError> {
        let fail = |why| HttpError::File { url: url.clone(), why };
        let file = regular_file::open(path).map_err(fail)?;
        let total = file.metadata().ok().map(|metadata| metadata.len());
        let validators = Validators::default();
        let (url, source) = (url.clone(), BodySource::File(file));
        Ok(Self { url, source, validators, is_compressed: false, start: 0, received: 0, total })
    }

    /// Returns the offset in the file of the body's first byte: the requested one, or 0.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Returns the announced size of the whole file in bytes.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Whether the response shared a connection with others by HTTP/2.
    pub fn is_shared(&self) -> bool {
        matches!(&self.source, BodySource::Network(response) if response.version() == reqwest::Version::HTTP_2)
    }

    /// Returns the validators of this version of the file.
    pub fn validators(&self) -> &Validators {
        &self.validators
    }

    /// Returns the next bytes, or `None` at the end; checks the length that the server announced.
    ///
    /// # Errors
    /// When they do not arrive, or the file cannot be read.
    pub async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        let chunk = match &mut self.source {
            BodySource::Network(response) => response
                .chunk()
                .await
                .map_err(|error| HttpError::interrupted(&self.url, self.start + self.received, self.total, &error))?,
            BodySource::ParallelRanges(parts) => parts.next(self.start + self.received).await?,
            BodySource::File(file) => {
                let mut chunk = Vec::with_capacity(CHUNK_SIZE);
                let read = file.take(CHUNK_SIZE as u64).read_to_end(&mut chunk);
                read.map_err(|why| HttpError::File { url: self.url.clone(), why })?;
                (!chunk.is_empty()).then_some(chunk.into())
            }
        };
        self.received += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Ok(chunk)
    }

    /// Reads the whole body, still compressed; for pages, never for files, which are not
    /// decompressed at all.
    ///
    /// # Errors
    /// When it is cut off, or longer than `limit` bytes.
    pub(super) async fn read_page(mut self, limit: usize) -> Result<PageContent, HttpError> {
        let (mut chunks, mut arrived) = (Vec::new(), 0);
        while let Some(chunk) = self.next().await? {
            arrived += chunk.len();
            if arrived > limit {
                return Err(HttpError::PageTooLarge { url: self.url, limit });
            }
            chunks.push(chunk);
        }
        Ok(PageContent::new(self.url, chunks, self.is_compressed, limit))
    }

    pub(super) async fn read_all(mut self, limit: usize) -> Result<Vec<u8>, HttpError> {
        let announced = self.total.unwrap_or(0).saturating_sub(self.start).min(limit as u64);
        let mut bytes = Vec::with_capacity(announced as usize);
        while let Some(chunk) = self.next().await? {
            if bytes.len() + chunk.len() > limit {
                return Err(HttpError::PageTooLarge { url: self.url, limit });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// Reads a page from a local file; for a folder it reads its `index.html`, as web servers do.
pub(super) fn read_page(url: &MaskedUrl, path: &Path, limit: usize) -> Result<HttpPage<PageContent>, HttpError> {
    let path = if path.is_dir() { path.join("index.html") } else { path.to_owned() };
    let fail = |why| HttpError::File { url: url.clone(), why };
    if fs::metadata(&path).map_err(fail)?.len() > limit as u64 {
        return Err(HttpError::PageTooLarge { url: url.clone(), limit });
    }
    let bytes = regular_file::read(&path).map_err(fail)?;
    Ok(HttpPage {
        url: url.clone(),
        content_type: "text/html".to_owned(),
        validators: Validators::default(),
        cache_control: String::new(),
        content: PageContent::new(url.clone(), vec![bytes.into()], false, limit),
    })
}
