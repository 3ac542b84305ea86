//! The distributions of a folder or bundle, read to their end before anything is sent.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Seek};
use std::path::Path;

use blake2::{Blake2b256, Digest as _};

use super::{PushError, form_fields};
use crate::archive::{CancelFlag, CancellableReader, Extent};
use crate::domain::{Algorithm, Digest, Fingerprint, Hasher, PackageName, Sha256, Version, WheelFilename, read_chunks};
use crate::http::UploadForm;
use crate::index::sdist_metadata;
use crate::index::wheel_metadata;
use crate::ops::cache::identify;
use crate::ops::members::Members;
use crate::parallel;

/// A wheel or source archive to push.
#[derive(Debug)]
pub struct Distribution {
    pub filename: String,
    pub project: PackageName,
    pub version: Version,
    pub fingerprint: Fingerprint,
    blake2: String,
    /// The metadata as fields of the form.
    metadata: Vec<(String, String)>,
    kind: DistributionKind,
    extent: Extent,
}

#[derive(Debug)]
enum DistributionKind {
    /// With its Python tags.
    Wheel(Box<str>),
    Source,
}

/// All distributions of a folder or bundle, sorted by file name.
#[derive(Debug)]
pub struct Distributions {
    pub files: Vec<Distribution>,
    /// Files that cannot be pushed, since they lead out of the folder or their names are invalid.
    pub left_out: Vec<String>,
    /// Keeps the temporary folder with unpacked files.
    _members: Members,
}

/// Files that are damaged, or not what their names say; a sentence for each.
#[derive(Debug)]
pub struct UnusableFiles(pub Vec<String>);

impl fmt::Display for UnusableFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// A member of the folder or bundle that is a distribution by its name.
struct FoundDistribution<'a> {
    filename: &'a str,
    extent: &'a Extent,
    /// The digest that the bundle's manifest states.
    promised: Option<Sha256>,
}

impl Distributions {
    pub(super) fn read(path: &Path, scratch: &Path, cancel: &CancelFlag) -> Result<Self, PushError> {
        let mut members = Members::find(path, scratch, cancel)?;
        let promised = promised_digests(&members)?;
        let found = members.distributions().map(|(filename, path, extent)| FoundDistribution {
            filename,
            extent,
            promised: promised.get(path.as_str()).copied(),
        });
        let found: Vec<_> = found.collect();
        let read = parallel::map(&found, parallel::threads(), |found| {
            Distribution::read(found, cancel).map_err(|why| format!("{} cannot be pushed: {why}", found.filename))
        });
        let files = unique(read)?;
        if files.is_empty() {
            return Err(PushError::Empty);
        }
        Ok(Self { files, left_out: std::mem::take(&mut members.left_out), _members: members })
    }
}

/// Returns the digests that the manifest states, by path; none if there is no manifest.
fn promised_digests(members: &Members) -> Result<BTreeMap<String, Sha256>, PushError> {
    let Some(manifest) = members.manifest().map_err(PushError::Manifest)? else { return Ok(BTreeMap::new()) };
    let files = manifest.files().filter_map(|(_, file)| Some((file.path.clone(), file.sha256.parse().ok()?)));
    Ok(files.collect())
}

/// Returns each file once; two of one name must have the same bytes.
fn unique(read: Vec<Result<Distribution, String>>) -> Result<Vec<Distribution>, PushError> {
    let (mut files, mut unusable) = (BTreeMap::<String, Distribution>::new(), Vec::new());
    for file in read {
        match file {
            Err(why) => unusable.push(why),
            Ok(file) => match files.get(&file.filename) {
                Some(other) if other.fingerprint != file.fingerprint => {
                    unusable.push(format!("{} is there twice, with different bytes", file.filename));
                }
                _ => drop(files.insert(file.filename.clone(), file)),
            },
        }
    }
    if unusable.is_empty() {
        Ok(files.into_values().collect())
    } else {
        Err(PushError::Unusable(UnusableFiles(unusable)))
    }
}

