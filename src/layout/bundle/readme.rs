//! `README.txt` of a bundle: how to check and install it.

use super::{
    BundleInput, MANIFEST_PATH, ManifestProject, PageSource, ProjectInstaller, REQUIREMENTS_PATH, SUMS_PATH, WHEELS,
    install, requirements,
};
use crate::domain::Fetched;
use crate::layout::legacy_names::unidentified;

/// Returns the text of the file; `documents` are the bundle's pages as path and summary.
pub fn text(of: &PageSource<'_>, documents: &[(&str, &str)]) -> String {
    let fetched = of.installed;
    let targets = list(
        "It serves these, and its scripts refuse any other:",
        fetched.targets.iter().map(|target| target.id().to_owned()),
    );
    let project = of.manifest.project.as_ref().map(by_own_lock).unwrap_or_default();
    let builds = list(
        "These are source archives, which are built where they are installed. That takes compilers and headers, if
what they hold is not only Python:",
        fetched
            .source_installs()
            .iter()
            .map(|install| format!("{} on {}", install.filename, install.targets.join(", "))),
    );
    let caveats = list("Mind that", unidentified(fetched).into_iter().chain(linked(fetched)));
    format!(
        "Python packages for a machine without a network
===============================================

Unpack this anywhere, {}
If delta.json lies here, this is only what is new since an older bundle, and installs nothing. Make
the whole bundle of the two first, and unpack that:

    prefetch apply DELTA OLDER -o WHOLE.zip

What is here:

{}{project}{targets}{builds}{caveats}
`prefetch verify` on this folder, or on the archive it came in, checks that it is whole, and that
each of these targets installs from it alone. Without prefetch:

    sha256sum -c {SUMS_PATH}
",
        how_to_install(of),
        contents(documents, fetched, of.manifest.project.as_ref()),
    )
}

/// Returns how to install an unpacked bundle: paragraphs, and indented lines to type.
pub fn how_to_install(of: &PageSource<'_>) -> String {
    if of.target_markers.are_ambiguous(of.installed) { choice(of.input) } else { lines(of.input) }
}

fn lines(input: &BundleInput<'_>) -> String {
    let options = install::options(input.questions);
    let scripts = scripts(input);
    format!(
        "go into the folder, and type

{scripts}
or, from outside of FOLDER, as which this was unpacked, and in an environment that you have, one of

    python -m pip install {options}-r FOLDER/{REQUIREMENTS_PATH}
    uv pip install {options}-r FOLDER/{REQUIREMENTS_PATH}

To install with your own requirements instead:

    python -m pip install --no-index --find-links FOLDER/{WHEELS} -r your-requirements.txt
"
    )
}

/// Returns the paragraph for targets that no marker tells apart.
fn choice(input: &BundleInput<'_>) -> String {
    let options = install::options(input.questions);
    let targets = input.fetched.targets.iter().map(|target| requirements::path_for_target(target.id()));
    let lines: String = targets.map(|path| format!("    python -m pip install {options}-r FOLDER/{path}\n")).collect();
    let scripts = scripts(input);
    format!(
        "and type outside of the folder the line of the target that you install on, where FOLDER is as which this was
unpacked; no marker tells them apart, and they get different versions.

{lines}
Where the variable TARGET names the target, the same is done in the folder by

{scripts}"
    )
}

/// Returns a line for each wheel that is linked to libraries which its targets may lack.
fn linked(fetched: &Fetched) -> impl Iterator<Item = String> {
    let built = fetched.files().filter_map(|(_, file)| Some((file, file.built_from.as_ref()?)));
    let linked = built.filter(|(_, from)| !from.linkage.libraries.is_empty());
    linked.map(|(file, from)| {
        format!("{} is linked to {}, which must be installed there", file.link.filename, from.linkage)
    })
}

/// Returns the commands that run the install scripts on the targets' systems.
fn scripts(input: &BundleInput<'_>) -> String {
    let (windows, others): (Vec<_>, Vec<_>) =
        input.fetched.targets.iter().partition(|target| target.markers().sys_platform() == "win32");
    let shell = "    sh install.sh ENVIRONMENT\n";
    let power_shell = "    powershell -ExecutionPolicy Bypass -File install.ps1 ENVIRONMENT\n";
    match (windows.is_empty(), others.is_empty()) {
        (true, _) => shell.to_owned(),
        (false, true) => power_shell.to_owned(),
        (false, false) => format!("{shell}\nor on Windows\n\n{power_shell}"),
    }
}

