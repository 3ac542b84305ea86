//! What shells complete with the scripts of `prefetch completions`, asked of the shells themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Sandbox, judges};

/// Lines, with what is offered for their last word and what is not.
const LINES: [(&str, &[&str], &[&str]); 6] = [
    ("prefetch ins", &["inspect"], &["diff"]),
    ("prefetch cache ", &["dir", "info", "list", "why", "verify", "prune", "clean", "import"], &["unpack", "parse"]),
    ("prefetch verify --", &["--public-key", "--json"], &["--layout"]),
    ("prefetch --lay", &["--layout"], &["--dest"]),
    ("prefetch --layout ", &["find-links", "simple", "pip-http-v2"], &["inspect"]),
    ("prefetch env --shell ", &["sh", "fish", "powershell", "cmd"], &["inspect"]),
];

/// Compares what a shell offers with the table; `offers` gets the script and a line.
fn compare(shell: &str, offers: impl Fn(&Path, &str) -> Command) {
    let sandbox = Sandbox::new();
    let script = sandbox.prefetch(["completions", shell]).assert().code(0).get_output().stdout.clone();
    let script = sandbox.write(&format!("completions.{shell}"), script);
    for (line, there, absent) in LINES {
        let mut command = offers(&script, line);
        // Without the program: a script that runs it while it is read would say so.
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", sandbox.path("")).env("TERM", "dumb");
        let output = command.current_dir(sandbox.path("")).output().unwrap();
        let (offered, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && told.is_empty(), "{shell}: {line}: {told}");
        let offered: Vec<_> = offered.lines().filter_map(|line| line.split('\t').next()).map(str::trim_end).collect();
        for name in there {
            assert!(offered.contains(name), "{shell}: {line}: {name} is not among {offered:?}");
        }
        for name in absent {
            assert!(!offered.contains(name), "{shell}: {line}: {name} is among {offered:?}");
        }
    }
}

fn shell(name: &'static str) -> Option<PathBuf> {
    judges().shell(name)
}

#[test]
fn bash_completes_commands_options_and_values() {
    let Some(bash) = shell("bash") else { return };
    let ask = r#"source "$0"; read -ra COMP_WORDS <<< "$1"; [[ $1 == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _prefetch prefetch "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    compare("bash", |script, line| {
        let mut command = Command::new(&bash);
        command.args(["--norc", "-c", ask]).arg(script).arg(line);
        command
    });
}

#[test]
fn fish_completes_commands_options_and_values() {
    let Some(fish) = shell("fish") else { return };
    compare("fish", |script, line| {
        let mut command = Command::new(&fish);
        command.args(["--no-config", "-c", "source $argv[1]; complete -C $argv[2]"]).arg(script).arg(line);
        command
    });
}

#[test]
fn zsh_completes_commands_options_and_values() {
    let Some(zsh) = shell("zsh") else { return };
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/completions.zsh");
    compare("zsh", |script, line| {
        let mut command = Command::new(&zsh);
        command.arg("-f").arg(&judge).arg(script).arg(line);
        command
    });
}
