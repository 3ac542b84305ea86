//! What `scripts/release` makes of a program that is built: archive, Debian package, manifests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Sandbox, files_below, judges};

const LINUX: &str = "x86_64-unknown-linux-gnu";

fn release(out: &Path, options: &[&str]) -> String {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(judges().bin().join("python"));
    let tag = concat!("v", env!("CARGO_PKG_VERSION"));
    command.arg(project.join("scripts/release")).args([tag, "--out"]).arg(out).args(options);
    let outcome = command.output().unwrap();
    let told = String::from_utf8_lossy(&outcome.stderr).into_owned();
    assert!(outcome.status.success(), "{told}");
    told
}

/// A script that calls the program: one with all that a debugger wants is slow to compress.
fn packed(sandbox: &Sandbox, folder: &str) -> PathBuf {
    let script = concat!("#!/bin/sh\nexec '", env!("CARGO_BIN_EXE_prefetch"), "' \"$@\"\n");
    let binary = sandbox.write("prefetch", script);
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let out = sandbox.path(folder);
    release(&out, &["--binary", binary.to_str().unwrap(), "--target", LINUX]);
    out
}

#[test]
fn an_archive_has_the_program_with_completions_and_man_pages() {
    let sandbox = Sandbox::new();
    let out = packed(&sandbox, "first");
    let name = format!("prefetch-{}-{LINUX}", env!("CARGO_PKG_VERSION"));
    let archive = out.join(format!("{name}.tar.gz"));
    let status = Command::new("tar").arg("-xzf").arg(&archive).current_dir(sandbox.path("")).status().unwrap();
    assert!(status.success());
    let files = files_below(&sandbox.path(&name));
    for file in ["README.md", "completions/_prefetch", "completions/prefetch.bash", "man/man1/prefetch-cache-prune.1"] {
        assert!(files.contains(&file.to_owned()), "{file}: {files:?}");
    }
    let told = Command::new(sandbox.path(&name).join("prefetch")).arg("-V").output().unwrap();
    assert!(told.status.success());
    let again = packed(&sandbox, "second");
    for file in files_below(&out) {
        assert!(fs::read(out.join(&file)).unwrap() == fs::read(again.join(&file)).unwrap(), "{file} differs");
    }
}

#[test]
fn a_debian_package_has_everything_in_the_places_of_debian() {
    let Ok(version) = Command::new("dpkg-deb").arg("--version").output() else { return };
    assert!(version.status.success());
    let sandbox = Sandbox::new();
    let package = packed(&sandbox, "out").join(format!("pip-prefetch_{}_amd64.deb", env!("CARGO_PKG_VERSION")));
    let told = Command::new("dpkg-deb").arg("--contents").arg(&package).output().unwrap();
    let contents = String::from_utf8(told.stdout).unwrap();
    for path in [
        "-rwxr-xr-x root/root",
        "./usr/bin/prefetch\n",
        "./usr/share/man/man1/prefetch-verify.1.gz\n",
        "./usr/share/bash-completion/completions/prefetch\n",
        "./usr/share/doc/pip-prefetch/copyright\n",
    ] {
        assert!(contents.contains(path), "{path}: {contents}");
    }
}

/// Stand-ins for the files of a release that only other machines can make.
#[test]
fn the_manifests_are_filled_in_from_the_files_and_those_without_are_named() {
    let sandbox = Sandbox::new();
    let version = env!("CARGO_PKG_VERSION");
    let packed_crate = format!("out/prefetch-{version}.crate");
    sandbox.write(&packed_crate, "a crate");
    let out = sandbox.path("out");
    let told = release(&out, &["--finish", "--base-url", "https://forge.example/download"]);
    assert!(told.contains("NO MANIFEST for scoop"), "{told}");
    sandbox.write(&format!("out/prefetch-{version}-x86_64-pc-windows-msvc.zip"), "a program");
    let told = release(&out, &["--finish", "--base-url", "https://forge.example/download"]);
    assert!(!told.contains("NO MANIFEST"), "{told}");
    let manifests = files_below(&out.join("manifests"));
    assert_eq!(manifests.len(), 5, "{manifests:?}");
    for name in &manifests {
        let text = fs::read_to_string(out.join("manifests").join(name)).unwrap();
        assert!(!text.contains("{{") && text.contains(version), "{name}: {text}");
    }
    let scoop: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("manifests/scoop/prefetch.json")).unwrap()).unwrap();
    let url = format!("https://forge.example/download/v{version}/prefetch-{version}-x86_64-pc-windows-msvc.zip");
    assert_eq!(scoop["architecture"]["64bit"]["url"], url);
    let sums = fs::read_to_string(out.join("SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 2, "{sums}");
}
