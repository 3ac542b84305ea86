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

const UNSHARE: &str = "/usr/bin/unshare";

/// The beginnings of isolated commands, for users who may make namespaces and for others.
const WAYS: [(BuildIsolation, &[&str]); 5] = [
    (BuildIsolation::Bubblewrap, BUBBLEWRAP),
    (BuildIsolation::Namespaces, &[UNSHARE, "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]),
    (
        BuildIsolation::Namespaces,
        &[UNSHARE, "--user", "--map-current-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"],
    ),
    (BuildIsolation::NetworkNamespace, &[UNSHARE, "--net"]),
    (BuildIsolation::NetworkNamespace, &[UNSHARE, "--user", "--map-current-user", "--net"]),
];

const BUBBLEWRAP: &[&str] = &[
    "/usr/bin/bwrap",
    "--die-with-parent",
    "--new-session",
    "--unshare-net",
    "--unshare-pid",
    "--ro-bind",
    "/",
    "/",
    "--dev-bind",
    "/dev",
    "/dev",
    "--proc",
    "/proc",
];

/// Ends a command with the program that started it, however that ends; of util-linux 2.33 and
/// later.
const END_WITH_PARENT: &[&str] = &["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"];

impl Isolation {
    /// Finds out, by trying, what works here.
    pub fn detect() -> Self {
        let isolated = WAYS.iter().filter(|_| cfg!(target_os = "linux")).flat_map(|(kind, way)| {
            let starts: [&[&'static str]; 2] = [END_WITH_PARENT, &[]];
            starts.map(|start| Self { kind: *kind, beginning: [start, way].concat() })
        });
        let none = || Self { kind: BuildIsolation::DeadProxies, beginning: Vec::new() };
        isolated.into_iter().find(Self::works).unwrap_or_else(none)
    }

    fn works(&self) -> bool {
        let mut command = self.command(Path::new("/bin/true"), &[]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// Makes a command that runs `program` isolated, and that may write to the `writable` folders.
    /// On Unix new files get the usual permissions, whatever the user's umask is.
    pub fn command(&self, program: &Path, writable: &[PathBuf]) -> Command {
        let umask: &[&str] = if cfg!(unix) { &["/bin/sh", "-c", "umask 022; exec \"$@\"", "sh"] } else { &[] };
        let mut words: Vec<OsString> = umask.iter().chain(&self.beginning).map(OsString::from).collect();
        if self.kind == BuildIsolation::Bubblewrap {
            words.extend(writable.iter().flat_map(|folder| ["--bind".into(), folder.into(), folder.into()]));
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

    fn run(isolation: &Isolation, script: &str, writable: &[PathBuf]) -> String {
        let output = isolation.command(Path::new("/bin/sh"), writable).args(["-c", script]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Whatever this machine offers.
    #[test]
    fn an_isolated_command_does_what_its_kind_says() {
        let isolation = Isolation::detect();
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let writes = |folder: &Path| {
            run(&isolation, &format!("touch {}/a && echo done", folder.display()), &[folder.to_owned()]) == "done"
        };
        assert!(writes(folder.path()), "{isolation:?}");
        let script = format!("touch {}/a", other.path().display());
        run(&isolation, &script, &[folder.path().to_owned()]);
        assert_eq!(other.path().join("a").exists(), isolation.kind != BuildIsolation::Bubblewrap, "{isolation:?}");
        // The loopback device is all that a new namespace has.
        let devices = run(&isolation, "tail -n +3 /proc/net/dev | grep -vc lo:", &[]);
        assert!(isolation.kind == BuildIsolation::DeadProxies || devices == "0", "{isolation:?}: {devices}");
    }
}
