//! Runs the `git` program to check out one commit of a repository below the cache folder.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::private_folder;
use crate::cache_folder::{CacheBucket, CacheLayout, remove_anything};
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

/// Settings that no repository can change: no program of its own is run, no prompt is shown, and a
/// server that sends less than 1,000 bytes a second for a minute is given up.
const OPTIONS: [&str; 9] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "core.autocrlf=false",
    "gc.auto=0",
    "protocol.ext.allow=never",
    "safe.bareRepository=explicit",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
];

/// Variables that would make git use another repository, and are removed.
const FOREIGN_VARIABLES: [&str; 5] =
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"];

/// Variables for every run: plain words, which are searched for a reason; no prompts; and the objects
/// that a commit names, no others in their place and none that are fetched on the way.
const VARIABLES: [(&str, &str); 5] = [
    ("LC_ALL", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GCM_INTERACTIVE", "never"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
];

/// An option that closes every transport, by which git could run a program.
const NO_TRANSPORT: [&str; 2] = ["-c", "protocol.allow=never"];

/// Options that open the transports for submodules. git counts none of these as asked for by the user.
const NETWORK_TRANSPORTS: [&str; 8] = [
    "-c",
    "protocol.https.allow=always",
    "-c",
    "protocol.http.allow=always",
    "-c",
    "protocol.ssh.allow=always",
    "-c",
    "protocol.git.allow=always",
];

/// The variables by which [`CREDENTIAL_HELPER`] knows the login.
const LOGIN: [&str; 2] = ["PREFETCH_GIT_USERNAME", "PREFETCH_GIT_PASSWORD"];

/// git's setting that answers with the login of the variables. git asks for it under the address for
/// which it is set alone, so that no redirect leads the login to another host.
const CREDENTIAL_HELPER: &str =
    r#"!printf 'username=%s\npassword=%s\n' "$PREFETCH_GIT_USERNAME" "$PREFETCH_GIT_PASSWORD"; :"#;

/// The number of last lines of git's output that an error shows.
const LAST_LINES: usize = 6;

impl Git {
    /// Checks out what `url` names into its working tree, with submodules.
    ///
    /// A commit hash that was fetched before needs no network; offline, no revision does.
    ///
    /// # Errors
    /// When git is missing, or the repository cannot be reached or does not have the revision.
    pub(super) fn check_out(&self, url: &RepositoryUrl, layout: &CacheLayout) -> Result<WorkingTree, GitError> {
        let name = Sha256::of(format!("{} {}", private_folder::user(), url.secret_address()).as_bytes()).to_string();
        let folder = layout.folder(CacheBucket::Repositories).join(name);
        let in_folder = |why| GitError::Folder { folder: folder.clone(), why };
        private_folder::open(&folder, layout).map_err(in_folder)?;
        let lock = File::create(folder.join("lock")).map_err(in_folder)?;
        lock.lock().map_err(in_folder)?;
        let repository = CachedRepository { git: self, url, tree: folder.join("tree") };
        // A run that was killed while git worked leaves locks of git, which would stay for ever.
        let unfinished = folder.join("unfinished");
        if unfinished.exists() {
            remove_anything(&repository.tree).map_err(in_folder)?;
        }
        File::create(&unfinished).map_err(in_folder)?;
        let commit = repository.commit_in_tree().or_else(|error| match repository.is_damaged() {
            true => {
                remove_anything(&repository.tree).map_err(in_folder)?;
                repository.commit_in_tree()
            }
            false => Err(error),
        });
        remove_anything(&unfinished).map_err(in_folder)?;
        Ok(WorkingTree { commit: commit?, folder: repository.tree, _lock: lock })
    }

    /// Returns the files that git tracks below `folder`, by their paths below it, and the number of files
    /// that it neither tracks nor ignores; `None` if the folder is in no repository.
    pub(super) fn tracked(&self, folder: &Path) -> Option<(Vec<PathBuf>, usize)> {
        let list = |options: &[&str]| {
            let arguments = [&NO_TRANSPORT[..], &["ls-files", "-z"], options].concat();
            let output = self.command(folder, &arguments).output().ok()?;
            output.status.success().then(|| paths(&output.stdout))
        };
        // A submodule cannot be listed together with files that are new.
        let tracked = list(&["--cached", "--recurse-submodules"])?;
        Some((tracked, list(&["--others", "--exclude-standard"])?.len()))
    }

    fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        for option in OPTIONS {
            command.args(["-c", option]);
        }
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        for variable in FOREIGN_VARIABLES {
            command.env_remove(variable);
        }
        command.envs(VARIABLES).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl WorkingTree {
    /// Returns the files of the commit below `subdirectory`, by their paths below it.
    ///
    /// # Errors
    /// When git cannot list them.
    pub(super) fn files(&self, git: &Git, subdirectory: &str) -> Result<Vec<PathBuf>, GitError> {
        let arguments = [&NO_TRANSPORT[..], &["ls-files", "-z", "--cached", "--recurse-submodules"]].concat();
        let output = in_repository(git.command(&self.folder, &arguments), &self.folder).output();
        let output = output.map_err(GitError::Program)?;
        if !output.status.success() {
            return Err(GitError::CheckOut { said: last_lines(&output.stderr) });
        }
        let below = |path: PathBuf| path.strip_prefix(subdirectory).map(Path::to_owned).ok();
        Ok(paths(&output.stdout).into_iter().filter_map(below).collect())
    }
}

/// Lets `command` use the repository of the working tree `tree`, and no other that lies in it.
fn in_repository(mut command: Command, tree: &Path) -> Command {
    command.env("GIT_DIR", tree.join(".git")).env("GIT_WORK_TREE", tree);
    command
}

fn paths(listed: &[u8]) -> Vec<PathBuf> {
    listed.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(path_of_bytes).collect()
}

#[cfg(unix)]
fn path_of_bytes(bytes: &[u8]) -> PathBuf {
    Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes)).to_owned()
}

