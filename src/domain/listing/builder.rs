//! Builds a [`Listing`] from the files of a page, one by one.

use std::collections::HashMap;
use std::sync::Arc;

use rustc_hash::FxBuildHasher;

use super::encoding::{Blocks, Contents, FORMAT, FileRecord, LENGTH};
use super::{Ignored, Listing};
use crate::domain::{DistributionFilename, MaskedUrl, PackageName, RelPath, Version};

/// Collects the files of a page into a [`Listing`].
pub struct ListingBuilder {
    project: PackageName,
    index: Arc<MaskedUrl>,
    base: MaskedUrl,
    /// The encoded records, in the order of the page.
    records: Vec<u8>,
    /// The versions as written, each text once.
    versions: Vec<(Box<str>, Version)>,
    positions: HashMap<Box<str>, usize, FxBuildHasher>,
    runs: Vec<Run>,
    /// The beginning of the last wheel's name, up to the dash after its version, with the position
    /// of that version; the next name mostly begins with the same text.
    wheel: Option<(String, usize)>,
    refused: Vec<Ignored>,
    links_are_unique: bool,
    may_have_credentials: bool,
}

/// The reason for refusing a link to a local file.
const LOCAL_LINK: &str = "its link leads to a file of this machine, which no page from the network may name";

/// Consecutive records of one version.
struct Run {
    /// The position of their version; `None` if the name states none.
    version: Option<usize>,
    /// The offset of the first record.
    start: usize,
}

impl ListingBuilder {
    /// Makes a builder; relative links are resolved against `base`, the page's own URL after
    /// redirects.
    pub fn new(project: PackageName, index: Arc<MaskedUrl>, base: MaskedUrl) -> Self {
        Self {
            project,
            index,
            base,
            records: Vec::new(),
            versions: Vec::new(),
            positions: HashMap::default(),
            runs: Vec::new(),
            wheel: None,
            refused: Vec::new(),
            links_are_unique: false,
            may_have_credentials: false,
        }
    }

    /// Lets only the first of several entries for one link count, as pip does on JSON pages.
    ///
    /// On HTML pages pip distinguishes links also by the digests in their fragments, and the last
    /// one counts.
    #[must_use]
    pub fn with_unique_links(mut self) -> Self {
        self.links_are_unique = true;
        self
    }

    /// Reserves memory for the files of a page of `length` bytes.
    #[must_use]
    pub fn with_room_for(mut self, length: usize) -> Self {
        /// The limit of reserved memory in bytes, since a page may claim any length.
        const MOST: usize = 16 << 20;
        self.records.reserve((length / 2).min(MOST));
        self
    }

    /// Resolves all links against `base`, since the page has a `<base>`, and refuses those that a
    /// page from the network may not have.
    pub fn rebase(&mut self, base: MaskedUrl) {
        match self.link_fault(base.secret().as_str()) {
            None => self.base = base,
            Some(why) => self.refuse("<base>", why),
        }
    }

    /// Adds the next file of the page.
    ///
    /// A file whose name is no valid file name is refused, whatever else the page states.
    pub fn push(&mut self, record: &FileRecord<'_>) {
        if let Some(why) = RelPath::file_name_fault(record.filename) {
            return self.refuse(record.filename, why);
        }
        if let Some(why) = self.link_fault(record.href) {
            return self.refuse(record.filename, why);
        }
        self.may_have_credentials |= memchr::memchr2(b'@', b'?', record.href.as_bytes()).is_some();
        let version = self.version(record.filename);
        if self.runs.last().is_none_or(|run| run.version != version) {
            self.runs.push(Run { version, start: self.records.len() });
        }
        let records = std::mem::take(&mut self.records);
        self.records = record.encode(records);
    }

    /// Returns why a page from the network may not have the link `href`: it leads to a local file.
    fn link_fault(&self, href: &str) -> Option<&'static str> {
        let is_usual = href.starts_with("https://") || href.starts_with("http://");
        if is_usual || memchr::memchr(b':', href.as_bytes()).is_none() {
            return None;
        }
        let link = self.base.join(href).ok()?;
        (link.is_local() && !self.base.is_local()).then_some(LOCAL_LINK)
    }

    /// Adds an entry that is no valid file, with its name and the reason.
    pub fn refuse(&mut self, filename: &str, why: &str) {
        self.refused.push(Ignored::new(filename, why));
    }

    /// Returns the position of the version in `filename`, if it can be parsed.
    fn version(&mut self, filename: &str) -> Option<usize> {
        let is_wheel = filename.ends_with(".whl");
        if let Some((_, version)) = self.wheel.as_ref().filter(|(start, _)| is_wheel && filename.starts_with(start)) {
            return Some(*version);
        }
        let text = DistributionFilename::version_text(filename, &self.project).ok()?;
        let version = self.version_of(text)?;
        let end = text.as_ptr() as usize - filename.as_ptr() as usize + text.len();
        if is_wheel && filename.as_bytes().get(end) == Some(&b'-') {
            self.wheel = Some((filename[..=end].to_owned(), version));
        }
        Some(version)
    }

    /// Returns the position of the version `text`, if it is a valid one.
    fn version_of(&mut self, text: &str) -> Option<usize> {
        if let Some(known) = self.positions.get(text) {
            return Some(*known);
        }
        let version = text.parse().ok()?;
        self.positions.insert(text.into(), self.versions.len());
        self.versions.push((text.into(), version));
        Some(self.versions.len() - 1)
    }

    /// Returns the listing of all files that were added.
    pub fn finish(self) -> Listing {
        let (base, runs) = (self.base.public(), self.encoded_runs());
        let contents = Contents {
            base: &base,
            versions: self.versions.iter().map(|(text, _)| &**text).collect(),
            runs: runs.clone(),
            refused: self.refused.iter().map(|refused| (&*refused.filename, &*refused.why)).collect(),
            links_are_unique: self.links_are_unique,
        };
        let records = self.records.len();
        let mut bytes = postcard::to_extend(&contents, self.records).expect("a table can always be encoded");
        let length = (bytes.len() - records) as u32;
        bytes.reserve_exact(LENGTH + 1);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.push(FORMAT);
        bytes.shrink_to_fit();
        let versions: Vec<_> = self.versions.into_iter().map(|(_, version)| version).collect();
        let Blocks { releases, ignored, .. } = Blocks::of(runs, &versions);
        Listing {
            project: self.project,
            index: self.index,
            base: base.parse().expect("what is told of a URL is one"),
            bytes: bytes.into(),
            releases,
            ignored,
            refused: self.refused,
            links_are_unique: self.links_are_unique,
            may_have_credentials: self.may_have_credentials,
        }
    }

    fn encoded_runs(&self) -> Vec<(u32, u32)> {
        let ends = self.runs.iter().skip(1).map(|run| run.start).chain([self.records.len()]);
        let versions = self.versions.len();
        let encoded = |(run, end): (&Run, usize)| (run.version.unwrap_or(versions) as u32, (end - run.start) as u32);
        self.runs.iter().zip(ends).map(encoded).collect()
    }
}