/// Returns a line for each page and folder of the bundle.
fn contents(documents: &[(&str, &str)], fetched: &Fetched, project: Option<&ManifestProject>) -> String {
    let wheels = format!("{WHEELS}/");
    let has_built = fetched.files().any(|(_, file)| file.built_from.is_some());
    let built = if has_built { ", or built from that" } else { "" };
    let packages = format!("the packages, as their index had them{built}");
    let packages = (wheels.as_str(), packages.as_str());
    let manifest = (MANIFEST_PATH, "where each file came from, who asked for it, whom it serves");
    let for_installer = project.and_then(ProjectInstaller::of).and_then(ProjectInstaller::contents);
    let lines = [packages].into_iter().chain(documents.iter().copied()).chain(for_installer).chain([manifest]);
    lines.map(|(path, summary)| format!("    {path:<18} {summary}\n")).collect()
}

/// Returns the paragraph on the project's own installer.
fn by_own_lock(project: &ManifestProject) -> String {
    let Some(installer) = ProjectInstaller::of(project) else { return String::new() };
    let line = installer.command_line(project, "FOLDER");
    let needs = installer.needs().map(|needs| format!("\n{needs}.\n")).unwrap_or_default();
    let name = installer.name;
    let scripts = project.installer.as_ref().map(|_| {
        format!(
            "
    sh FOLDER/install.sh --for {name}

or on Windows

    powershell -ExecutionPolicy Bypass -File FOLDER\\install.ps1 -For {name}

which check the files and run
"
        )
    });
    format!(
        "
In the folder of the project itself {name} installs by its own lock, {}, with
{}
    {line}
{needs}",
        installer.lock,
        scripts.unwrap_or_default()
    )
}

/// Returns a paragraph with a heading and its items, or an empty text if there are none.
fn list(heading: &str, items: impl IntoIterator<Item = String>) -> String {
    let items: String = items.into_iter().map(|item| format!("    {item}\n")).collect();
    if items.is_empty() { items } else { format!("\n{heading}\n\n{items}") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{FetchedFile, TargetSpec};
    use crate::layout::test_fixtures::{bundled, fetched, file, package, page, paths};

    #[test]
    fn what_cannot_be_found_by_name_is_told() {
        let whole = bundled(&fetched(vec![package("demo", "1.0", vec![file("demo-1.0.zip", b"source")])]));
        assert!(!page(&whole, "README.txt").contains("Mind that"));
        let direct = bundled(&fetched(vec![package("demo", "", vec![file("main.zip", b"direct")])]));
        let expected = "Mind that\n\n    `main.zip` does not tell which version of demo it is;";
        assert!(page(&direct, "README.txt").contains(expected));
    }

    #[test]
    fn what_is_built_where_it_is_installed_is_told() {
        let readme = |filenames: &[&str]| {
            let file = |filename: &&str| FetchedFile { targets: vec![0], ..file(filename, filename.as_bytes()) };
            let package = package("demo", "1.0", filenames.iter().map(file).collect());
            let target = TargetSpec::of_name("cp312-win_amd64").unwrap().unwrap().resolve(None).unwrap();
            let targets = vec![Arc::new(target)];
            page(&bundled(&Fetched { targets, ..fetched(vec![package]) }), "README.txt").to_owned()
        };
        let told = readme(&["demo-1.0.zip"]);
        assert!(
            told.contains("if\nwhat they hold is not only Python:\n\n    demo-1.0.zip on cp312-win_amd64"),
            "{told}"
        );
        assert!(!readme(&["demo-1.0-py3-none-any.whl"]).contains("source archives"));
        assert!(!readme(&["demo-1.0-py3-none-any.whl", "demo-1.0.zip"]).contains("source archives"));
    }

    #[test]
    fn it_lists_what_is_there_and_nothing_else() {
        let tree = bundled(&fetched(vec![package("demo", "1.0", vec![file("demo-1.0.zip", b"source")])]));
        let readme = page(&tree, "README.txt");
        let (_, list) = readme.split_once("What is here:\n\n").unwrap();
        let listed: Vec<_> = list.lines().map_while(|line| line.split_whitespace().next()).collect();
        for path in paths(&tree).into_iter().filter(|path| !["README.txt", "SHA256SUMS"].contains(path)) {
            assert!(listed.iter().any(|name| path.starts_with(name)), "{path} is not listed");
        }
        for name in listed {
            assert!(paths(&tree).iter().any(|path| path.starts_with(name)), "{name} is not there");
        }
    }
}
