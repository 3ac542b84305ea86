//! `requirements.txt` of a bundle: every file that lies in it, pinned and with its hash.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::domain::{Fetched, FetchedFile, FetchedPackage};

use super::super::names::{is_unreadable, spelled_name};
use super::WHEELS;

/// The text of the file.
///
/// It names its own folder, so that `pip install -r requirements.txt` alone is offline: a
/// relative `--find-links` in a file is relative to that file (`facts/pip.md` 6.1).
pub fn text(fetched: &Fetched) -> String {
    let conditions = Conditions::of(fetched);
    let mut lines: Vec<_> = fetched.packages.iter().flat_map(|package| requirements(package, &conditions)).collect();
    lines.sort();
    format!("--no-index\n--find-links ./{WHEELS}\n{}", lines.concat())
}

/// The line of the pin, and one for each file that can only be named by its path: one whose own
/// name tells no version, as a direct URL may have it. Without it pip would ask the network.
fn requirements(package: &FetchedPackage, conditions: &Conditions) -> Vec<String> {
    let (unreadable, named): (Vec<_>, Vec<_>) =
        package.files.iter().partition(|file| is_unreadable(package, &file.offer.filename));
    let by_path = unreadable.into_iter().map(|file| (format!("./{WHEELS}/{}", file.offer.filename), vec![file]));
    let by_name =
        package.version.iter().map(|version| (format!("{}=={version}", spelled_name(package)), named.clone()));
    let all = by_name.chain(by_path).filter(|(_, files)| !files.is_empty());
    all.map(|(subject, files)| line(&subject, &files, conditions)).collect()
}

fn line(subject: &str, files: &[&FetchedFile], conditions: &Conditions) -> String {
    let mut line = subject.to_owned();
    if let Some(marker) = conditions.marker(files) {
        write!(line, " ; {marker}").expect("writing to a string cannot fail");
    }
    let hashes: BTreeSet<_> = files.iter().map(|file| file.object.sha256).collect();
    for sha256 in hashes {
        write!(line, " \\\n    --hash=sha256:{sha256}").expect("writing to a string cannot fail");
    }
    line + "\n"
}

/// For each target, the marker (PEP 508) that holds on it; only what tells targets apart.
struct Conditions(Vec<String>);

impl Conditions {
    fn of(fetched: &Fetched) -> Self {
        let markers = fetched.targets.iter().map(|target| target.markers());
        let facts: Vec<_> = markers
            .map(|markers| {
                [
                    ("python_version", markers.python_version().to_string()),
                    ("sys_platform", markers.sys_platform().to_owned()),
                    ("platform_machine", markers.platform_machine().to_owned()),
                    ("implementation_name", markers.implementation_name().to_owned()),
                ]
            })
            .collect();
        let differs = |fact: usize| facts.iter().any(|each| each[fact] != facts[0][fact]);
        let differing: Vec<_> = (0..4).filter(|fact| differs(*fact)).collect();
        let clause = |(variable, value): &(&str, String)| format!("{variable} == '{value}'");
        let marker = |each: &[(&str, String); 4]| {
            differing.iter().map(|fact| clause(&each[*fact])).collect::<Vec<_>>().join(" and ")
        };
        Self(facts.iter().map(marker).collect())
    }

    /// The condition on which one of `files` is for the target; absent where all targets are
    /// served, or markers cannot tell those that are from the others.
    fn marker(&self, files: &[&FetchedFile]) -> Option<String> {
        let served: BTreeSet<_> = files.iter().flat_map(|file| &file.targets).map(|target| &self.0[*target]).collect();
        let all: BTreeSet<_> = self.0.iter().collect();
        let alternatives: Vec<_> = served.iter().map(|marker| marker.as_str()).collect();
        (served != all && !alternatives.is_empty()).then(|| alternatives.join(" or "))
    }
}
