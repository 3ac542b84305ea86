//! `requirements.txt` of a bundle: every file that lies in it, pinned and with its hash.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::domain::{Fetched, FetchedFile, FetchedPackage, MarkerEnvironment};

use super::super::names::{is_unreadable, spelled_name};
use super::WHEELS;

/// The text of the file.
///
/// It names its own folder, so that `pip install -r requirements.txt` alone is offline: a
/// relative `--find-links` in a file is relative to that file (`facts/pip.md` 6.1).
pub fn text(fetched: &Fetched) -> String {
    let conditions = Conditions::of(fetched.targets.iter().map(|target| target.markers()));
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

/// The condition for each target: a marker (PEP 508) of what tells the targets apart.
struct Conditions(Vec<String>);

/// Variables and their values on one target.
type Facts = [(&'static str, String); 4];

impl Conditions {
    fn of<'a>(targets: impl Iterator<Item = &'a MarkerEnvironment>) -> Self {
        let targets: Vec<_> = targets.map(facts).collect();
        let differs = |variable: &usize| targets.iter().any(|facts| facts[*variable] != targets[0][*variable]);
        let differing: Vec<_> = (0..4).filter(differs).collect();
        let clause = |(variable, value): &(&str, String)| format!("{variable} == '{value}'");
        let clauses = |facts: &Facts| differing.iter().map(|variable| clause(&facts[*variable])).collect::<Vec<_>>();
        Self(targets.iter().map(|facts| clauses(facts).join(" and ")).collect())
    }

    /// The marker that holds where one of `files` is for the target; absent where all targets
    /// are served, or markers cannot tell those that are from the others.
    fn marker(&self, files: &[&FetchedFile]) -> Option<String> {
        let served = files.iter().flat_map(|file| &file.targets).map(|target| &self.0[*target]);
        let served: BTreeSet<_> = served.collect();
        let is_everywhere = self.0.iter().all(|condition| served.contains(condition));
        let alternatives: Vec<_> = served.into_iter().map(String::as_str).collect();
        (!is_everywhere && !alternatives.is_empty()).then(|| alternatives.join(" or "))
    }
}

fn facts(target: &MarkerEnvironment) -> Facts {
    [
        ("python_version", target.python_version().to_string()),
        ("sys_platform", target.sys_platform().to_owned()),
        ("platform_machine", target.platform_machine().to_owned()),
        ("implementation_name", target.implementation_name().to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use crate::domain::MarkerEnvironmentBuilder;

    use super::super::super::support::{fetched, file, package};
    use super::*;

    fn target(python_version: &'static str, sys_platform: &'static str) -> MarkerEnvironment {
        MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: python_version,
            os_name: "posix",
            platform_machine: "x86_64",
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system: "",
            platform_version: "",
            python_full_version: python_version,
            python_version,
            sys_platform,
        })
        .unwrap()
    }

    fn marker(targets: &[MarkerEnvironment], served: &[usize]) -> Option<String> {
        let mut file = file("demo-1.0.zip", b"bytes");
        file.targets = served.to_vec();
        Conditions::of(targets.iter()).marker(&[&file])
    }

    /// `and` binds tighter than `or` (PEP 508).
    #[test]
    fn a_marker_says_no_more_than_what_tells_targets_apart() {
        let pythons = [target("3.9", "linux"), target("3.10", "linux")];
        assert_eq!(marker(&pythons, &[0, 1]), None);
        assert_eq!(marker(&pythons, &[1]).unwrap(), "python_version == '3.10'");
        let platforms = [target("3.9", "linux"), target("3.9", "win32"), target("3.10", "linux")];
        assert_eq!(
            marker(&platforms, &[0, 1]).unwrap(),
            "python_version == '3.9' and sys_platform == 'linux' or python_version == '3.9' and sys_platform == 'win32'"
        );
        assert_eq!(marker(&[target("3.9", "linux"), target("3.9", "linux")], &[1]), None);
        assert_eq!(marker(&[], &[]), None);
    }

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
        assert_eq!(text(&world), expected);
    }
}
