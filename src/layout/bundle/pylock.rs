//! `pylock.toml` of a bundle: a lock file (PEP 751) whose files lie beside it.

use std::fmt::Write as _;

use crate::domain::{Fetched, FetchedFile, FetchedPackage};

use super::WHEELS;
use super::target_markers::TargetMarkers;
use crate::layout::legacy_names::is_unreadable;

/// Returns the text of the file, or `None` if markers cannot tell the targets apart, since a lock
/// file selects by nothing else.
pub fn text(fetched: &Fetched, target_markers: &TargetMarkers) -> Option<String> {
    if target_markers.are_ambiguous(fetched) {
        return None;
    }
    let environments: Vec<_> = TargetMarkers::environments(fetched).iter().map(|marker| quoted(marker)).collect();
    let mut text = String::from("lock-version = \"1.0\"\n");
    if !environments.is_empty() {
        writeln!(text, "environments = [{}]", environments.join(", ")).expect("writing to a string cannot fail");
    }
    text.push_str("created-by = \"prefetch\"\n");
    for package in fetched.packages.iter().filter(|package| !package.files.is_empty()) {
        text.push_str(&entry(package, target_markers));
    }
    if fetched.packages.is_empty() {
        text.push_str("packages = []\n");
    }
    Some(text)
}

/// Returns the entry of one version of a project; a file whose name states no version becomes an
/// `archive` entry of its own.
fn entry(package: &FetchedPackage, target_markers: &TargetMarkers) -> String {
    let (unreadable, named): (Vec<_>, Vec<_>) =
        package.files.iter().partition(|file| is_unreadable(&package.name, &file.link.filename));
    let mut text = String::new();
    if !named.is_empty() {
        text.push_str(&head(package, &named, target_markers));
        for file in &named {
            let is_wheel = file.link.is_wheel();
            let table = if is_wheel { "[[packages.wheels]]" } else { "[packages.sdist]" };
            text.push_str(&file_table(table, file, true));
        }
    }
    for file in unreadable {
        text.push_str(&head(package, &[file], target_markers));
        text.push_str(&file_table("[packages.archive]", file, false));
    }
    text
}

fn head(package: &FetchedPackage, files: &[&FetchedFile], target_markers: &TargetMarkers) -> String {
    let mut text = format!("\n[[packages]]\nname = {}\n", quoted(package.name.as_ref()));
    if let Some(version) = &package.version {
        put(&mut text, "version", &version.to_string());
    }
    if let Some(marker) = target_markers.marker(files) {
        put(&mut text, "marker", &marker);
    }
    let stated = files.iter().find_map(|file| file.link.requires_python.as_ref());
    if let Some(specifiers) = stated {
        put(&mut text, "requires-python", &specifiers.to_string());
    }
    text
}

fn file_table(table: &str, file: &FetchedFile, is_named: bool) -> String {
    let mut text = format!("{table}\n");
    if is_named {
        put(&mut text, "name", &file.link.filename);
    }
    put(&mut text, "path", &format!("{WHEELS}/{}", file.link.filename));
    writeln!(text, "size = {}", file.object.size).expect("writing to a string cannot fail");
    writeln!(text, "hashes = {{sha256 = \"{}\"}}", file.object.sha256).expect("writing to a string cannot fail");
    text
}

fn put(text: &mut String, key: &str, value: &str) {
    writeln!(text, "{key} = {}", quoted(value)).expect("writing to a string cannot fail");
}

/// Returns a basic TOML string, which is escaped as in JSON, plus U+007F.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::test_fixtures::{fetched, file, package};

    #[test]
    fn files_lie_beside_the_lock_and_each_has_its_digest() {
        let files = vec![file("demo-1.0-py3-none-any.whl", b"wheel"), file("demo-1.0.tar.gz", b"source")];
        let mut world =
            fetched(vec![package("demo", "1.0", files), package("direct", "", vec![file("main.zip", b"d")])]);
        world.packages[0].files[0].link.requires_python = Some(">=3.8".parse().unwrap());
        let text = text(&world, &TargetMarkers::of(&world)).unwrap();
        let lock: toml::Table = text.parse().unwrap();
        let demo = &lock["packages"][0];
        assert_eq!(lock["lock-version"].as_str(), Some("1.0"));
        assert_eq!(demo["requires-python"].as_str(), Some(">=3.8"));
        assert_eq!(demo["wheels"][0]["path"].as_str(), Some("wheels/demo-1.0-py3-none-any.whl"));
        assert_eq!(demo["sdist"]["size"].as_integer(), Some(6));
        let digest = "ba59926159d2aa256eb8739b8da7e2b574b960e1202c6d624cbe981cef996c91";
        assert_eq!(demo["wheels"][0]["hashes"]["sha256"].as_str(), Some(digest));
        assert_eq!(lock["packages"][1]["archive"]["path"].as_str(), Some("wheels/main.zip"));
        assert!(lock["packages"][1].get("version").is_none());
    }
}
