//! pip's configuration files: where this machine has them and what they say.
//!
//! Read as pip reads them (`facts/pip.md` 3.10), without starting it. Pure but for
//! [`PipConfig::read`]; the environment is given.

use std::path::{Path, PathBuf};

/// What the configuration files say, weakest file first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipConfig {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    section: String,
    key: String,
    value: String,
}

/// A configuration file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PipConfigError {
    #[error("cannot read pip's configuration {}: {why}", path.display())]
    Read { path: PathBuf, why: std::io::Error },
    #[error("{}:{line}: `{text}` is neither a [section] nor `key = value`; mend it, or set PIP_CONFIG_FILE to another file", path.display())]
    Syntax { path: PathBuf, line: usize, text: String },
}

/// The conventions of an operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Unix,
    MacOs,
    Windows,
}

impl System {
    /// The one that this program runs on.
    pub const HERE: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_os = "macos") {
        Self::MacOs
    } else {
        Self::Unix
    };
}

/// The files that pip would read, weakest first; not all need exist. `prefix` is the
/// interpreter's `sys.prefix`, where it is known.
pub fn locations(
    system: System,
    variable: &dyn Fn(&str) -> Option<String>,
    prefix: Option<&Path>,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let own = variable("PIP_CONFIG_FILE").map(PathBuf::from);
    if own.as_deref().is_some_and(|path| path == Path::new(if system == System::Windows { "nul" } else { "/dev/null" }))
    {
        return Vec::new();
    }
    let mut files = global_files(system, variable);
    if !own.as_deref().is_some_and(exists) {
        files.extend(user_files(system, variable, exists));
    }
    files.extend(prefix.map(|prefix| prefix.join(file_name(system))));
    files.extend(own);
    files
}

fn file_name(system: System) -> &'static str {
    if system == System::Windows { "pip.ini" } else { "pip.conf" }
}

fn global_files(system: System, variable: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let below = |folder: PathBuf| folder.join("pip").join(file_name(system));
    match system {
        System::Windows => variable("ProgramData").map(PathBuf::from).map(below).into_iter().collect(),
        System::MacOs => vec![below("/Library/Application Support".into())],
        System::Unix => {
            let folders = variable("XDG_CONFIG_DIRS").unwrap_or_else(|| "/etc/xdg".to_owned());
            let shared = folders.split(':').filter(|folder| !folder.is_empty()).map(|folder| below(folder.into()));
            shared.chain([PathBuf::from("/etc/pip.conf")]).collect()
        }
    }
}

fn user_files(
    system: System,
    variable: &dyn Fn(&str) -> Option<String>,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let name = file_name(system);
    if system == System::Windows {
        let old = variable("USERPROFILE").map(|home| Path::new(&home).join("pip").join(name));
        return old
            .into_iter()
            .chain(variable("APPDATA").map(|data| Path::new(&data).join("pip").join(name)))
            .collect();
    }
    let Some(home) = variable("HOME").map(PathBuf::from) else { return Vec::new() };
    let support = home.join("Library/Application Support/pip");
    let folder = match variable("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()) {
        _ if system == System::MacOs && exists(&support) => support,
        Some(folder) if system == System::Unix => PathBuf::from(folder).join("pip"),
        _ => home.join(".config/pip"),
    };
    vec![home.join(".pip").join(name), folder.join(name)]
}

impl PipConfig {
    /// Reads `files`, weakest first; those that do not exist say nothing.
    ///
    /// # Errors
    /// When a file exists and cannot be read or understood: pip would fail, too.
    pub fn read(files: &[PathBuf]) -> Result<Self, PipConfigError> {
        let mut config = Self::default();
        for path in files {
            match std::fs::read(path) {
                Ok(bytes) => config.add(path, &String::from_utf8_lossy(&bytes))?,
                Err(why) if why.kind() == std::io::ErrorKind::NotFound => {}
                Err(why) => return Err(PipConfigError::Read { path: path.clone(), why }),
            }
        }
        Ok(config)
    }

    /// The value of `key` (`index-url`) for `pip command`: the command's section in any file
    /// beats `[global]` in any; within a section the last file counts. Empty values are none.
    pub fn get(&self, command: &str, key: &str) -> Option<&str> {
        let last = |section: &str| {
            let mut entries = self.entries.iter().rev();
            entries.find(|entry| entry.section == section && entry.key == key && !entry.value.is_empty())
        };
        last(command).or_else(|| last("global")).map(|entry| entry.value.as_str())
    }

