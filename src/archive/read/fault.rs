//! Faults of an archive itself, apart from the content of its files.

use std::io;
use std::path::PathBuf;

use crate::domain::RelPathError;

/// Something that an archive made by this program does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveFault {
    #[error(transparent)]
    Name(#[from] RelPathError),
    #[error("the name `{0}` is not UTF-8")]
    Encoding(String),
    #[error("`{0}` is there twice")]
    Twice(String),
    #[error("`{first}` and `{second}` are one name on systems that do not tell cases apart")]
    Cases { first: String, second: String },
    #[error("`{path}` is {what}; a bundle holds plain files only")]
    Kind { path: String, what: &'static str },
    #[error("`{0}` is encrypted")]
    Encrypted(String),
    #[error("`{path}` is packed by method {method}, which no bundle uses")]
    Method { path: String, method: u16 },
    #[error("the archive ends too early{}: copy it again", at(path))]
    Truncated { path: Option<String> },
    #[error("the archive cannot be read{}: {why}", at(path))]
    Damaged { path: Option<String>, why: String },
    #[error("the checksum at the end of the archive is not that of its content: copy it again")]
    Checksum,
    #[error("something follows the end of the archive")]
    Trailing,
    #[error(
        "the archive is not byte for byte as prefetch writes it{}: it was altered, or packed again by another tool; its \
         files are judged by themselves",
        at(path)
    )]
    Altered { path: Option<String> },
    #[error(
        "the archive says two things{}: {what}; other programs may unpack other files than those that are checked here",
        at(path)
    )]
    Ambiguous { path: Option<String>, what: &'static str },
    #[error("the archive unpacks to more than the {limit} bytes that its manifest accounts for; the rest was not read")]
    TooLarge { limit: u64 },
    #[error("the volume `{0}` is missing")]
    NoVolume(String),
    #[error("the volume `{name}` has {got} bytes of {expected}: copy it again")]
    VolumeSize { name: String, expected: u64, got: u64 },
    #[error("the volume `{0}` was altered: copy it again")]
    VolumeDigest(String),
    #[error("`{0}` is no index of volumes")]
    VolumeIndex(String),
}

fn at(path: &Option<String>) -> String {
    path.as_ref().map(|path| format!(" at `{path}`")).unwrap_or_default()
}

impl ArchiveFault {
    /// Whether there may be files that cannot be found because of this fault.
    pub(super) fn hides_files(&self) -> bool {
        matches!(self, Self::Truncated { path: None } | Self::Damaged { path: None, .. })
    }

    /// Returns the fault for an error while reading.
    pub(super) fn of_io(error: &io::Error, path: Option<String>) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated { path },
            _ => Self::Damaged { path, why: error.to_string() },
        }
    }
}

/// Why an archive cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{} cannot be read: {why}", path.display())]
    Unreadable { path: PathBuf, why: io::Error },
    #[error("{}: {fault}", path.display())]
    Malformed { path: PathBuf, fault: ArchiveFault },
    #[error("{} is neither a folder nor a zip or tar archive", .0.display())]
    NoArchive(PathBuf),
}