#[cfg(not(unix))]
fn path_of_bytes(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// A repository in the cache.
struct CachedRepository<'a> {
    git: &'a Git,
    url: &'a RepositoryUrl,
    tree: PathBuf,
}

impl CachedRepository<'_> {
    /// Checks out the commit that is asked for, and returns its hash.
    fn commit_in_tree(&self) -> Result<String, GitError> {
        self.prepare().map_err(|why| GitError::Folder { folder: self.tree.clone(), why })?;
        let commit = self.commit()?;
        self.check_out(&commit).map(|()| commit)
    }

    /// Whether something in the repository is not as git left it, as after a power cut.
    fn is_damaged(&self) -> bool {
        self.run(&["fsck", "--no-progress", "--no-dangling"]).is_err()
    }

    /// Makes the repository if need be, with a configuration of our own.
    fn prepare(&self) -> io::Result<()> {
        let git_folder = self.tree.join(".git");
        if !git_folder.join("HEAD").exists() {
            remove_anything(&self.tree)?;
            for folder in ["objects", "refs"] {
                fs::create_dir_all(git_folder.join(folder))?;
            }
            fs::write(git_folder.join("HEAD"), "ref: refs/heads/main\n")?;
        }
        // The addresses of submodules may be relative to that of the origin.
        let origin = self.url.public_origin().replace(['\\', '"', '\n'], "");
        let config = format!(
            "[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote \"origin\"]\n\turl = \"{origin}\"\n"
        );
        fs::write(git_folder.join("config"), config)
    }

    /// Returns the hash of the commit that is asked for, and fetches it if need be.
    fn commit(&self) -> Result<String, GitError> {
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
        let is_shallow = self.tree.join(".git/shallow").exists();
        let options: &[&str] = if is_shallow { &["--unshallow"] } else { &[] };
        let everything = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"];
        self.fetch(options, &everything)?.map_err(|said| GitError::Fetch { said })?;
        self.find(revision)?.ok_or_else(|| GitError::NoRevision(revision.to_owned()))
    }

    /// Fetches `refspecs`; the inner error is git's output.
    fn fetch(&self, options: &[&str], refspecs: &[&str]) -> Result<Result<(), String>, GitError> {
        let origin = self.url.public_origin();
        let arguments =
            [&["fetch", "--quiet", "--force", "--no-recurse-submodules"], options, &["--", &origin], refspecs].concat();
        let output = self.command(&arguments).output().map_err(GitError::Program)?;
        Ok(if output.status.success() { Ok(()) } else { Err(last_lines(&output.stderr)) })
    }

    /// Returns the commit that `revision` names in the repository; a full hash names itself alone.
    fn find(&self, revision: &str) -> Result<Option<String>, GitError> {
        let asked = format!("{revision}^{{commit}}");
        let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", &asked];
        let output = self.command(&arguments).output().map_err(GitError::Program)?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let is_it = |said: &String| is_full_hash(said) && (!is_full_hash(revision) || said == revision);
        Ok(Some(said).filter(|said| output.status.success() && is_it(said)))
    }

    fn check_out(&self, commit: &str) -> Result<(), GitError> {
        self.run(&[&NO_TRANSPORT[..], &["checkout", "--quiet", "--force", "--detach", commit]].concat())?;
        self.run(&[&NO_TRANSPORT[..], &["clean", "-ffdxq"]].concat())?;
        match self.tree.join(".gitmodules").exists() {
            true => self.check_out_submodules(),
            false => Ok(()),
        }
    }

    /// Fetches and checks out the submodules; offline, only those that were fetched before.
    ///
    /// Other repositories of this machine are none unless the user's own configuration of git says so
    /// (`protocol.file.allow`): whoever wrote this one could name any of them (CVE-2022-39253).
    fn check_out_submodules(&self) -> Result<(), GitError> {
        let of_network: &[&str] = if self.git.offline { &[] } else { &NETWORK_TRANSPORTS };
        let update = ["submodule", "update", "--init", "--recursive", "--force", "--quiet"];
        self.run(&[&NO_TRANSPORT, of_network, &update[..]].concat()).map_err(|error| match error {
            GitError::CheckOut { .. } if self.git.offline => GitError::Offline,
            GitError::CheckOut { said } => GitError::Fetch { said },
            other => other,
        })
    }

    fn run(&self, arguments: &[&str]) -> Result<(), GitError> {
        let output = self.command(arguments).output().map_err(GitError::Program)?;
        match output.status.success() {
            true => Ok(()),
            false => Err(GitError::CheckOut { said: last_lines(&output.stderr) }),
        }
    }

    /// Returns a git command in the repository, which gets the password by a variable: a command line
    /// shows it to every user, that of git's helpers, too.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = in_repository(self.git.command(&self.tree, arguments), &self.tree);
        if let Some(login) = self.url.http_login() {
            // The empty one before it makes git forget others, which would keep the login.
            for (number, helper) in ["", CREDENTIAL_HELPER].into_iter().enumerate() {
                command.env(format!("GIT_CONFIG_KEY_{number}"), format!("credential.{}.helper", login.origin));
                command.env(format!("GIT_CONFIG_VALUE_{number}"), helper);
            }
            command.env("GIT_CONFIG_COUNT", "2");
            command.envs(LOGIN.into_iter().zip([login.username, login.password]));
        }
        command
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

fn last_lines(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    last.iter().map(|line| format!("\n  {}", mask_credentials(line))).collect()
}
