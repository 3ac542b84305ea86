//! The listing of one project on one index, in a compact form that is decoded only where needed.
//!
//! A page may list 20,000 files of which one is wanted. So a listing keeps the files of each
//! version as one encoded block, knows where each block begins, and decodes a block when that
//! version is inspected. The same bytes are in the index cache: a run with a warm cache parses no
//! page.

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashSet;

mod builder;
mod encoding;

pub use builder::ListingBuilder;
pub use encoding::FileRecord;

use encoding::{Blocks, Contents, Release, split};

use super::{
    Candidate, Digest, DistributionFilename, FilenameError, MaskedUrl, PackageName, Sidecar, Timestamp, Version,
    WheelFilename, Yanked,
};

/// An entry of a page that is unusable, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    pub filename: String,
    pub why: String,
}

impl Ignored {
    fn new(filename: &str, why: &str) -> Self {
        Self { filename: filename.to_owned(), why: why.to_owned() }
    }
}

/// The files of one project on one index, grouped by version.
#[derive(Clone, Debug)]
pub struct Listing {
    project: PackageName,
    index: Arc<MaskedUrl>,
    base: MaskedUrl,
    bytes: Arc<Vec<u8>>,
    /// The files by version, rising; those of equal versions are adjacent, in the order of the
    /// page.
    releases: Vec<Release>,
    ignored: Vec<Range<usize>>,
    /// The entries that are no valid files, with the reasons.
    refused: Vec<Ignored>,
    /// Whether only the first of several entries for one link counts.
    links_are_unique: bool,
    /// Whether a link has an `@`, which may follow a user and a password, or a query, which may
    /// hold secrets.
    may_have_credentials: bool,
}

/// The error for bytes in another format, or damaged ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the compact listing cannot be read: {0}")]
pub struct ListingError(String);

impl Listing {
    /// Decodes the listing of `project` on `index`.
    ///
    /// # Errors
    /// When the bytes have another format or are damaged.
    pub fn decode(project: PackageName, index: Arc<MaskedUrl>, bytes: Vec<u8>) -> Result<Self, ListingError> {
        let fail = |error: &dyn std::fmt::Display| ListingError(error.to_string());
        let (contents, records) = split(&bytes).ok_or_else(|| fail(&"it is of another format, or cut short"))?;
        let contents: Contents<'_> = postcard::from_bytes(contents).map_err(|error| fail(&error))?;
        let base = contents.base.parse().map_err(|error| fail(&error))?;
        let versions: Result<Vec<Version>, _> = contents.versions.iter().map(|text| text.parse()).collect();
        let versions = versions.map_err(|error| fail(&error))?;
        let Blocks { releases, ignored, end } = Blocks::of(contents.runs, &versions);
        if end != records {
            return Err(fail(&"its runs are not those of its records"));
        }
        let refused = contents.refused.iter().map(|(filename, why)| Ignored::new(filename, why)).collect();
        let links_are_unique = contents.links_are_unique;
        let bytes = bytes.into();
        Ok(Self {
            project,
            index,
            base,
            bytes,
            releases,
            ignored,
            refused,
            links_are_unique,
            may_have_credentials: false,
        })
    }

    /// Returns the compact form, for [`Listing::decode`].
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Removes the versions that `keep` rejects, with their bytes.
    pub fn retain(mut self, keep: impl Fn(&Version) -> bool) -> Self {
        let mut bytes = Vec::new();
        self.releases.retain_mut(|release| {
            let is_kept = keep(&release.version);
            if is_kept {
                move_block(&self.bytes, &mut release.files, &mut bytes);
            }
            is_kept
        });
        self.ignored.iter_mut().for_each(|block| move_block(&self.bytes, block, &mut bytes));
        bytes.shrink_to_fit();
        self.releases.shrink_to_fit();
        self.bytes = bytes.into();
        self
    }

    pub fn index(&self) -> &Arc<MaskedUrl> {
        &self.index
    }

    pub fn project(&self) -> &PackageName {
        &self.project
    }

    /// Returns the versions on the page, rising, each once.
    pub fn versions(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.releases.chunk_by(|a, b| a.version == b.version).map(|same| &same[0].version)
    }

    /// Whether a link on the page has a user, a password, or a secret in its query.
    ///
    /// Such a page is never cached, so a decoded listing has none.
    pub fn has_credentials(&self) -> bool {
        let blocks = self.releases.iter().map(|release| &release.files).chain(&self.ignored);
        let mut links = blocks.flat_map(|block| self.records(block)).map(|record| self.base.join(record.href));
        self.may_have_credentials && links.any(|link| link.is_ok_and(|link| link.has_credentials()))
    }

    /// Whether there is no usable file.
    pub fn is_empty(&self) -> bool {
        self.releases.is_empty()
    }

