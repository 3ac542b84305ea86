//! Isolation of builds: what keeps a build from the network and from other folders, and ends all of
//! its processes.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How far builds are isolated, by what the system offers; the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildIsolation {
    /// bubblewrap: no network, no writing but in the folder of the build, and no process survives.
    Bubblewrap,
    /// Namespaces for the network and for processes: no network, and no process survives.
    Namespaces,
    /// A namespace for the network: no network.
    NetworkNamespace,
    /// Proxies that lead nowhere, which a program may ignore.
    DeadProxies,
}

impl fmt::Display for BuildIsolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bubblewrap => "no network, and no writing outside its folder (bubblewrap)",
            Self::Namespaces => "no network (namespaces for network and processes)",
            Self::NetworkNamespace => "no network (a namespace)",
            Self::DeadProxies => "proxies that lead nowhere, since this system closes no network for it",
        })
    }
}

/// The isolation that works here, with the beginning of the commands that have it.
#[derive(Clone, Debug)]
pub struct Isolation {
    pub kind: BuildIsolation,
    beginning: Vec<&'static str>,
}

/// What an isolated command may do to the disk, where that can be limited.
#[derive(Clone, Debug, Default)]
pub struct DiskAccess {
    /// The folders that it may write to.
    pub writable: Vec<PathBuf>,
    /// What it may not write to in these folders.
    pub read_only: Vec<PathBuf>,
}

impl DiskAccess {
    /// Returns it as options of bubblewrap.
    fn options(&self) -> impl Iterator<Item = OsString> {
        let bind = |option: &'static str, path: &PathBuf| [option.into(), path.into(), path.into()];
        let writable = self.writable.iter().flat_map(move |path| bind("--bind", path));
        writable.chain(self.read_only.iter().flat_map(move |path| bind("--ro-bind", path)))
    }
}

const UNSHARE: &str = "/usr/bin/unshare";

/// The command that takes from root the privileges that could undo namespaces (util-linux 2.33 and
/// later).
const WITHOUT_PRIVILEGES: [&str; 4] =
    ["/usr/bin/setpriv", "--inh-caps=-all", "--bounding-set=-all,+dac_override", "--no-new-privs"];

/// The beginnings of isolated commands, for users who may make namespaces and for others.
const WAYS: [(BuildIsolation, &[&str], &[&str]); 6] = [
    (BuildIsolation::Bubblewrap, BUBBLEWRAP, &[]),
    (BuildIsolation::Namespaces, NAMESPACES, &WITHOUT_PRIVILEGES),
    (BuildIsolation::Namespaces, NAMESPACES, &[]),
    (
        BuildIsolation::Namespaces,
        &[UNSHARE, "--user", "--map-current-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"],
        &[],
    ),
    (BuildIsolation::NetworkNamespace, &[UNSHARE, "--net"], &WITHOUT_PRIVILEGES),
    (BuildIsolation::NetworkNamespace, &[UNSHARE, "--user", "--map-current-user", "--net"], &[]),
];

const NAMESPACES: &[&str] = &[UNSHARE, "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// The beginning of a command in a sandbox of bubblewrap.
///
/// It has a few devices of its own, since those of the machine include memory files and terminals.
/// Root keeps the privilege to use its own cache in a folder of somebody else, and none that could
/// undo the rest.
const BUBBLEWRAP: &[&str] = &[
    "/usr/bin/bwrap",
    "--die-with-parent",
    "--new-session",
    "--unshare-net",
    "--unshare-pid",
    "--unshare-ipc",
    "--cap-drop",
    "ALL",
    "--cap-add",
    "CAP_DAC_OVERRIDE",
    "--ro-bind",
    "/",
    "/",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
];

/// The command that ends another one with the program that started it, however that ends
/// (util-linux 2.33 and later).
const END_WITH_PARENT: &[&str] = &["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"];

impl Isolation {
    /// Finds out, by trying, what works here.
    pub fn detect() -> Self {
        let isolated = WAYS.iter().filter(|_| cfg!(target_os = "linux")).flat_map(|(kind, way, end)| {
            let starts: [&[&'static str]; 2] = [END_WITH_PARENT, &[]];
            starts.map(|start| Self { kind: *kind, beginning: [start, way, end].concat() })
        });
        let none = || Self { kind: BuildIsolation::DeadProxies, beginning: Vec::new() };
        isolated.into_iter().find(Self::works).unwrap_or_else(none)
    }

    fn works(&self) -> bool {
        let mut command = self.command(Path::new("/bin/true"), &DiskAccess::default());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// Makes a command that runs `program` isolated.
    ///
    /// On Unix new files get the usual permissions, whatever the user's umask is.
    pub fn command(&self, program: &Path, access: &DiskAccess) -> Command {
        let umask: &[&str] = if cfg!(unix) { &["/bin/sh", "-c", "umask 022; exec \"$@\"", "sh"] } else { &[] };
        let mut words: Vec<OsString> = umask.iter().chain(&self.beginning).map(OsString::from).collect();
        if self.kind == BuildIsolation::Bubblewrap {
            words.extend(access.options());
        }
        words.extend((!self.beginning.is_empty()).then(|| "--".into()));
        words.push(program.into());
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        command
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    fn run(isolation: &Isolation, script: &str, access: &DiskAccess) -> String {
        let output = isolation.command(Path::new("/bin/sh"), access).args(["-c", script]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Whatever this machine offers.
    #[test]
    fn an_isolated_command_does_what_its_kind_says() {
        let isolation = Isolation::detect();
        let is_open = isolation.kind != BuildIsolation::Bubblewrap;
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.path().join("kept")).unwrap();
        let access =
            DiskAccess { writable: vec![folder.path().to_owned()], read_only: vec![folder.path().join("kept")] };
        let writes =
            |folder: &Path| run(&isolation, &format!("touch {}/a && echo done", folder.display()), &access) == "done";
        assert!(writes(folder.path()), "{isolation:?}");
        assert_eq!(writes(&folder.path().join("kept")), is_open, "{isolation:?}");
        run(&isolation, &format!("touch {}/a", other.path().display()), &access);
        assert_eq!(other.path().join("a").exists(), is_open, "{isolation:?}");
        // Root could make all of it writable again, if it kept its privileges.
        let remount = format!("mount -o remount,bind,rw / 2>/dev/null; touch {}/b", other.path().display());
        run(&isolation, &remount, &access);
        assert_eq!(other.path().join("b").exists(), is_open, "{isolation:?}");
        // The loopback device is all that a new namespace has.
        let devices = run(&isolation, "tail -n +3 /proc/net/dev | grep -vc lo:", &DiskAccess::default());
        assert!(isolation.kind == BuildIsolation::DeadProxies || devices == "0", "{isolation:?}: {devices}");
    }

    #[test]
    fn an_isolated_command_shares_no_memory_with_others() {
        let isolation = Isolation::detect();
        let shared = tempfile::NamedTempFile::new_in("/dev/shm").unwrap();
        let script = format!("test -e {} || echo hidden", shared.path().display());
        let is_hidden = run(&isolation, &script, &DiskAccess::default()) == "hidden";
        assert_eq!(is_hidden, isolation.kind == BuildIsolation::Bubblewrap, "{isolation:?}");
    }
}
