//! A file as an index lists and serves it, with every lie that an index can tell of it.

use hyper::body::Bytes;
use prefetch::domain::{Algorithm, Fingerprint};

use super::core_metadata::normalize;
use super::sdist::Sdist;
use super::wheel::Wheel;

/// A file of an index; made from a [`Wheel`] or an [`Sdist`], or listed without being there.
#[derive(Clone, Debug)]
pub struct Published {
    /// Normalized.
    pub(super) project: String,
    pub(super) filename: String,
    /// `None`: the page lists it, asking for it answers 404.
    pub(super) bytes: Option<Bytes>,
    /// The sidecar's content (PEP 658), where the file is a wheel.
    pub(super) metadata: Option<String>,
    pub(super) requires_python: Option<String>,
    pub(super) yanked: Option<String>,
    pub(super) upload_time: Option<String>,
    href: Option<String>,
    claimed_size: Option<u64>,
    claimed_digest: Option<(Algorithm, String)>,
}

impl Published {
    /// Any bytes under any name.
    pub fn new(project: &str, filename: &str, bytes: impl Into<Bytes>) -> Self {
        Self { bytes: Some(bytes.into()), ..Self::phantom(project, filename) }
    }

    /// A name on the page that leads nowhere; costs nothing, so there may be thousands.
    pub fn phantom(project: &str, filename: &str) -> Self {
        Self {
            project: normalize(project),
            filename: filename.into(),
            bytes: None,
            metadata: None,
            requires_python: None,
            yanked: None,
            upload_time: None,
            href: None,
            claimed_size: None,
            claimed_digest: None,
        }
    }

    /// Marks it as yanked for `reason`, which may be empty (PEP 592).
    pub fn yanked(mut self, reason: &str) -> Self {
        self.yanked = Some(reason.into());
        self
    }

    /// Sets the upload time, an ISO 8601 text (PEP 700).
    pub fn uploaded(mut self, time: &str) -> Self {
        self.upload_time = Some(time.into());
        self
    }

    /// Lets the page state another `Requires-Python` than the file does.
    pub fn claiming_python(mut self, specifiers: &str) -> Self {
        self.requires_python = Some(specifiers.into());
        self
    }

    /// Lets the page state this size.
    pub fn claiming_size(mut self, bytes: u64) -> Self {
        self.claimed_size = Some(bytes);
        self
    }

    /// Lets the page state this digest, and no other.
    pub fn claiming_digest(mut self, algorithm: Algorithm, hex: &str) -> Self {
        self.claimed_digest = Some((algorithm, hex.into()));
        self
    }

    /// Writes this link on the page, untouched, with no digest added.
    pub fn linked_as(mut self, href: &str) -> Self {
        self.href = Some(href.into());
        self
    }

    /// The link as the page has it where [`Published::linked_as`] set one.
    pub(super) fn literal_href(&self) -> Option<&str> {
        self.href.as_deref()
    }

    /// The size that the page states, if it knows one.
    pub(super) fn listed_size(&self) -> Option<u64> {
        self.claimed_size.or_else(|| self.bytes.as_ref().map(|bytes| bytes.len() as u64))
    }

    /// The digests that the page states: by `algorithms`, unless it lies.
    pub(super) fn listed_digests(&self, algorithms: &[Algorithm]) -> Vec<(Algorithm, String)> {
        match (&self.claimed_digest, &self.bytes) {
            (Some(claimed), _) => vec![claimed.clone()],
            (None, Some(bytes)) => algorithms.iter().map(|algorithm| (*algorithm, hex(bytes, *algorithm))).collect(),
            (None, None) => Vec::new(),
        }
    }

    /// Serves this text as the metadata file beside it, whatever it says of itself.
    pub fn described_as(self, metadata: &str) -> Self {
        Self { metadata: Some(metadata.to_owned()), ..self }
    }

    pub(super) fn metadata_sha256(&self) -> Option<String> {
        self.metadata.as_ref().map(|text| hex(text.as_bytes(), Algorithm::Sha256))
    }
}

impl From<Wheel> for Published {
    fn from(wheel: Wheel) -> Self {
        let metadata = wheel.metadata();
        let field = |line: &str| line.strip_prefix("Requires-Python: ").map(str::to_owned);
        Self {
            requires_python: metadata.lines().find_map(field),
            metadata: Some(metadata),
            ..Self::new(wheel.name(), &wheel.filename(), wheel.bytes())
        }
    }
}

impl From<Sdist> for Published {
    fn from(sdist: Sdist) -> Self {
        Self {
            requires_python: sdist.python_specifiers().map(str::to_owned),
            ..Self::new(sdist.name(), &sdist.filename(), sdist.bytes())
        }
    }
}

/// The digest of `bytes` by `algorithm`, in hex.
pub(super) fn hex(bytes: &[u8], algorithm: Algorithm) -> String {
    Fingerprint::of(bytes, &[algorithm]).digest(algorithm).hex.into()
}
