//! `install.sh` and `install.ps1` of a bundle.

use std::collections::BTreeMap;

use super::BundleInput;
use crate::domain::{FetchedFile, FetchedPackage, Request};

const SHELL: &str = include_str!("scripts/install.sh");
const POWER_SHELL: &str = include_str!("scripts/install.ps1");

/// Python that succeeds where the list of digests agrees with the manifest, which may be signed.
/// It has no double quotes: Windows PowerShell loses them on the way to a program.
const AGREES: &str = include_str!("scripts/agrees.py");

/// What stands in the scripts for options of pip.
const OPTIONS: &str = "@OPTIONS@";

/// What stands in the scripts for [`installers`].
const INSTALLERS: &str = "@INSTALLERS@";

/// The script for Unix.
pub fn shell(input: &BundleInput<'_>) -> String {
    filled(SHELL, input)
}

/// The script for Windows.
pub fn power_shell(input: &BundleInput<'_>) -> String {
    filled(POWER_SHELL, input).replace('\n', "\r\n")
}

fn filled(script: &str, input: &BundleInput<'_>) -> String {
    script.replace("@AGREES@", AGREES).replace(OPTIONS, options(input.requests)).replace(INSTALLERS, &installers(input))
}

/// What was fetched without dependencies is installed without them.
pub fn options(requests: &[Request]) -> &'static str {
    let is_alone = !requests.is_empty() && requests.iter().all(|request| !request.follow_dependencies);
    if is_alone { "--no-deps " } else { "" }
}

/// `3.12:pip-25.0-py3-none-any.whl` for each Python for which the bundle has a pip.
fn installers(input: &BundleInput<'_>) -> String {
    let is_pip = |(package, file): &(&FetchedPackage, &FetchedFile)| {
        package.name.as_ref() == "pip" && file.candidate.filename.ends_with("-none-any.whl")
    };
    let wheels = input.fetched.files().filter(is_pip);
    let by_python = wheels.flat_map(|(_, file)| {
        let pythons = file.targets.iter().map(|target| input.fetched.targets[*target].python_version());
        pythons.map(|python| (python, &*file.candidate.filename))
    });
    let by_python: BTreeMap<_, _> = by_python.collect();
    by_python.iter().map(|(python, wheel)| format!("{python}:{wheel}")).collect::<Vec<_>>().join(" ")
}
