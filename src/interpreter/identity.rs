//! What an answer is remembered by: a key of everything that decides it, and stamps of the files
//! that it rests on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::Sha256;

use super::find::FoundInterpreter;
use super::{HostEnvironment, SCRIPT, ScriptAnswer};

/// Variables that change what Python or pip says of itself.
const VARIABLES: [&str; 18] = [
    "APPDATA",
    "HOME",
    "LOCALAPPDATA",
    "PIP_CONFIG_FILE",
    "PROGRAMDATA",
    "PYTHONHOME",
    "PYTHONNOUSERSITE",
    "PYTHONPATH",
    "PYTHONPLATLIBDIR",
    "PYTHONUSERBASE",
    "SYSTEM_VERSION_COMPAT",
    "USERPROFILE",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_CONFIG_HOME",
    "XDG_DATA_DIRS",
    "_PYTHON_HOST_PLATFORM",
    "__PYVENV_LAUNCHER__",
];

/// What decides which interpreter a launcher starts, beside the folder it is called in.
const LAUNCHER_VARIABLES: [&str; 5] =
    ["ASDF_PYTHON_VERSION", "CONDA_PREFIX", "MISE_PYTHON_VERSION", "PATH", "PYENV_VERSION"];
const LAUNCHER_FILES: [&str; 4] = [".python-version", ".tool-versions", "mise.toml", ".mise.toml"];

/// Where a running kernel tells its release and version, which are markers.
const KERNEL: [&str; 2] = ["/proc/sys/kernel/osrelease", "/proc/sys/kernel/version"];

/// What tells one answer from another.
pub(super) struct Identity {
    key: Sha256,
    /// Files that decide which answer it is.
    files: Vec<PathBuf>,
}

/// The identity of an executable's answer to `question`, found without running it.
pub(super) fn of(found: &FoundInterpreter, question: &str, at: HostEnvironment<'_>) -> Identity {
    let mut parts = vec![SCRIPT.to_owned(), question.to_owned(), format!("{:?}", found.path)];
    let more: &[&str] = if found.is_launcher { &LAUNCHER_VARIABLES } else { &[] };
    parts.extend(VARIABLES.iter().chain(more).map(|name| format!("{name}={:?}", (at.variable)(name))));
    parts.extend(KERNEL.iter().map(|file| fs::read_to_string(file).unwrap_or_default()));
    let folders = found.path.ancestors().skip(1).take(2);
    let mut files = vec![found.path.clone()];
    files.extend(folders.map(|folder| folder.join("pyvenv.cfg")));
    if found.is_launcher {
        parts.push(format!("{:?}", at.folder));
        files.extend(at.folder.ancestors().flat_map(|folder| LAUNCHER_FILES.map(|file| folder.join(file))));
    }
    Identity { key: Sha256::of(parts.join("\0").as_bytes()), files }
}

/// A remembered answer.
#[derive(Serialize, Deserialize)]
struct CachedAnswer<T> {
    key: String,
    stamps: Vec<(PathBuf, Option<ReplacementStamp>)>,
    answer: ScriptAnswer<T>,
}

/// What shows that a file was replaced; absent for a file that is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct ReplacementStamp {
    /// Bytes.
    size: u64,
    /// Nanoseconds since 1970-01-01 UTC.
    modified: u64,
}

impl ReplacementStamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Self { size: metadata.len(), modified: modified.as_nanos() as u64 })
    }
}

/// The answer remembered for this identity, if all that it rests on is as it was.
pub(super) fn cached_answer<T: DeserializeOwned>(folder: &Path, identity: &Identity) -> Option<T> {
    let bytes = fs::read(file(folder, identity)).ok()?;
    let cached: CachedAnswer<T> = serde_json::from_slice(&bytes).ok()?;
    let is_current = |(path, stamp): &(PathBuf, Option<ReplacementStamp>)| ReplacementStamp::of(path) == *stamp;
    (cached.key == identity.key.to_string() && cached.stamps.iter().all(is_current)).then_some(cached.answer.answer)
}

/// Remembers an answer; the file appears whole or not at all.
pub(super) fn cache_answer<T: Serialize>(
    folder: &Path,
    identity: &Identity,
    answer: ScriptAnswer<T>,
) -> io::Result<()> {
    let paths = identity.files.iter().chain(&answer.rests_on);
    let cached = CachedAnswer {
        key: identity.key.to_string(),
        stamps: paths.map(|path| (path.clone(), ReplacementStamp::of(path))).collect(),
        answer,
    };
    fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut temporary, &cached)?;
    temporary.persist(file(folder, identity))?;
    Ok(())
}

fn file(folder: &Path, identity: &Identity) -> PathBuf {
    folder.join(format!("{}.json", identity.key))
}
