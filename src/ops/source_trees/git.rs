//! Runs the `git` program to check out one commit of a repository below the cache folder.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::cache_folder::{CacheBucket, CacheLayout};
use crate::domain::{RepositoryUrl, Sha256, mask_credentials};

/// The settings with which git is run.
#[derive(Clone, Debug, Default)]
pub struct Git {
    /// Whether the network is forbidden; repositories on this machine can be read all the same.
    pub offline: bool,
    /// Variables for git in addition to those of this process.
    pub variables: Vec<(&'static str, OsString)>,
}

/// Why git cannot check out a commit.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("the program `git` cannot be run ({0}); install it, or name a wheel or an archive instead")]
    Program(io::Error),
    #[error("it is not in the cache, and no network may be asked")]
    Offline,
    #[error("it has no branch, tag or commit `{0}`")]
    NoRevision(String),
    #[error("git could not fetch it:{said}")]
    Fetch { said: String },
    #[error("git could not check it out:{said}")]
    CheckOut { said: String },
    #[error("its working tree {} cannot be used: {why}", folder.display())]
    Folder { folder: PathBuf, why: io::Error },
}

/// A commit in a working tree, which no other process changes while this value lives.
pub(super) struct WorkingTree {
    pub folder: PathBuf,
    /// The full hash of the commit.
    pub commit: String,
    _lock: File,
}

/// Settings that no repository can change: no hooks, no prompts, and a timeout for servers that
/// send less than 1,000 bytes a second for a minute.
const OPTIONS: [&str; 7] = [
    "core.hooksPath=/dev/null",
    "core.askPass=",
    "core.autocrlf=false",
    "gc.auto=0",
    "protocol.ext.allow=never",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
];

/// Variables that would make git use another repository, and are removed.
const FOREIGN_VARIABLES: [&str; 5] =
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"];

/// An alias for an address with a password, which a command line would show to every user.
const ALIAS: &str = "prefetch:repository";

/// The number of last lines of git's output that an error shows.
const LAST_WORDS: usize = 6;

impl Git {
    /// Checks out what `url` names into its working tree, with submodules.
    ///
    /// A full commit hash that was fetched before needs no network; offline, no revision does.
    ///
    /// # Errors
    /// When git is missing, or the repository cannot be reached or does not have the revision.
    pub(super) fn check_out(&self, url: &RepositoryUrl, layout: &CacheLayout) -> Result<WorkingTree, GitError> {
        let name = Sha256::of(url.secret_address().as_bytes()).to_string();
        let folder = layout.folder(CacheBucket::Repositories).join(name);
        let in_folder = |why| GitError::Folder { folder: folder.clone(), why };
        layout.make_folder(&folder).map_err(in_folder)?;
        let lock = File::create(folder.with_extension("lock")).map_err(in_folder)?;
        lock.lock().map_err(in_folder)?;
        let repository = Repository { git: self, url, folder: &folder };
        let commit = repository.commit()?;
        repository.check_out(&commit)?;
        Ok(WorkingTree { folder, commit, _lock: lock })
    }

    /// Returns the tracked files of the working tree that `folder` is in, by their paths below
    /// `folder`, and the number of files that git neither tracks nor ignores; `None` if it is in
    /// none.
    pub(super) fn tracked(&self, folder: &Path) -> Option<(Vec<PathBuf>, usize)> {
        let list = |options: &[&str]| {
            let output = self.run(folder, &[&["ls-files", "-z"], options].concat(), None).ok()?;
            output.status.success().then(|| paths(&output.stdout))
        };
        // A submodule cannot be listed together with files that are new.
        let tracked = list(&["--cached", "--recurse-submodules"])?;
        Some((tracked, list(&["--others", "--exclude-standard"])?.len()))
    }

    fn run(&self, folder: &Path, arguments: &[&str], address: Option<&str>) -> Result<Output, GitError> {
        let mut command = Command::new("git");
        for option in OPTIONS {
            command.args(["-c", option]);
        }
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        for variable in FOREIGN_VARIABLES {
            command.env_remove(variable);
        }
        // Its words are searched for a reason, and no question is ever put to anybody.
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GCM_INTERACTIVE", "never");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(address) = address {
            command.env("GIT_CONFIG_COUNT", "1");
            command.env("GIT_CONFIG_KEY_0", format!("url.{address}.insteadOf")).env("GIT_CONFIG_VALUE_0", ALIAS);
        }
        command.output().map_err(GitError::Program)
    }
}

