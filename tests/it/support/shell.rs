//! A shell for scripts of the documentation and of CI.

use std::path::Path;

use super::index::ServedIndex;
use super::judges::judges;
use super::sandbox::Sandbox;

/// A shell that has the binary and the judges' Python, whose pip reaches no index and installs
/// into the sandbox.
pub fn shell(sandbox: &Sandbox, index: &ServedIndex, script: &str) -> assert_cmd::Command {
    let process = sandbox.process([""; 0]);
    let binary = Path::new(process.get_program()).parent().unwrap();
    let folders = [binary, &judges().bin(), Path::new("/usr/bin"), Path::new("/bin")];
    let mut command = assert_cmd::Command::new("/bin/sh");
    command.args(["-euc", script]).current_dir(sandbox.path("")).env_clear();
    command.envs(process.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PATH", std::env::join_paths(folders).unwrap());
    command.env("PREFETCH_INDEX_URL", index.url()).env("PIP_INDEX_URL", "http://127.0.0.1:9/");
    command.env("PIP_CONFIG_FILE", "/dev/null").env("PIP_TARGET", sandbox.path("installed"));
    command
}
