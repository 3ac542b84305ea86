//! `prefetch help`, the man pages, and `--version`.

use std::fs;
use std::path::Path;

use crate::support::{Sandbox, files_below};

fn printed(arguments: &[&str]) -> String {
    String::from_utf8(Sandbox::new().prefetch(arguments).assert().code(0).get_output().stdout.clone()).unwrap()
}

#[test]
fn a_topic_is_the_page_of_the_documentation_without_its_marks() {
    let page = printed(&["help", "targets"]);
    assert!(page.starts_with("For which machines\n\n    prefetch -r requirements.txt\n"), "{page}");
    assert!(!page.contains("```") && !page.contains("<!--") && !page.contains("|---"), "{page}");
}

#[test]
fn the_help_of_a_command_is_that_of_its_option() {
    assert_eq!(printed(&["help", "cache", "prune"]), printed(&["cache", "prune", "--help"]));
    assert_eq!(printed(&["help"]), printed(&["--help"]));
}

#[test]
fn an_unknown_topic_is_answered_with_those_there_are() {
    for words in [&["targts"][..], &["targets", "layouts"], &["cache", "prnue"]] {
        let output = Sandbox::new().prefetch(["help"]).args(words).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(&words.join(" ")) && told.contains("exit-codes, "), "{told}");
    }
}

/// What `--help` lists has a page, and so has what those list.
#[test]
fn every_command_has_a_man_page() {
    let sandbox = Sandbox::new();
    sandbox.prefetch(["man-pages", "man"]).assert().code(0);
    let pages = files_below(&sandbox.path("man"));
    for name in ["prefetch", "prefetch-verify", "prefetch-cache", "prefetch-cache-prune"] {
        assert!(pages.contains(&format!("man1/{name}.1")), "{pages:?}");
    }
    for page in &pages {
        let text = fs::read_to_string(sandbox.path("man").join(page)).unwrap();
        let name = Path::new(page).file_stem().unwrap().to_str().unwrap().replace('-', r"\-");
        assert!(text.contains(&format!("\n.SH NAME\n{name} \\- ")), "{page}: {text}");
        assert!(text.contains(&format!("\"prefetch {}\"", env!("CARGO_PKG_VERSION"))), "{page}: {text}");
    }
    let main = fs::read_to_string(sandbox.path("man/man1/prefetch.1")).unwrap();
    assert!(main.contains("EXIT STATUS") && main.contains("130"), "{main}");
}

#[test]
fn man_pages_are_written_anew_to_the_same_bytes() {
    let sandbox = Sandbox::new();
    let write = || {
        sandbox.prefetch(["man-pages", "man"]).assert().code(0);
        let files = files_below(&sandbox.path("man")).into_iter();
        files.map(|name| (fs::read(sandbox.path("man").join(&name)).unwrap(), name)).collect::<Vec<_>>()
    };
    assert_eq!(write(), write());
}

#[test]
fn the_long_version_tells_the_target() {
    let long = printed(&["--version"]);
    let (version, build) = long.trim_end().split_once(" (").unwrap();
    assert_eq!(version, format!("prefetch {}", env!("CARGO_PKG_VERSION")));
    assert!(build.contains(std::env::consts::ARCH) && build.ends_with(')'), "{long}");
    assert_eq!(printed(&["-V"]).trim_end(), version);
}