fn paths(listed: &[u8]) -> Vec<PathBuf> {
    listed.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(path_of_bytes).collect()
}

#[cfg(unix)]
fn path_of_bytes(bytes: &[u8]) -> PathBuf {
    Path::new(<OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes)).to_owned()
}

#[cfg(not(unix))]
fn path_of_bytes(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// A repository in the cache.
struct Repository<'a> {
    git: &'a Git,
    url: &'a RepositoryUrl,
    folder: &'a Path,
}

impl Repository<'_> {
    /// Returns the hash of the requested commit, which is fetched if necessary.
    fn commit(&self) -> Result<String, GitError> {
        if !self.folder.join(".git").exists() {
            self.run(&["init", "--quiet"])?;
        }
        let revision = self.url.revision.as_deref().unwrap_or("HEAD");
        if is_hash(revision)
            && let Some(commit) = self.find(revision)?
        {
            return Ok(commit);
        }
        let fetched = format!("refs/prefetch/{}", Sha256::of(revision.as_bytes()));
        if self.git.offline && !self.url.is_local() {
            return self.find(&fetched)?.ok_or(GitError::Offline);
        }
        let refspec = format!("+{revision}:{fetched}");
        match self.fetch(&["--depth=1", "--no-tags"], &[&refspec])? {
            Ok(()) => self.find(&fetched)?.ok_or_else(|| GitError::NoRevision(revision.to_owned())),
            Err(said) if !is_missing(&said) => Err(GitError::Fetch { said }),
            // Servers give a commit by its full hash at most, and not every server does.
            Err(_) if is_hash(revision) => self.fetch_all(revision),
            Err(_) => Err(GitError::NoRevision(revision.to_owned())),
        }
    }

    fn fetch_all(&self, revision: &str) -> Result<String, GitError> {
        let is_shallow = self.folder.join(".git/shallow").exists();
        let options: &[&str] = if is_shallow { &["--unshallow"] } else { &[] };
        let everything = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"];
        self.fetch(options, &everything)?.map_err(|said| GitError::Fetch { said })?;
        self.find(revision)?.ok_or_else(|| GitError::NoRevision(revision.to_owned()))
    }

    /// Fetches `refspecs`; the inner error is git's output.
    fn fetch(&self, options: &[&str], refspecs: &[&str]) -> Result<Result<(), String>, GitError> {
        let address = self.url.secret_address();
        let has_secret = mask_credentials(address) != address;
        let given = if has_secret { ALIAS } else { address };
        let arguments =
            [&["fetch", "--quiet", "--force", "--no-recurse-submodules"], options, &["--", given], refspecs].concat();
        let output = self.git.run(self.folder, &arguments, has_secret.then_some(address))?;
        Ok(if output.status.success() { Ok(()) } else { Err(last_words(&output.stderr)) })
    }

    /// Returns the commit that `revision` names in the repository.
    fn find(&self, revision: &str) -> Result<Option<String>, GitError> {
        let asked = format!("{revision}^{{commit}}");
        let output =
            self.git.run(self.folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &asked], None)?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Some(said).filter(|said| output.status.success() && is_full_hash(said)))
    }

    fn check_out(&self, commit: &str) -> Result<(), GitError> {
        self.run(&["checkout", "--quiet", "--force", "--detach", commit])?;
        self.run(&["clean", "-ffdxq"])?;
        match self.folder.join(".gitmodules").exists() {
            true => self.run(&["submodule", "update", "--init", "--recursive", "--force", "--quiet"]),
            false => Ok(()),
        }
    }

    fn run(&self, arguments: &[&str]) -> Result<(), GitError> {
        let output = self.git.run(self.folder, arguments, None)?;
        match output.status.success() {
            true => Ok(()),
            false => Err(GitError::CheckOut { said: last_words(&output.stderr) }),
        }
    }
}

/// Whether the text may be the hash of a commit, or its beginning.
fn is_hash(revision: &str) -> bool {
    (7..=64).contains(&revision.len()) && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_full_hash(revision: &str) -> bool {
    is_hash(revision) && matches!(revision.len(), 40 | 64)
}

/// Whether git's output says that the server does not have the reference, or refuses to send a
/// commit by its hash.
fn is_missing(said: &str) -> bool {
    ["couldn't find remote ref", "not our ref", "unadvertised object", "Server does not allow request"]
        .iter()
        .any(|words| said.contains(words))
}

fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LAST_WORDS)..];
    last.iter().map(|line| format!("\n  {}", mask_credentials(line))).collect()
}
