//! Finds pip's configuration files (`docs/facts/pip.md` 3.10) without starting pip.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::HostEnvironment;

/// An operating system, by its conventions for folders and variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostSystem {
    Unix,
    MacOs,
    Windows,
}

impl HostSystem {
    /// The system that this program runs on.
    pub const HERE: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_os = "macos") {
        Self::MacOs
    } else {
        Self::Unix
    };
}

/// Returns the files that pip would read, weakest first; not all need exist.
///
/// `prefix` is the interpreter's `sys.prefix`, if it is known.
pub(super) fn locations(
    system: HostSystem,
    host: HostEnvironment<'_>,
    prefix: Option<&Path>,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let variable = |name: &str| host.set(name);
    let own = variable("PIP_CONFIG_FILE").map(PathBuf::from);
    if own
        .as_deref()
        .is_some_and(|path| path == Path::new(if system == HostSystem::Windows { "nul" } else { "/dev/null" }))
    {
        return Vec::new();
    }
    let mut files = global_files(system, &variable);
    if !own.as_deref().is_some_and(exists) {
        files.extend(user_files(system, &variable, exists));
    }
    files.extend(prefix.map(|prefix| prefix.join(file_name(system))));
    files.extend(own);
    files
}

fn file_name(system: HostSystem) -> &'static str {
    if system == HostSystem::Windows { "pip.ini" } else { "pip.conf" }
}

fn global_files(system: HostSystem, variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let below = |folder: PathBuf| folder.join("pip").join(file_name(system));
    match system {
        HostSystem::Windows => variable("PROGRAMDATA").map(PathBuf::from).map(below).into_iter().collect(),
        HostSystem::MacOs => vec![below("/Library/Application Support".into())],
        HostSystem::Unix => {
            let folders = variable("XDG_CONFIG_DIRS").unwrap_or_else(|| "/etc/xdg".into());
            let shared = std::env::split_paths(&folders).filter(|folder| !folder.as_os_str().is_empty()).map(below);
            shared.chain([PathBuf::from("/etc/pip.conf")]).collect()
        }
    }
}

fn user_files(
    system: HostSystem,
    variable: &dyn Fn(&str) -> Option<OsString>,
    exists: &dyn Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let name = file_name(system);
    if system == HostSystem::Windows {
        let old = variable("USERPROFILE").map(|home| Path::new(&home).join("pip").join(name));
        return old
            .into_iter()
            .chain(variable("APPDATA").map(|data| Path::new(&data).join("pip").join(name)))
            .collect();
    }
    let Some(home) = variable("HOME").map(PathBuf::from) else { return Vec::new() };
    let support = home.join("Library/Application Support/pip");
    let folder = match variable("XDG_CONFIG_HOME") {
        _ if system == HostSystem::MacOs && exists(&support) => support,
        Some(folder) if system == HostSystem::Unix => PathBuf::from(folder).join("pip"),
        _ => home.join(".config/pip"),
    };
    vec![home.join(".pip").join(name), folder.join(name)]
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    /// The table of `docs/facts/pip.md` 3.10.
    #[test]
    fn files_lie_where_pip_looks() {
        let files = |system, variables: &[(&str, &str)], exists: bool| {
            let variable =
                |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
            let host = HostEnvironment { variable: &variable, folder: Path::new("/") };
            let files = locations(system, host, Some(Path::new("/venv")), &|_| exists);
            files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            files(HostSystem::Unix, &[("HOME", "/home/me")], false),
            [
                "/etc/xdg/pip/pip.conf",
                "/etc/pip.conf",
                "/home/me/.pip/pip.conf",
                "/home/me/.config/pip/pip.conf",
                "/venv/pip.conf"
            ],
        );
        assert_eq!(
            files(HostSystem::Unix, &[("HOME", "/h"), ("PIP_CONFIG_FILE", "/own"), ("XDG_CONFIG_DIRS", "/a:/b")], true),
            ["/a/pip/pip.conf", "/b/pip/pip.conf", "/etc/pip.conf", "/venv/pip.conf", "/own"],
        );
        assert_eq!(
            files(HostSystem::MacOs, &[("HOME", "/h")], true)[1..3],
            ["/h/.pip/pip.conf", "/h/Library/Application Support/pip/pip.conf"],
        );
        assert!(files(HostSystem::Unix, &[("PIP_CONFIG_FILE", "/dev/null")], true).is_empty());
    }
}
