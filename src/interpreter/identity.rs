//! The cache of interpreters' answers, each with stamps of the files that it depends on.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cache_folder::{CacheBucket, CacheLayout, FileStamp, Readers};
use crate::domain::Sha256;

use super::find::FoundInterpreter;
use super::{DESCRIBE_TARGET, HostEnvironment, ScriptAnswer};

/// The variables that affect the answers of Python or pip.
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

/// The variables that decide which interpreter a launcher starts, beside the working folder.
const LAUNCHER_VARIABLES: [&str; 5] =
    ["ASDF_PYTHON_VERSION", "CONDA_PREFIX", "MISE_PYTHON_VERSION", "PATH", "PYENV_VERSION"];
const LAUNCHER_FILES: [&str; 4] = [".python-version", ".tool-versions", "mise.toml", ".mise.toml"];

/// The files with a running kernel's release and version, which are markers.
const KERNEL: [&str; 2] = ["/proc/sys/kernel/osrelease", "/proc/sys/kernel/version"];

/// The cache key of an answer.
pub(super) struct Identity {
    key: Sha256,
    /// The files that decide the answer.
    files: Vec<PathBuf>,
}

/// Returns the identity of an executable's answer to `question`, without running it.
pub(super) fn of(found: &FoundInterpreter, question: &str, at: HostEnvironment<'_>) -> Identity {
    let mut parts = vec![DESCRIBE_TARGET.to_owned(), question.to_owned(), format!("{:?}", found.path)];
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

/// A cached answer.
#[derive(Serialize, Deserialize)]
struct CachedAnswer<T> {
    key: String,
    stamps: Vec<(PathBuf, Option<FileStamp>)>,
    answer: ScriptAnswer<T>,
}

/// Returns the cached answer for this identity, if all files that it depends on are unchanged.
pub(super) fn cached_answer<T: DeserializeOwned>(cache: &CacheLayout, identity: &Identity) -> Option<T> {
    let bytes = cache.read(&file(cache, identity))?;
    let cached: CachedAnswer<T> = serde_json::from_slice(&bytes).ok()?;
    let is_current = |(path, stamp): &(PathBuf, Option<FileStamp>)| FileStamp::at(path) == *stamp;
    (cached.key == identity.key.to_string() && cached.stamps.iter().all(is_current)).then_some(cached.answer.answer)
}

/// Caches an answer; the file appears whole or not at all.
pub(super) fn cache_answer<T: Serialize>(
    cache: &CacheLayout,
    identity: &Identity,
    answer: ScriptAnswer<T>,
) -> io::Result<()> {
    let paths = identity.files.iter().chain(&answer.rests_on);
    let cached = CachedAnswer {
        key: identity.key.to_string(),
        stamps: paths.map(|path| (path.clone(), FileStamp::at(path))).collect(),
        answer,
    };
    let bytes = serde_json::to_vec(&cached)?;
    cache.write(&file(cache, identity), &[&bytes], Readers::Umask).map(drop)
}

fn file(cache: &CacheLayout, identity: &Identity) -> PathBuf {
    cache.folder(CacheBucket::Interpreters).join(identity.key.to_string())
}
