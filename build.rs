//! Records for `--version` which commit the program is of, and which target it is for.
//!
//! The commit comes from the repository, or from what `cargo package` wrote into a packed crate.
//! Nothing else of the machine or the moment is recorded. Only a release build has the commit, so
//! that committing makes no developer compile everything again.

#![expect(clippy::disallowed_methods, reason = "cargo tells a build script everything through the environment")]

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Where `cargo package` records the commit.
const PACKED: &str = ".cargo_vcs_info.json";
/// As many digits as name a commit in any repository of our size.
const DIGITS: usize = 12;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = env::var("TARGET").unwrap_or_default();
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = if is_release { packed_commit().or_else(repository_commit) } else { None };
    let build = commit.into_iter().chain([target]).collect::<Vec<_>>().join(", ");
    println!("cargo:rustc-env=PREFETCH_BUILD={build}");
}

/// The commit that a packed crate was made from.
fn packed_commit() -> Option<String> {
    let text = fs::read_to_string(PACKED).ok()?;
    let (_, after) = text.split_once("\"sha1\"")?;
    let commit = after.split('"').nth(1)?;
    let is_dirty = text.contains("\"dirty\": true");
    Some(format!("{}{}", commit.get(..DIGITS)?, if is_dirty { "-dirty" } else { "" }))
}

/// The commit that is checked out, marked where the working tree differs from it.
fn repository_commit() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    let moves = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    for path in [moves.as_str(), "src", "docs", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={path}");
    }
    git(&["describe", "--always", "--dirty", "--exclude=*", &format!("--abbrev={DIGITS}")])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
