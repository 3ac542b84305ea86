//! A place of its own for each run of the binary: folders, home, cache, and nothing of the caller's environment.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use prefetch::cache_folder::{CacheBucket, CacheLayout};
use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

use super::index::ServedIndex;
use super::judges::judges;

/// A folder that goes away with the test. Relative paths mean its `work` folder, where the
/// binary runs.
pub struct Sandbox {
    root: TempDir,
    has_python: bool,
}

impl Sandbox {
    /// With the judges' Python on `PATH`.
    pub fn new() -> Self {
        let sandbox = Self { root: TempDir::new().unwrap(), has_python: true };
        for folder in ["work", "home", "cache", "tmp", "empty"] {
            fs::create_dir(sandbox.root.path().join(folder)).unwrap();
        }
        sandbox
    }

    /// Without any Python that the binary could find.
    pub fn without_python(self) -> Self {
        Self { has_python: false, ..self }
    }

    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.path().join("work").join(relative)
    }

    /// The `--cache-dir` of every run.
    pub fn cache(&self) -> PathBuf {
        self.root.path().join("cache")
    }

    /// A folder of the cache: [`CacheBucket::Pages`], say.
    pub fn cache_folder(&self, bucket: CacheBucket) -> PathBuf {
        CacheLayout::new(self.cache()).folder(bucket)
    }

    /// The folder for temporary files of every run.
    pub fn temporary(&self) -> PathBuf {
        self.root.path().join("tmp")
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, relative: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The binary with `arguments`, to be run.
    pub fn prefetch<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> assert_cmd::Command {
        assert_cmd::Command::from_std(self.process(arguments))
    }

    /// The binary with `arguments` and `index` as its index.
    pub fn prefetch_from<S: AsRef<OsStr>>(
        &self,
        index: &ServedIndex,
        arguments: impl IntoIterator<Item = S>,
    ) -> assert_cmd::Command {
        let mut command = self.prefetch(arguments);
        command.args(["--index-url", &index.url()]);
        if let Some(authority) = index.authority() {
            command.arg("--cert").arg(self.write("authority.pem", authority));
        }
        command
    }

    /// The binary with `arguments`, to be started and watched.
    pub fn process<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prefetch"));
        command.args(arguments).current_dir(self.path("")).env_clear();
        command.env("PATH", if self.has_python { judges().bin() } else { self.root.path().join("empty") });
        command.env("HOME", self.root.path().join("home"));
        command.env("TMPDIR", self.temporary());
        command.env("PREFETCH_CACHE_DIR", self.cache());
        command
    }

    /// The binary with `arguments`, started by a shell that has done `prelude`, such as `umask 077`.
    pub fn prefetch_after<S: AsRef<OsStr>>(
        &self,
        prelude: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> assert_cmd::Command {
        let process = self.process(arguments);
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("{prelude}; exec \"$0\" \"$@\"")]).arg(process.get_program());
        shell.args(process.get_args()).current_dir(self.path("")).env_clear();
        shell.envs(process.get_envs().filter_map(|(name, value)| Some((name, value?))));
        assert_cmd::Command::from_std(shell)
    }

    /// Every file below a folder, as sorted paths with `/`; none if there is no such folder.
    pub fn files(&self, folder: impl AsRef<Path>) -> Vec<String> {
        files_below(&self.path(folder))
    }

    /// The content of a file.
    pub fn read(&self, relative: &str) -> Vec<u8> {
        let path = self.path(relative);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The content of a JSON file: a report, say.
    pub fn json(&self, relative: &str) -> Value {
        serde_json::from_slice(&self.read(relative)).unwrap()
    }

    /// `text` without what differs from run to run: this folder, ports, durations, rates.
    pub fn redact(&self, text: impl AsRef<[u8]>) -> String {
        let text = String::from_utf8_lossy(text.as_ref()).replace(&*self.root.path().to_string_lossy(), "[SANDBOX]");
        let rules = [
            (r"(127\.0\.0\.1|localhost):\d+", "$1:[PORT]"),
            (r"\d+(\.\d+)? ?[KMG]?i?B/s", "[RATE]"),
            (r"\b\d+(\.\d+)? ?(ms|s|seconds?)\b", "[TIME]"),
            (r#""seconds": ?\d+(\.\d+)?"#, "\"seconds\": \"[TIME]\""),
        ];
        rules.iter().fold(text, |text, (pattern, stand_in)| {
            Regex::new(pattern).unwrap().replace_all(&text, *stand_in).into_owned()
        })
    }
}

/// Every file below `folder`, as sorted paths with `/`.
pub fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files_below(&path).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}
