//! `--warm-pip`: writes what was fetched into the cache of the interpreter's own pip.

use std::path::{Path, PathBuf};

use crate::cli::error::CliError;
use crate::cli::host::environment::Environment;
use crate::cli::host::machine::Machine;
use crate::cli::settings::args::OutputArgs;
use crate::interpreter::PipSettings;
use crate::layout::{Layout, PipHttpCache};
use crate::ops::Output;

/// The pip whose cache is to be filled, with its cache folder as an output.
pub struct WarmPip {
    pub output: Output,
    version: String,
    is_own: bool,
    warnings: Vec<String>,
}

/// The oldest pip release whose cache was tested (`tests/judges/pip_caches`), as major and minor number.
const OLDEST_TESTED: (u64, u64) = (6, 0);

/// The first pip release with the second format.
const SECOND_FORMAT: (u64, u64) = (23, 3);

/// The newest pip release whose cache was tested.
const NEWEST_TESTED: (u64, u64) = (26, 3);

/// The first pip release that uses a fresh cached page without asking the index.
const TRUSTS_PAGES: (u64, u64) = (26, 2);

/// The second format, without the pages dated in the future, which would hide new releases from
/// this pip.
const SECOND: &PipHttpCache = &PipHttpCache::Second { has_pages: false };

impl WarmPip {
    /// Finds the pip, its cache folder and the layout that it reads; `None` without `--warm-pip`.
    ///
    /// # Errors
    /// When there is no pip, its version is not known, or it would not use the folder.
    pub fn find(
        args: &OutputArgs,
        machine: &Machine<'_>,
        pip_settings: &PipSettings,
        environment: &Environment,
    ) -> Result<Option<Self>, CliError> {
        if !args.warm_pip {
            return Ok(None);
        }
        let pip = machine.pip()?.ok_or_else(|| {
            CliError::usage("--warm-pip: the interpreter has no pip, and would get none")
                .hint("point --python at one that has; or write a cache folder with --layout pip-http-v2 --dest DIR")
        })?;
        let setting = |variable: &str, key: &str| {
            let configured = || pip_settings.get("install", key).map(|setting| setting.value.clone());
            environment.variable(variable).or_else(configured)
        };
        let layout = layout(&pip.version, args.force_layout)?;
        let folder = setting("PIP_CACHE_DIR", "cache-dir").map(PathBuf::from).or(pip.cache_dir);
        let folder = folder.ok_or_else(|| CliError::usage(format!("pip {} tells no cache folder", pip.version)))?;
        let folder = environment.working_folder.join(folder);
        refuse_foreign(&folder)?;
        let is_off = setting("PIP_NO_CACHE_DIR", "no-cache-dir").is_some_and(|value| value != "0" && value != "false");
        let warning =
            is_off.then(|| "pip is told to use no cache (no-cache-dir), so it will not look there".to_owned());
        Ok(Some(Self {
            output: Output::Folder { layout, path: folder, pins: false },
            version: pip.version,
            is_own: pip.is_own,
            warnings: warning.into_iter().collect(),
        }))
    }

    /// Returns the cache folder, if this pip also reuses cached index pages.
    pub fn takes_pages(&self) -> Option<&Path> {
        match &self.output {
            Output::Folder { layout, path, .. } if layout.name() == SECOND.name() => Some(path),
            _ => None,
        }
    }

    /// Returns a sentence about what was written, and warnings of what keeps pip from using it.
    pub fn words(&self) -> (String, &[String]) {
        let which = if self.is_own { "" } else { ", which a new environment of this Python would get," };
        let folder = self.output.place();
        let done = format!(
            "Written to {folder}, the cache of pip {}{which} as it keeps its own downloads: it will find these files \
             there, and {}.",
            self.version,
            if number(&self.version) >= Some(TRUSTS_PAGES) { "pages while they are fresh" } else { "ask for pages" }
        );
        (done, &self.warnings)
    }
}

fn number(version: &str) -> Option<(u64, u64)> {
    let mut numbers = version.split('.').map(|part| part.parse().ok());
    numbers.next().flatten().map(|major| (major, numbers.next().flatten().unwrap_or_default()))
}

/// Returns the layout that a pip version reads; for an unknown version an error, or with
/// `is_forced` that of the newest known.
fn layout(version: &str, is_forced: bool) -> Result<&'static dyn Layout, CliError> {
    match number(version) {
        Some(number) if number < OLDEST_TESTED => {
            Err(CliError::usage(format!("--warm-pip: pip {version} has no HTTP cache"))
                .hint("for pip 0.4 to 1.5.6 there is --layout download-cache"))
        }
        Some(number) if number < SECOND_FORMAT => Ok(&PipHttpCache::First),
        Some(number) if number <= NEWEST_TESTED || is_forced => Ok(SECOND),
        None if is_forced => Ok(SECOND),
        _ => Err(CliError::usage(format!("--warm-pip: the cache of pip {version} is not known")).hint(format!(
            "known are pip {}.{} to {}.{}; --force-layout writes what the newest of them reads",
            OLDEST_TESTED.0, OLDEST_TESTED.1, NEWEST_TESTED.0, NEWEST_TESTED.1
        ))),
    }
}

/// Refuses a cache folder that pip would not use (`docs/facts/pip.md` 4.4): the folder, or the
/// nearest existing one above it, must be writable, and for root it must belong to root.
#[cfg(unix)]
fn refuse_foreign(folder: &Path) -> Result<(), CliError> {
    use std::os::unix::fs::MetadataExt as _;

    use crate::cli::error::Exit;

    let found = folder.ancestors().find_map(|folder| Some((folder, folder.metadata().ok()?)));
    let Some((found, metadata)) = found else { return Ok(()) };
    let is_root = rustix::process::geteuid().is_root();
    let is_usable =
        if is_root { metadata.uid() == 0 } else { rustix::fs::access(found, rustix::fs::Access::WRITE_OK).is_ok() };
    if is_usable {
        return Ok(());
    }
    let whose = format!("{} belongs to user {}", found.display(), metadata.uid());
    let message = format!("--warm-pip: {whose}, and pip would not use the cache in it for you; nothing was fetched");
    Err(CliError::new(Exit::Disk, message)
        .hint("run as that user, or name a cache folder of your own with PIP_CACHE_DIR, which pip reads, too"))
}

#[cfg(not(unix))]
fn refuse_foreign(_: &Path) -> Result<(), CliError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first table of `docs/facts/pip.md` 4.1.
    #[test]
    fn each_pip_gets_what_it_reads() {
        let name = |version| layout(version, false).map(Layout::name).map_err(|error| error.hints.concat());
        for version in ["6.0", "9.0.3", "22.3.1", "23.2.1"] {
            assert_eq!(name(version), Ok("pip-http"), "{version}");
        }
        for version in ["23.3", "24.0", "26.0.1", "26.3"] {
            assert_eq!(name(version), Ok("pip-http-v2"), "{version}");
        }
        for version in ["26.4", "27.0.dev1", "later"] {
            assert!(name(version).unwrap_err().contains("pip 6.0 to 26.3; --force-layout"), "{version}");
            assert_eq!(layout(version, true).unwrap().name(), "pip-http-v2", "{version}");
        }
        assert!(layout("1.5.6", true).err().unwrap().hints[0].contains("download-cache"));
    }
}
