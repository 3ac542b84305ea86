//! How pips that do not normalize names read a file name, and the `#egg=` fragments that help them.
//!
//! Up to pip 9, `zope_interface-5.0.tar.gz` belongs to `zope-interface` and not to
//! `zope.interface`: dots count (`docs/facts/legacy-pip.md` 3). Those pips take a link's `#egg=`
//! fragment for the file's name, if it comes first, so a page can tell them. No index states the
//! project's true spelling; it is guessed from the file's own name.

use crate::domain::{DistributionFilename, Fetched, FetchedPackage, PackageName, SourceFilename, Version};

/// Returns the project's name as its files spell it, with `-` for `_`.
///
/// A dotted spelling is preferred, since old pips distinguish dots and nothing else.
pub fn spelled_name(package: &FetchedPackage) -> String {
    let names = package.files.iter().filter_map(|file| name_part(&file.link.filename, &package.name));
    let dotted = names.map(|name| name.replace('_', "-")).filter(|name| name.contains('.')).min();
    dotted.unwrap_or_else(|| package.name.to_string())
}

/// Returns the version as a source archive spells it, since pips before 6 compare versions loosely;
/// `None` if it is not known.
pub fn spelled_version(package: &FetchedPackage) -> Option<String> {
    let sources = package.files.iter().filter(|file| !file.link.is_wheel());
    let mut readable = sources.filter(|file| !is_unreadable(&package.name, &file.link.filename));
    let spelled = readable.find_map(|file| DistributionFilename::version_text(&file.link.filename, &package.name).ok());
    spelled.map(str::to_owned).or_else(|| package.version.as_ref().map(ToString::to_string))
}

/// Returns the part of a file name before the version.
fn name_part<'a>(filename: &'a str, project: &PackageName) -> Option<&'a str> {
    let version = DistributionFilename::version_text(filename, project).ok()?;
    let before = version.as_ptr() as usize - filename.as_ptr() as usize;
    filename[..before].strip_suffix('-')
}

/// Whether every pip since 24.0 can tell project and version from the file's name in a plain
/// folder.
pub fn is_seen_in_a_folder(package: &FetchedPackage, filename: &str) -> bool {
    match DistributionFilename::parse(filename, &package.name) {
        Ok(DistributionFilename::Wheel(_)) => true,
        Ok(DistributionFilename::Source(source)) => {
            let alone = SourceFilename::guess(filename);
            source.extension.is_seen_in_a_folder() && alone.is_ok_and(|alone| alone == source)
        }
        Err(_) => false,
    }
}

/// Returns the `#egg=` fragment of a file whose own name tells nothing (`main.zip`), or `None` if
/// the name is enough or the version is not known.
pub fn own_egg(project: &PackageName, version: Option<&Version>, filename: &str) -> Option<String> {
    let version = version.filter(|_| is_unreadable(project, filename))?;
    Some(format!("{project}-{version}")).filter(|egg| is_egg(egg))
}

/// Returns the `#egg=` fragments under which old pips may look for a file.
///
/// A wheel has none: with one, pip would no longer look at its tags.
pub fn eggs(package: &FetchedPackage, filename: &str) -> Vec<String> {
    if filename.ends_with(".whl") {
        return Vec::new();
    }
    if is_unreadable(&package.name, filename) {
        return own_egg(&package.name, package.version.as_ref(), filename).into_iter().collect();
    }
    let version = DistributionFilename::version_text(filename, &package.name).unwrap_or_default();
    let eggs = other_spellings(filename, &package.name).into_iter().map(|name| format!("{name}-{version}"));
    eggs.filter(|egg| is_egg(egg)).collect()
}

/// Returns a sentence for each file that no installer can look up by name, since its version is not
/// known from its name nor otherwise.
pub fn unidentified(fetched: &Fetched) -> Vec<String> {
    let unidentified = fetched.files().filter(|(package, file)| is_unidentified(package, &file.link.filename));
    unidentified
        .map(|(package, file)| {
            let filename = &file.link.filename;
            format!("`{filename}` does not tell which version of {} it is; install it by its path", package.name)
        })
        .collect()
}

/// Whether no installer can look the file up by project and version.
pub fn is_unidentified(package: &FetchedPackage, filename: &str) -> bool {
    is_unreadable(&package.name, filename) && own_egg(&package.name, package.version.as_ref(), filename).is_none()
}

/// Whether the file's name is not a valid distribution name of its project.
pub fn is_unreadable(project: &PackageName, filename: &str) -> bool {
    DistributionFilename::parse(filename, project).is_err()
}

/// Returns the dotted spellings that `filename` may stand for: `a.b-c` and `a.b.c` for `a_b_c`.
fn other_spellings(filename: &str, project: &PackageName) -> Vec<String> {
    if name_part(filename, project).is_some_and(|name| name.contains('.')) {
        return Vec::new();
    }
    let dashes = project.as_ref().matches('-').count();
    (1..=dashes).map(|dots| project.as_ref().replacen('-', ".", dots)).collect()
}

/// Whether pip accepts an `#egg=` value: since 26.0 it fails on a page with any other
/// (`docs/facts/pip.md` 1.6).
fn is_egg(egg: &str) -> bool {
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    ends(egg.bytes().next())
        && ends(egg.bytes().last())
        && egg.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
