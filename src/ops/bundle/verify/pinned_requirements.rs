//! Whether the requirements files of a bundle give each target exactly what is packed for it.

use std::path::Path;

use super::bundle_pages::{BundlePages, ReadPage};
use super::{Finding, FindingKind};
use crate::domain::{IndexOptions, PackageName, Requirement, Source, Target};
use crate::input::{Location, ParsedInput, Role, read};
use crate::layout::{Manifest, ManifestFile, WHEELS, requirements_paths};

/// Returns what is wrong with the requirements files in a bundle: one for all targets, or one for each.
pub fn findings(manifest: &Manifest, page: ReadPage<'_>) -> Vec<Finding> {
    // What the manifest itself lacks is told elsewhere.
    let Ok(fetched) = manifest.to_fetched() else { return Vec::new() };
    let paths = requirements_paths(&fetched);
    let for_all = (paths.len() == 1).then(|| paths[0].clone());
    let faults = fetched.targets.iter().enumerate().filter_map(|(position, target)| {
        let path = for_all.as_ref().or_else(|| paths.get(position))?;
        let why = fault(manifest, &parsed(path, &BundlePages { manifest, page }), target)?;
        let message = format!("pip would not install by it what is packed: {why}");
        Some(Finding::new(FindingKind::Gap, message).at(path).on(vec![target.id().to_owned()]))
    });
    faults.collect()
}

fn parsed(path: &str, pages: &BundlePages<'_>) -> ParsedInput {
    read(&Location::File(Path::new(BundlePages::ROOT).join(path)), Role::Requirements, pages)
}

/// Returns the first difference between what a file asks for and what is packed for a target.
fn fault(manifest: &Manifest, file: &ParsedInput, target: &Target) -> Option<String> {
    if let Some(problem) = file.problems.first() {
        return Some(problem.to_string());
    }
    if !is_offline(&file.options) {
        return Some(format!("it leads to other places than {WHEELS}/"));
    }
    let mut left = packed_files(manifest, target);
    for requirement in file.requirements.iter().filter(|line| line.marker.evaluate(target.markers(), &[])) {
        let Some(position) = left.iter().position(|packed| is_of(requirement, packed)) else {
            return Some(format!("it asks for {}, which is not packed for it", subject(requirement)));
        };
        let packed = left.remove(position);
        // The versions of one pin may have a wheel and a source archive.
        left.retain(|other| !(other.name == packed.name && is_of(requirement, other)));
    }
    left.first().map(|packed| format!("it does not ask for {}, which is packed for it", packed.file.filename))
}

/// A file that a target installs.
struct PackedFile<'a> {
    name: PackageName,
    version: Option<&'a str>,
    file: &'a ManifestFile,
}

fn packed_files<'a>(manifest: &'a Manifest, target: &Target) -> Vec<PackedFile<'a>> {
    let has = |ids: &[String]| ids.iter().any(|id| id == target.id());
    let installed = manifest.files().filter(|(_, file)| has(&file.targets) && !has(&file.tools));
    let packed = installed.filter_map(|(package, file)| {
        Some(PackedFile { name: package.name.parse().ok()?, version: package.version.as_deref(), file })
    });
    packed.collect()
}

/// Whether pip would take the packed file for a line of the file, and no other.
fn is_of(line: &Requirement, packed: &PackedFile<'_>) -> bool {
    let is_pinned = match &line.source {
        Source::Index(specifiers) => {
            let version = packed.version.and_then(|version| version.parse().ok());
            line.name.as_ref() == Some(&packed.name)
                && specifiers.pin().is_some_and(|pin| Some(pin) == version.as_ref())
        }
        Source::Archive(path) => path.file_name().is_some_and(|name| name == packed.file.filename.as_str()),
        Source::Url(_) | Source::Project(_) | Source::Repository(_) => false,
    };
    is_pinned && line.hashes.iter().any(|digest| *digest.hex == *packed.file.sha256)
}

fn subject(line: &Requirement) -> String {
    match (&line.name, &line.source) {
        (Some(name), Source::Index(specifiers)) => format!("{name}{specifiers}"),
        (Some(name), _) => name.to_string(),
        (None, _) => format!("what stands on line {}", line.origin.line),
    }
}

/// Whether the options lead to the files of the bundle alone.
fn is_offline(options: &IndexOptions) -> bool {
    let folder = Path::new(BundlePages::ROOT).join(WHEELS);
    options.no_index
        && options.index_url.is_none()
        && options.extra_index_urls.is_empty()
        && options.find_links.iter().all(|place| Path::new(place) == folder || place == &format!("./{WHEELS}"))
}