impl Distribution {
    fn read(found: &FoundDistribution<'_>, cancel: &CancelFlag) -> Result<Self, String> {
        let in_words = |error: io::Error| format!("it cannot be read: {error}");
        let mut input = CancellableReader::new(found.extent.open().map_err(in_words)?, cancel);
        let (fingerprint, blake2) = digests(&mut input).map_err(in_words)?;
        if let Some(promised) = found.promised.filter(|promised| *promised != fingerprint.sha256) {
            return Err(format!("the manifest promises sha256:{promised}, it has sha256:{}", fingerprint.sha256));
        }
        input.rewind().map_err(in_words)?;
        if found.promised.is_none() {
            identify::check(&mut input, found.filename)?;
            input.rewind().map_err(in_words)?;
        }
        let (project, version, kind, metadata) = match found.filename.parse::<WheelFilename>() {
            Ok(wheel) => {
                let file = wheel_metadata::read(&mut input, &wheel).map_err(|error| error.to_string())?;
                let metadata = form_fields::of_metadata(&file.bytes);
                (wheel.name, wheel.version, DistributionKind::Wheel(wheel.python), metadata)
            }
            Err(error) if found.filename.ends_with(".whl") => return Err(error.to_string()),
            Err(_) => source(&mut input, found.filename)?,
        };
        let (filename, extent) = (found.filename.to_owned(), found.extent.clone());
        Ok(Self { filename, project, version, fingerprint, blake2, metadata, kind, extent })
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.fingerprint.size
    }

    /// Returns the digest to compare with one of those that an index states; `None` if none of them
    /// was computed.
    pub(super) fn comparable(&self, listed: &[Digest]) -> Option<(Digest, Digest)> {
        let by = |algorithm| listed.iter().find(|digest| digest.algorithm == algorithm && digest.is_well_formed());
        let listed = by(Algorithm::Sha256).or_else(|| by(Algorithm::Md5))?;
        Some((listed.clone(), self.fingerprint.digest(listed.algorithm)))
    }

    /// Returns the form that uploads it.
    pub(super) fn form(&self) -> UploadForm {
        let (file_type, python) = match &self.kind {
            DistributionKind::Wheel(python) => ("bdist_wheel", &**python),
            DistributionKind::Source => ("sdist", "source"),
        };
        let md5 = self.fingerprint.digest(Algorithm::Md5).hex;
        let sha256 = self.fingerprint.sha256.to_string();
        let own = [
            (":action", "file_upload"),
            ("protocol_version", "1"),
            ("filetype", file_type),
            ("pyversion", python),
            ("md5_digest", &md5),
            ("sha256_digest", &sha256),
            ("blake2_256_digest", &self.blake2),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let extent = self.extent.clone();
        UploadForm {
            fields: own.into_iter().chain(self.metadata.iter().cloned()).collect(),
            file_field: "content",
            filename: self.filename.clone(),
            size: self.size(),
            open: Box::new(move || Ok(Box::new(extent.open()?))),
        }
    }
}

type Identity = (PackageName, Version, DistributionKind, Vec<(String, String)>);

/// Returns what a source archive says of itself; an old one without `PKG-INFO` only its name and
/// version.
fn source(input: &mut (impl Read + Seek), filename: &str) -> Result<Identity, String> {
    let top = sdist_metadata::top_files(input, filename).map_err(|error| error.to_string())?;
    let release = top.release(filename).map_err(|error| format!("its name is no source archive's: {error}"))?;
    let metadata = match &top.pkg_info {
        Some(file) => {
            file.check(&release.name, &release.version).map_err(|error| error.to_string())?;
            form_fields::of_metadata(&file.bytes)
        }
        None => {
            let (name, version) = (release.name.to_string(), release.version.to_string());
            [("metadata_version", "1.0".to_owned()), ("name", name), ("version", version)]
                .map(|(name, value)| (name.to_owned(), value))
                .into()
        }
    };
    Ok((release.name, release.version, DistributionKind::Source, metadata))
}

fn digests(input: &mut impl Read) -> io::Result<(Fingerprint, String)> {
    let (mut hasher, mut blake2) = (Hasher::new(&[Algorithm::Md5]), Blake2b256::new());
    read_chunks(input, |chunk| {
        hasher.update(chunk);
        blake2.update(chunk);
        io::Result::Ok(())
    })?;
    Ok((hasher.finish(), blake2.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}