    /// Whether there is neither a usable file nor an entry that was refused by itself.
    pub fn is_blank(&self) -> bool {
        self.is_empty() && self.refused.is_empty()
    }

    /// Returns the files of `version`, in the order of the page.
    pub fn files(&self, version: &Version) -> Vec<Candidate> {
        let start = self.releases.partition_point(|release| release.version < *version);
        let same = self.releases[start..].iter().take_while(|release| release.version == *version);
        let mut links = FxHashSet::default();
        let records = same.flat_map(|release| self.records(&release.files));
        let records = records.filter(|record| !self.links_are_unique || links.insert(record.href));
        records.filter_map(|record| self.candidate(&record).ok()).collect()
    }

    /// Returns the file names of the wheel variants (PEP 825) of `version`, which are never chosen.
    pub fn variants(&self, version: &Version) -> impl Iterator<Item = String> {
        let start = self.releases.partition_point(|release| release.version < *version);
        let same = self.releases[start..].iter().take_while(|release| release.version == *version);
        let is_variant = |name: &str| matches!(name.parse::<WheelFilename>(), Err(FilenameError::Variant(_)));
        same.flat_map(|release| self.records(&release.files))
            .filter(move |record| record.filename.matches('-').count() > 4 && is_variant(record.filename))
            .map(|record| record.filename.to_owned())
    }

    /// Returns the unusable entries: invalid names, invalid links, malformed entries.
    pub fn ignored(&self) -> Vec<Ignored> {
        let blocks = self.ignored.iter().chain(self.releases.iter().map(|release| &release.files));
        blocks
            .flat_map(|block| self.records(block))
            .filter_map(|record| {
                let why = self.candidate(&record).err()?;
                Some(Ignored::new(record.filename, &why))
            })
            .chain(self.refused.iter().cloned())
            .collect()
    }

    fn records(&self, block: &Range<usize>) -> Vec<FileRecord<'_>> {
        let mut rest = &self.bytes[block.clone()];
        let mut records = Vec::new();
        while let Some((record, after)) = FileRecord::take(rest) {
            records.push(record);
            rest = after;
        }
        records
    }

    fn candidate(&self, record: &FileRecord<'_>) -> Result<Candidate, String> {
        let distribution =
            DistributionFilename::parse(record.filename, &self.project).map_err(|error| error.to_string())?;
        let url = self.base.join(record.href).map_err(|error| format!("its link is no URL: {error}"))?;
        let scheme = url.secret().scheme();
        // A bundle that is proved has a scheme of its own.
        if !url.is_fetchable() && scheme != self.index.secret().scheme() {
            return Err(format!("its link is a {scheme}: URL, and only http, https and file can be fetched"));
        }
        Ok(Candidate {
            filename: record.filename.into(),
            distribution,
            url,
            index: self.index.clone(),
            hashes: record.hashes.iter().map(|(algorithm, hex)| Digest::new(*algorithm, *hex)).collect(),
            size: record.size,
            requires_python: record.requires_python.and_then(|text| text.parse().ok()),
            yanked: Yanked(record.yanked.map(Into::into)),
            sidecar: record
                .sidecar
                .map(|digest| Sidecar { digest: digest.map(|(algorithm, hex)| Digest::new(algorithm, hex)) }),
            uploaded: record.uploaded.map(Timestamp),
        })
    }
}

/// Copies a block of `old` to the end of `new`, and updates `block` to its position there.
fn move_block(old: &[u8], block: &mut Range<usize>, new: &mut Vec<u8>) {
    let start = new.len();
    new.extend_from_slice(&old[block.clone()]);
    *block = start..new.len();
}

#[cfg(test)]
mod tests {
    use super::encoding::{FORMAT, last_part};
    use super::*;
    use crate::domain::Algorithm;

    fn builder() -> ListingBuilder {
        let index: MaskedUrl = "https://me:pw@index.example/simple/".parse().unwrap();
        let base = index.join("demo/").unwrap();
        ListingBuilder::new("demo".parse().unwrap(), Arc::new(index), base)
    }

