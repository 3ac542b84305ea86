//! The encoding of a listing: the records of its files, then a table of what they are.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::domain::{Algorithm, Version};

/// A file as a page states it, borrowed from the page or from a listing's bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord<'a> {
    /// The last part of the URL's path, percent-decoded, which pip takes for the file's name.
    ///
    /// It is encoded before the other fields, and only if the link does not end in it.
    #[serde(skip)]
    pub filename: &'a str,
    /// The link as written, maybe relative, without fragment.
    pub href: &'a str,
    #[serde(borrow)]
    pub hashes: Vec<(Algorithm, &'a str)>,
    /// Size in bytes.
    pub size: Option<u64>,
    pub requires_python: Option<&'a str>,
    /// The reason, maybe empty, if the file is yanked.
    pub yanked: Option<&'a str>,
    /// The metadata file, if there is one, with its digest, if that is stated.
    pub sidecar: Option<Option<(Algorithm, &'a str)>>,
    /// The upload time in seconds since 1970-01-01 UTC.
    pub uploaded: Option<i64>,
}

impl<'a> FileRecord<'a> {
    /// Appends the encoded record to `bytes`; the file name must have no slash.
    pub fn encode(&self, bytes: Vec<u8>) -> Vec<u8> {
        let folder = self.href.strip_suffix(self.filename);
        let is_last_part = folder.is_some_and(|folder| folder.is_empty() || folder.ends_with('/'));
        let filename = (!is_last_part).then_some(self.filename);
        postcard::to_extend(&(filename, self), bytes).expect("a record can always be encoded")
    }

    /// Decodes the first record in `bytes`; returns it and the rest.
    pub fn take(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let ((filename, record), rest): ((Option<&str>, Self), _) = postcard::take_from_bytes(bytes).ok()?;
        Some((Self { filename: filename.unwrap_or_else(|| last_part(record.href)), ..record }, rest))
    }
}

/// Returns what follows the last slash.
pub(super) fn last_part(href: &str) -> &str {
    href.rsplit('/').next().unwrap_or_default()
}

/// Consecutive files of one version on the page.
#[derive(Clone, Debug)]
pub(super) struct Release {
    pub version: Version,
    pub files: Range<usize>,
}

/// The positions of each version's files in the records, and of files without a version.
pub(super) struct Blocks {
    pub releases: Vec<Release>,
    pub ignored: Vec<Range<usize>>,
    /// The end of the last block.
    pub end: usize,
}

impl Blocks {
    /// Makes the blocks from the `runs` of [`Contents`].
    pub fn of(runs: Vec<(u32, u32)>, versions: &[Version]) -> Self {
        let mut blocks = Self { releases: Vec::with_capacity(runs.len()), ignored: Vec::new(), end: 0 };
        for (version, length) in runs {
            let files = blocks.end..blocks.end + length as usize;
            blocks.end = files.end;
            match versions.get(version as usize) {
                Some(version) => blocks.releases.push(Release { version: version.clone(), files }),
                None => blocks.ignored.push(files),
            }
        }
        blocks.releases.sort_by(|a, b| a.version.cmp(&b.version));
        blocks
    }
}

/// The version of the encoding; a listing in another format is requested again from the index.
pub(super) const FORMAT: u8 = 4;

/// The part after the records, which are encoded [`FileRecord`]s in the order of the page.
///
/// After it come its length and the format, so that nothing needs to be moved once the page has
/// been read.
#[derive(Serialize, Deserialize)]
pub(super) struct Contents<'a> {
    pub base: &'a str,
    #[serde(borrow)]
    pub versions: Vec<&'a str>,
    /// The consecutive records of one version: its position in `versions` (one past the last for
    /// names without a version), and their size in bytes.
    pub runs: Vec<(u32, u32)>,
    pub refused: Vec<(&'a str, &'a str)>,
    pub links_are_unique: bool,
}

/// The size of the encoded length of the [`Contents`], in bytes.
pub(super) const LENGTH: usize = size_of::<u32>();

/// Splits off the encoded [`Contents`]; returns them and the number of bytes before them.
pub(super) fn split(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let (format, rest) = bytes.split_last()?;
    let (rest, length) = rest.split_last_chunk::<LENGTH>().filter(|_| *format == FORMAT)?;
    let records = rest.len().checked_sub(u32::from_le_bytes(*length) as usize)?;
    Some((&rest[records..], records))
}