    /// Python's `configparser` without interpolation, as far as pip's files use it.
    fn add(&mut self, path: &Path, text: &str) -> Result<(), PipConfigError> {
        let mut section = None;
        let mut is_open = false;
        for (number, line) in text.lines().enumerate() {
            let content = line.trim();
            if content.starts_with(['#', ';']) {
                continue;
            }
            if is_open && line.starts_with([' ', '\t']) && !content.is_empty() {
                let value = &mut self.entries.last_mut().expect("a value is open").value;
                value.push('\n');
                value.push_str(content);
            } else if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                (section, is_open) = (Some(name.to_owned()), false);
            } else if let Some((key, value)) = content.split_once(['=', ':']).filter(|_| section.is_some()) {
                let section = section.clone().unwrap_or_default();
                self.entries.push(Entry { section, key: normal_key(key), value: value.trim().to_owned() });
                is_open = true;
            } else if !content.is_empty() {
                let text = content.to_owned();
                return Err(PipConfigError::Syntax { path: path.to_owned(), line: number + 1, text });
            }
        }
        Ok(())
    }
}

fn normal_key(key: &str) -> String {
    let key = key.trim().to_lowercase().replace('_', "-");
    key.strip_prefix("--").map(ToOwned::to_owned).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(texts: &[&str]) -> PipConfig {
        let mut config = PipConfig::default();
        for text in texts {
            config.add(Path::new("pip.conf"), text).unwrap();
        }
        config
    }

    #[test]
    fn sections_beat_files() {
        let weak = "[install]\nindex-url = https://weak.example/\n[global]\nretries = 1\n";
        let strong = "[global]\nindex_url: https://strong.example/\n--Retries=2\ntimeout =\n";
        let config = config(&[weak, strong]);
        assert_eq!(config.get("install", "index-url"), Some("https://weak.example/"));
        assert_eq!(config.get("download", "index-url"), Some("https://strong.example/"));
        assert_eq!(config.get("download", "retries"), Some("2"));
        assert_eq!(config.get("download", "timeout"), None);
    }

    #[test]
    fn values_go_on_over_indented_lines() {
        let config =
            config(&["[global]\nfind-links =\n    /a\n    # not this\n    /b\n; nor this\ntrusted-host = h\n"]);
        assert_eq!(config.get("download", "find-links"), Some("\n/a\n/b"));
        assert_eq!(config.get("download", "trusted-host"), Some("h"));
    }

    #[test]
    fn nonsense_names_its_line() {
        let error = PipConfig::default().add(Path::new("pip.conf"), "[global]\n\nnonsense\n").unwrap_err();
        assert!(error.to_string().starts_with("pip.conf:3: `nonsense`"), "{error}");
        assert!(PipConfig::default().add(Path::new("pip.conf"), "a = b").is_err());
    }

    /// The table of `facts/pip.md` 3.10.
    #[test]
    fn files_lie_where_pip_looks() {
        let files = |system, variables: &[(&str, &str)], exists: bool| {
            let variable =
                |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            let files = locations(system, &variable, Some(Path::new("/venv")), &|_| exists);
            files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            files(System::Unix, &[("HOME", "/home/me")], false),
            [
                "/etc/xdg/pip/pip.conf",
                "/etc/pip.conf",
                "/home/me/.pip/pip.conf",
                "/home/me/.config/pip/pip.conf",
                "/venv/pip.conf"
            ],
        );
        assert_eq!(
            files(System::Unix, &[("HOME", "/h"), ("PIP_CONFIG_FILE", "/own"), ("XDG_CONFIG_DIRS", "/a:/b")], true),
            ["/a/pip/pip.conf", "/b/pip/pip.conf", "/etc/pip.conf", "/venv/pip.conf", "/own"],
        );
        assert_eq!(
            files(System::MacOs, &[("HOME", "/h")], true)[1..3],
            ["/h/.pip/pip.conf", "/h/Library/Application Support/pip/pip.conf"],
        );
        assert!(files(System::Unix, &[("PIP_CONFIG_FILE", "/dev/null")], true).is_empty());
    }
}