    fn record(filename: &str) -> FileRecord<'_> {
        FileRecord { filename, href: filename, ..FileRecord::default() }
    }

    #[test]
    fn files_are_grouped_by_version_and_survive_the_round_trip() {
        let mut builder = builder();
        let names =
            ["demo-1.0.tar.gz", "demo-1.10.zip", "demo-1.0.0-py3-none-any.whl", "demo-1.2.tar.gz", "demo-2004d.zip"];
        for name in names {
            builder.push(&record(name));
        }
        builder.push(&FileRecord {
            hashes: vec![(Algorithm::Sha256, "ab")],
            size: Some(7),
            requires_python: Some(">=3.8"),
            yanked: Some("bad"),
            sidecar: Some(Some((Algorithm::Sha256, "cd"))),
            uploaded: Some(-5),
            ..record("demo-2.0-py3-none-any.whl")
        });
        builder.refuse("demo-3.zip", "it has no `url`");
        let finished = builder.finish();
        let decoded = Listing::decode(finished.project.clone(), finished.index.clone(), finished.bytes().to_vec());
        are_files_grouped(&finished);
        are_files_grouped(&decoded.unwrap());
    }

    fn are_files_grouped(listing: &Listing) {
        let versions: Vec<_> = listing.versions().map(ToString::to_string).collect();
        assert_eq!(versions, ["1.0", "1.2", "1.10", "2.0"]);
        let files: Vec<_> = listing.files(&"1.0".parse().unwrap()).iter().map(ToString::to_string).collect();
        assert_eq!(files, ["demo-1.0.tar.gz", "demo-1.0.0-py3-none-any.whl"]);
        let [wheel] = listing.files(&"2.0".parse().unwrap()).try_into().unwrap();
        assert_eq!(wheel.url.to_string(), "https://index.example/simple/demo/demo-2.0-py3-none-any.whl");
        assert_eq!(wheel.hashes, ["sha256:ab".parse().unwrap()]);
        assert_eq!((wheel.size, wheel.uploaded), (Some(7), Some(Timestamp(-5))));
        assert_eq!(wheel.yanked, Yanked(Some("bad".into())));
        let ignored: Vec<_> = listing.ignored().into_iter().map(|ignored| ignored.filename).collect();
        assert_eq!(ignored, ["demo-2004d.zip", "demo-3.zip"]);
        assert!(!String::from_utf8_lossy(listing.bytes()).contains("pw"));
    }

    #[test]
    fn a_page_from_the_network_links_nothing_of_this_machine() {
        let listing = |page: &str, base: Option<&str>| {
            let page: MaskedUrl = page.parse().unwrap();
            let mut builder = ListingBuilder::new("demo".parse().unwrap(), Arc::new(page.clone()), page);
            for href in [
                "file:///srv/demo-1.0.zip",
                " fi\tle:demo-2.0.zip",
                "git+https://h.example/demo-3.0.zip",
                "demo-4.0.zip",
            ] {
                builder.push(&FileRecord {
                    filename: last_part(href).trim_start_matches(" fi\tle:"),
                    href,
                    ..FileRecord::default()
                });
            }
            base.into_iter().for_each(|base| builder.rebase(base.parse().unwrap()));
            let listing = builder.finish();
            let versions: Vec<_> = listing.versions().map(ToString::to_string).collect();
            let ignored: Vec<_> =
                listing.ignored().into_iter().map(|file| format!("{} {}", file.filename, file.why)).collect();
            (versions.join(" "), ignored.join("\n"))
        };
        let (versions, ignored) = listing("http://h.example/demo/", Some("file:///srv/"));
        assert_eq!(versions, "3.0 4.0");
        assert!(ignored.contains("demo-1.0.zip its link leads to a file of this machine"), "{ignored}");
        assert!(
            ignored.contains("demo-3.0.zip its link is a git+https: URL") && ignored.contains("<base> "),
            "{ignored}"
        );
        assert_eq!(ignored.lines().count(), 4);
        let local = if cfg!(windows) { "file:///C:/srv/" } else { "file:///srv/" };
        assert_eq!(listing(local, None).0, "1.0 2.0 3.0 4.0");
    }

    #[test]
    fn what_is_retained_is_whole() {
        let mut builder = builder();
        for name in ["demo-1.0.tar.gz", "demo-2.0.tar.gz", "demo-3.0.zip", "demo-2.0-py3-none-any.whl", "demo-x.zip"] {
            builder.push(&record(name));
        }
        let all = builder.finish();
        let two: Version = "2.0".parse().unwrap();
        let some = all.clone().retain(|version| *version == two);
        assert_eq!(some.versions().collect::<Vec<_>>(), [&two]);
        assert_eq!(some.files(&two), all.files(&two));
        assert_eq!(some.ignored(), all.ignored());
        assert!(some.bytes().len() < all.bytes().len());
        assert!(all.retain(|_| false).is_empty());
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        let mut builder = builder();
        builder.push(&record("demo-1.0.tar.gz"));
        let listing = builder.finish();
        let decode = |bytes: &[u8]| Listing::decode("demo".parse().unwrap(), listing.index.clone(), bytes.to_vec());
        assert!(decode(listing.bytes()).is_ok());
        assert!(decode(&listing.bytes()[..10]).is_err());
        assert!(decode(&[]).is_err());
        let mut other = listing.bytes().to_vec();
        *other.last_mut().unwrap() = FORMAT + 1;
        assert!(decode(&other).is_err());
        other.insert(0, 0);
        *other.last_mut().unwrap() = FORMAT;
        assert!(decode(&other).is_err(), "a byte too many");
    }
}
