//! The bytes of an answer as they arrive, from the network or from a local file.

use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use reqwest::header::CONTENT_ENCODING;

use super::error::{HttpError, with_causes};
use super::parts::Parts;
use super::{Page, Validators, header};
use crate::domain::MaskedUrl;

/// How much is read from a local file at once, in bytes.
const LOCAL_CHUNK: usize = 256 << 10;

/// A file under way.
pub struct Body {
    url: MaskedUrl,
    source: Source,
    validators: Validators,
    is_packed: bool,
    /// Where its bytes begin in the file.
    start: u64,
    received: u64,
    total: Option<u64>,
}

enum Source {
    Network(reqwest::Response),
    File(std::fs::File),
    Parts(Parts),
}

impl Body {
    pub(super) fn from_response(url: MaskedUrl, response: reqwest::Response, start: u64) -> Self {
        let total = response.content_length().map(|length| start + length);
        let validators = Validators::of(response.headers());
        let encoding = header(response.headers(), &CONTENT_ENCODING).unwrap_or_default();
        let is_packed = matches!(encoding.trim().to_ascii_lowercase().as_str(), "gzip" | "x-gzip");
        Self { url, source: Source::Network(response), validators, is_packed, start, received: 0, total }
    }

    /// `start` is where the first part begins.
    pub(super) fn from_parts(parts: Parts, validators: Validators, start: u64) -> Self {
        let (url, total) = (parts.url().clone(), Some(parts.total()));
        Self { url, source: Source::Parts(parts), validators, is_packed: false, start, received: 0, total }
    }

    pub(super) fn open(url: &MaskedUrl, path: &Path) -> Result<Self, HttpError> {
        let fail = |why| HttpError::File { url: url.clone(), why };
        let file = std::fs::File::open(path).map_err(fail)?;
        let total = file.metadata().ok().map(|metadata| metadata.len());
        let validators = Validators::default();
        let (url, source) = (url.clone(), Source::File(file));
        Ok(Self { url, source, validators, is_packed: false, start: 0, received: 0, total })
    }

    /// Where its bytes begin in the file: where asked, or at 0.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Bytes of the whole file, as the sender announces them.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Whether it came along with others by HTTP/2.
    pub fn is_shared(&self) -> bool {
        matches!(&self.source, Source::Network(response) if response.version() == reqwest::Version::HTTP_2)
    }

    /// What names this version of the file.
    pub fn validators(&self) -> &Validators {
        &self.validators
    }

    /// The next bytes; `None` at the end. The length announced by the server is checked.
    pub async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        let chunk = match &mut self.source {
            Source::Network(response) => response.chunk().await.map_err(|error| {
                HttpError::broken(&self.url, self.start + self.received, self.total, &with_causes(&error))
            })?,
            Source::Parts(parts) => parts.next(self.start + self.received).await?,
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

    /// The whole, unpacked where the server packed it for the way: for pages, never for files,
    /// whose bytes count as they are.
    pub(super) async fn read_page(self, limit: usize) -> Result<Vec<u8>, HttpError> {
        let (url, is_packed) = (self.url.clone(), self.is_packed);
        let bytes = self.read_all(limit).await?;
        if is_packed { unpack(&url, &bytes, limit) } else { Ok(bytes) }
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

fn unpack(url: &MaskedUrl, packed: &[u8], limit: usize) -> Result<Vec<u8>, HttpError> {
    let mut bytes = Vec::with_capacity(unpacked_size(packed).min(limit) + 1);
    let read = MultiGzDecoder::new(packed).take(limit as u64 + 1).read_to_end(&mut bytes);
    match read {
        Ok(_) if bytes.len() > limit => Err(HttpError::TooLong { url: url.clone(), limit }),
        Ok(_) => Ok(bytes),
        Err(error) => {
            let why = format!("what the server packed cannot be unpacked ({error})");
            Err(HttpError::broken(url, packed.len() as u64, None, &why))
        }
    }
}

/// How many bytes `packed` says it unpacks to, in its last four (RFC 1952), as far as that can be.
fn unpacked_size(packed: &[u8]) -> usize {
    /// Nothing is packed any denser.
    const DENSEST: usize = 1032;
    let size = packed.last_chunk().map_or(0, |size| u32::from_le_bytes(*size) as usize);
    size.min(packed.len().saturating_mul(DENSEST))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_unpacks_to_too_much_is_no_page() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&[0; 100_000]).unwrap();
        let packed = packer.finish().unwrap();
        let url = "https://index.example/simple/".parse().unwrap();
        assert_eq!(unpack(&url, &packed, 100_000).unwrap().len(), 100_000);
        assert!(matches!(unpack(&url, &packed, 99_999), Err(HttpError::TooLong { .. })));
        assert!(matches!(unpack(&url, &packed[..50], 100_000), Err(HttpError::Broken { .. })));
    }
}
