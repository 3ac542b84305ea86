//! Checks one file: reads it once to its end, and inspects its content.

use std::io::{self, Read, Seek, SeekFrom};

use super::integrity::ExpectedFiles;
use super::wheel_record;
use super::{Finding, FindingKind};
use crate::archive::{ArchiveMember, SeekableInput};
use crate::domain::{
    Hasher, MetadataSource, MetadataUnavailable, PackageName, Sha256, SourceFilename, WheelFilename, read_chunks,
};
use crate::index::sdist_metadata::{self, SdistError};
use crate::layout::SUMS_PATH;
use crate::ops::buffered_reader::BufferedReader;
use crate::ops::distribution_inspection::DistributionInspection;

/// How much of a distribution's content is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Only lists and metadata, if a manifest has the digest of the whole file.
    Lists,
    /// All files in it, compared with the digests in its own `RECORD`.
    Contents,
}

/// The result of checking a file.
pub struct CheckedFile {
    pub path: String,
    /// The number of bytes that were read.
    pub size: u64,
    /// The SHA-256; `None` if it was not required.
    pub sha256: Option<Sha256>,
    pub inspection: Option<DistributionInspection>,
    /// What is wrong with the content.
    pub faults: Vec<String>,
    /// The text of `SHA256SUMS`.
    pub text: Option<Vec<u8>>,
    /// Why the file could not be read to its end.
    pub unreadable: Option<String>,
}

impl CheckedFile {
    fn of(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            size: 0,
            sha256: None,
            inspection: None,
            faults: Vec::new(),
            text: None,
            unreadable: None,
        }
    }

    /// Returns the file's path and the source of its metadata, if a build may contradict that.
    pub fn unreliable_metadata(&self) -> Option<(String, MetadataSource)> {
        let source = self.inspection.as_ref()?.metadata.as_ref().ok()?.source;
        source.is_unreliable().then(|| (self.path.clone(), source))
    }

    /// Returns what is wrong with the file itself, whatever a manifest states.
    pub fn own_findings(&self) -> impl Iterator<Item = Finding> {
        let unreadable =
            self.unreadable.iter().map(|why| Finding::new(FindingKind::Archive, format!("it cannot be read: {why}")));
        let faults = self.faults.iter().map(|fault| Finding::new(FindingKind::Distribution, fault));
        unreadable.chain(faults).map(|finding| finding.at(&self.path))
    }
}

/// Reads a file that is among `expected`; of any other only the path is kept.
pub fn check_file(mut found: ArchiveMember, expected: &ExpectedFiles) -> CheckedFile {
    let mut checked = CheckedFile::of(found.path.as_str());
    if !expected.expects(&checked.path) {
        return checked;
    }
    if let Err(error) = read(&mut found, &mut checked) {
        checked.unreadable = Some(error.to_string());
        return checked;
    }
    let filename = checked.path.rsplit('/').next().unwrap_or_default().to_owned();
    let project = expected.project(&checked.path);
    if project.is_some() || is_distribution(&filename) {
        inspect_files(found.bytes, &filename, project.as_ref(), expected.depth(), &mut checked);
    }
    checked
}

fn read(found: &mut ArchiveMember, checked: &mut CheckedFile) -> io::Result<()> {
    let mut hasher = Hasher::new(&[]);
    let mut text = (checked.path == SUMS_PATH).then(Vec::new);
    read_chunks(&mut found.bytes, |chunk| {
        hasher.update(chunk);
        text.iter_mut().for_each(|text: &mut Vec<u8>| text.extend(chunk));
        io::Result::Ok(())
    })?;
    let fingerprint = hasher.finish();
    checked.size = fingerprint.size;
    checked.sha256 = Some(fingerprint.sha256);
    checked.text = text;
    found.bytes.seek(SeekFrom::Start(0)).map(drop)
}

fn inspect_files(
    bytes: Box<dyn SeekableInput>,
    filename: &str,
    project: Option<&PackageName>,
    depth: Depth,
    checked: &mut CheckedFile,
) {
    let mut bytes = BufferedReader::new(bytes);
    let inspection = DistributionInspection::of(&mut bytes, filename, project);
    checked.faults = faults(&mut bytes, filename, &inspection, depth);
    checked.inspection = Some(inspection);
}

/// Returns what is wrong with the distribution in `bytes`, whose metadata is in `inspection`.
pub fn faults(
    mut bytes: impl Read + Seek,
    filename: &str,
    inspection: &DistributionInspection,
    depth: Depth,
) -> Vec<String> {
    match &inspection.metadata {
        Err(MetadataUnavailable::Refused(why)) => vec![why.clone()],
        _ if filename.ends_with(".whl") => wheel_record::faults(bytes, depth),
        _ if depth == Depth::Contents => {
            let rewound = bytes.rewind().map_err(SdistError::Tar);
            let checked = rewound.and_then(|()| sdist_metadata::check_contents(bytes, filename));
            checked.err().iter().map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a file in a folder is a distribution by its name.
fn is_distribution(filename: &str) -> bool {
    filename.parse::<WheelFilename>().is_ok() || SourceFilename::guess(filename).is_ok()
}
