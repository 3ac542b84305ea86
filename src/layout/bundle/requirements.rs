//! `requirements.txt` of a bundle or a folder: every distribution in it, pinned.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::domain::{Fetched, FetchedFile, FetchedPackage};

use super::WHEELS;
use super::target_markers::TargetMarkers;
use crate::layout::legacy_names::{is_unreadable, spelled_name};

/// Returns the text of the file for all targets.
///
/// If markers cannot tell targets apart that get different versions, the file installs nothing and
/// names the files of [`for_target`].
///
/// It names its own folder, so that `pip install -r requirements.txt` alone is offline: a relative
/// `--find-links` in a file is relative to that file (`docs/facts/pip.md` 6.1).
pub fn text(fetched: &Fetched, target_markers: &TargetMarkers) -> String {
    if target_markers.are_ambiguous(fetched) {
        return choice(fetched);
    }
    let pins = fetched.packages.iter().flat_map(|package| pins(package, target_markers));
    let lines: Vec<_> = pins.map(|pin| pin.line_with_digests()).collect();
    let is_conditional = |line: &String| line.contains(" ; ");
    let guard = target_markers.marker_of_none().filter(|_| lines.iter().any(is_conditional)).map(guard);
    with_lines(guard.into_iter().chain(lines).collect())
}

/// Returns the text of the file in a folder of distributions, which the command line names: without
/// digests, which pips before 8 do not read.
pub fn beside_files(packages: &[FetchedPackage], target_markers: &TargetMarkers) -> String {
    let pins = packages.iter().flat_map(|package| pins(package, target_markers));
    pins.map(|pin| pin.line(".")).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Returns the same text for one target, given by its position.
pub fn beside_files_for_target(fetched: &Fetched, target: usize) -> String {
    beside_files(&packages_of_target(fetched, target), &TargetMarkers::none())
}

/// A project that does not exist, required on machines that are none of the targets so that
/// installers fail there; otherwise they would skip every line and report success.
const NO_PROJECT: &str = "no-target-of-this-bundle-is-this-machine";

fn guard(marker: String) -> String {
    format!("{NO_PROJECT}==0 ; {marker} \\\n    --hash=sha256:{}\n", "0".repeat(64))
}

/// Returns the text of the file for one target, given by its position.
pub fn for_target(fetched: &Fetched, target: usize) -> String {
    let packages = packages_of_target(fetched, target);
    let pins = packages.iter().flat_map(|package| pins(package, &TargetMarkers::none()));
    with_lines(pins.map(|pin| pin.line_with_digests()).collect())
}

/// Returns the packages, each with the files of one target only.
fn packages_of_target(fetched: &Fetched, target: usize) -> Vec<FetchedPackage> {
    let packages = fetched.packages.iter().map(|package| FetchedPackage {
        files: package.files.iter().filter(|file| file.targets.contains(&target)).cloned().collect(),
        ..package.clone()
    });
    packages.collect()
}

/// Returns the path of the pins of one target.
pub fn path_for_target(id: &str) -> String {
    format!("requirements-{id}.txt")
}

fn with_lines(mut lines: Vec<String>) -> String {
    lines.sort();
    format!("--no-index\n--find-links ./{WHEELS}\n{}", lines.concat())
}

/// A file that does not exist, referred to so that no installer passes over the file in silence.
const NO_FILE: &str = "./choose-the-requirements-file-of-your-target.txt";

fn choice(fetched: &Fetched) -> String {
    let files = fetched.targets.iter().map(|target| format!("#     {}\n", path_for_target(target.id())));
    format!(
        "# No marker tells the targets of this bundle apart, and they get different versions.\n\
         # Use the file of the one that you install on:\n{}-r {NO_FILE}\n",
        files.collect::<String>()
    )
}

/// A line of a requirements file.
struct Pin<'a> {
    subject: Subject,
    marker: Option<String>,
    files: Vec<&'a FetchedFile>,
}

enum Subject {
    Version(String),
    /// A file whose name states no version, as that of a direct URL may; without a line of its own pip
    /// would ask the network.
    Filename(String),
}

/// Returns the pin of the version, and one for each file that has to be named by its path.
fn pins<'a>(package: &'a FetchedPackage, target_markers: &TargetMarkers) -> Vec<Pin<'a>> {
    let (unreadable, named): (Vec<_>, Vec<_>) =
        package.files.iter().partition(|file| is_unreadable(&package.name, &file.link.filename));
    let by_path = unreadable.into_iter().map(|file| (Subject::Filename(file.link.filename.to_string()), vec![file]));
    let by_name = package
        .version
        .iter()
        .map(|version| (Subject::Version(format!("{}=={version}", spelled_name(package))), named.clone()));
    let all = by_name.chain(by_path).filter(|(_, files)| !files.is_empty());
    all.map(|(subject, files)| Pin { subject, marker: target_markers.marker(&files), files }).collect()
}

impl Pin<'_> {
    /// Returns the line for a requirements file whose distributions are in `folder`, relative to it.
    fn line(&self, folder: &str) -> String {
        self.requirement(folder) + "\n"
    }

    /// Returns the line for the requirements file of a bundle, with the digests.
    fn line_with_digests(&self) -> String {
        let mut line = self.requirement(&format!("./{WHEELS}"));
        let hashes: BTreeSet<_> = self.files.iter().map(|file| file.object.sha256).collect();
        for sha256 in hashes {
            write!(line, " \\\n    --hash=sha256:{sha256}").expect("writing to a string cannot fail");
        }
        line + "\n"
    }

    fn requirement(&self, folder: &str) -> String {
        let subject = match &self.subject {
            Subject::Version(pin) => pin.clone(),
            Subject::Filename(name) => format!("{folder}/{name}"),
        };
        match &self.marker {
            Some(marker) => format!("{subject} ; {marker}"),
            None => subject,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::test_fixtures::{fetched, file, package};

    #[test]
    fn every_file_is_pinned_by_name_or_by_path() {
        let both = vec![file("foo.bar-1.0.tar.gz", b"source"), file("foo_bar-1.0-py3-none-any.whl", b"wheel")];
        let world = fetched(vec![
            package("foo-bar", "1.0", both),
            package("direct", "", vec![file("main.zip", b"direct")]),
            package("empty", "2.0", vec![]),
        ]);
        let expected = "\
--no-index
--find-links ./wheels
./wheels/main.zip \\
    --hash=sha256:d15690f08a575024650b01ffac892cfd2b93e6c57c140f1b6d9e47753cabd579
foo.bar==1.0 \\
    --hash=sha256:41cf6794ba4200b839c53531555f0f3998df4cbb01a4d5cb0b94e3ca5e23947d \\
    --hash=sha256:ba59926159d2aa256eb8739b8da7e2b574b960e1202c6d624cbe981cef996c91
";
        assert_eq!(text(&world, &TargetMarkers::of(&world)), expected);
    }
}
