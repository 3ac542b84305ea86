//! The tables of the overview page, complete without a script.

use std::collections::BTreeMap;

use super::super::MANIFEST_PATH;
use super::format::{count, day, size};
use super::{License, Manifest, ManifestFile, ManifestPackage, bytes, escape, license, uploaded};
use crate::layout::bundle::package_graph::PackageGraph;
use crate::layout::html::href;

/// Returns a sentence that sums up the bundle.
pub fn summary_sentence(manifest: &Manifest) -> String {
    let oldest = manifest
        .packages
        .iter()
        .filter_map(|package| Some((uploaded(package)?, package)))
        .min_by_key(|(moment, _)| *moment);
    let oldest = oldest.map(|(moment, package)| {
        format!(" The oldest upload is of <b>{}</b> ({}).", escape(day(moment)), escape(&package.name))
    });
    format!(
        "<b>{}</b> in {}, <b>{}</b>, for {}.{}",
        count(manifest.packages.len(), "package"),
        count(manifest.files().count(), "file"),
        size(manifest.packages.iter().map(|package| bytes(package, None)).fold(0, u64::saturating_add)),
        count(manifest.targets.len(), "target"),
        oldest.unwrap_or_default(),
    )
}

/// Returns the section on how to install, from a text of paragraphs and indented lines to type; an
/// empty text has none.
pub fn install(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let part = |part: &str| match part.starts_with(INDENT) {
        true => {
            let lines: Vec<_> = part.lines().map(|line| escape(line.trim_start())).collect();
            format!("<pre><code>{}</code></pre>\n", lines.join("\n"))
        }
        false => format!("<p>{}</p>\n", escape(&part.replace('\n', " "))),
    };
    let text = format!("Unpack the bundle anywhere, {}", text.trim_end());
    let parts: String =
        text.split("\n\n").filter(|text| !text.trim().is_empty()).map(|text| part(text.trim_end())).collect();
    format!(
        "<section id=\"install\" aria-labelledby=\"install-title\">\n<h2 id=\"install-title\">How to install</h2>\n{parts}\
         <p class=\"hint\">More is in <a href=\"README.txt\">README.txt</a>; where each file came from, in \
         <a href=\"{MANIFEST_PATH}\">{MANIFEST_PATH}</a>.</p>\n</section>\n"
    )
}

/// The indentation of lines to type.
const INDENT: &str = "    ";

/// Returns the options of the target filter.
pub fn target_options(manifest: &Manifest) -> String {
    let targets = manifest.targets.iter().enumerate();
    targets.map(|(position, target)| format!("<option value=\"{position}\">{}</option>", escape(&target.id))).collect()
}

/// Returns a table row for each package.
pub fn packages(manifest: &Manifest, graph: &PackageGraph) -> String {
    let packages = manifest.packages.iter().enumerate();
    packages.map(|(position, package)| row(manifest, graph, position, package)).collect()
}

fn row(manifest: &Manifest, graph: &PackageGraph, position: usize, package: &ManifestPackage) -> String {
    let is_served = |id: &String| package.files.iter().any(|file| file.targets.contains(id));
    let targets = manifest.targets.iter().filter(|target| is_served(&target.id)).count();
    let bytes = bytes(package, None);
    format!(
        "<tr data-at=\"{position}\"><td>{}{}{}</td><td data-label=\"Licence\">{}</td>\
         <td data-label=\"Size\" class=\"number\" data-bytes>{}</td><td data-label=\"Uploaded\">{}</td>\
         <td data-label=\"Why\">{}</td><td data-label=\"Targets\" class=\"number\">{targets} of {}</td></tr>\n",
        name(package),
        package
            .summary
            .iter()
            .map(|text| format!("<span class=\"summary\">{}</span>", escape(text)))
            .collect::<String>(),
        files(package),
        license_cell(package),
        size(bytes),
        uploaded(package)
            .map_or_else(|| "<span class=\"soft\">not told</span>".to_owned(), |moment| escape(day(moment))),
        why(manifest, graph, position),
        manifest.targets.len(),
    )
}

fn name(package: &ManifestPackage) -> String {
    let version = package.version.as_deref().unwrap_or("of unknown version");
    let is_yanked = package.files.iter().any(|file| file.yanked.is_some());
    let yanked = if is_yanked { " <b class=\"unsure\">yanked</b>" } else { "" };
    format!(
        "<span class=\"name\">{}</span> <span class=\"version\">{}</span>{yanked}",
        escape(&package.name),
        escape(version)
    )
}

fn license_cell(package: &ManifestPackage) -> String {
    match license(package) {
        Some(License::Expression(text)) => escape(&text),
        Some(License::Words(text)) => {
            format!("<span title=\"No licence of the SPDX list for certain\">{}</span>", escape(&text))
        }
        None => "<span class=\"unsure\">not stated</span>".to_owned(),
    }
}

fn why(manifest: &Manifest, graph: &PackageGraph, position: usize) -> String {
    let asked = graph.is_asked(position).then(|| format!("Asked for by {}", graph.asked_by[position].join(", ")));
    let mut above: Vec<_> =
        graph.needed_by[position].iter().map(|one| needing(manifest, graph, *one, position)).collect();
    above.dedup();
    let needed = (!above.is_empty()).then(|| format!("Needed by {}", above.join(", ")));
    let mut reasons: Vec<_> = asked.into_iter().chain(needed).map(|text| escape(&text)).collect();
    let lines = &manifest.packages[position].requested_by;
    if reasons.is_empty() && !lines.is_empty() {
        // A tool, which no package needs once it is installed.
        reasons.push(escape(&format!("Brought by {}", lines.join(", "))));
    }
    if reasons.is_empty() { "<span class=\"soft\">not told</span>".to_owned() } else { reasons.join("<br>") }
}

/// Returns the package that needs the one at `position`, with the targets on which it does, unless
/// these are all that both serve.
fn needing(manifest: &Manifest, graph: &PackageGraph, one: usize, position: usize) -> String {
    let name = &manifest.packages[one].name;
    let need = graph.needs[one].iter().find(|need| need.package == position && need.is_partial);
    let serves = |id: &String| manifest.packages[position].files.iter().any(|file| file.targets.contains(id));
    let served = manifest.targets.iter().filter(|target| serves(&target.id)).count();
    match need.filter(|need| need.targets.len() < served) {
        Some(need) => {
            let ids: Vec<_> = need.targets.iter().map(|target| manifest.targets[*target].id.as_str()).collect();
            format!("{name} (on {})", ids.join(", "))
        }
        None => name.clone(),
    }
}

fn files(package: &ManifestPackage) -> String {
    let items: String = package.files.iter().map(file).collect();
    format!("<details><summary>{}</summary><ul>{items}</ul></details>", count(package.files.len(), "file"))
}

fn file(file: &ManifestFile) -> String {
    let path: Vec<_> = file.path.split('/').map(href).collect();
    let targets = if file.targets.is_empty() { String::new() } else { format!(", for {}", file.targets.join(", ")) };
    let yanked = file.yanked.iter().map(|reason| format!("<br><b class=\"unsure\">yanked</b> {}", escape(reason)));
    format!(
        "<li><a href=\"{}\">{}</a>, {}{}{}<br>SHA-256 <code>{}</code>{}</li>",
        escape(&path.join("/")),
        escape(&file.filename),
        size(file.size),
        escape(&targets),
        yanked.collect::<String>(),
        escape(&file.sha256),
        file.url.iter().map(|url| format!("<br>from <code>{}</code>", escape(url))).collect::<String>(),
    )
}

/// Returns a table row for each licence, the most frequent first and packages without a licence
/// last.
pub fn licenses(manifest: &Manifest) -> String {
    let mut groups: BTreeMap<Option<String>, (usize, u64)> = BTreeMap::new();
    for package in &manifest.packages {
        let (number, total) = groups.entry(license(package).map(|license| license.to_string())).or_default();
        *number += 1;
        *total = total.saturating_add(bytes(package, None));
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(name, (number, _))| (name.is_none(), usize::MAX - number));
    let most = groups.iter().map(|(_, (number, _))| *number).max().unwrap_or(1);
    let row = |(name, (number, total)): (Option<String>, (usize, u64))| {
        let name = match name {
            Some(name) => format!("<span data-license=\"{0}\">{0}</span>", escape(&name)),
            None => "<span data-license=\"not stated\" class=\"unsure\">not stated</span>".to_owned(),
        };
        format!(
            "<tr><td>{name}{}</td><td class=\"number\">{number}</td><td class=\"number\">{}</td></tr>\n",
            bar(number as u64, most as u64),
            size(total)
        )
    };
    groups.into_iter().map(row).collect()
}

/// Returns a table row for each target.
pub fn targets(manifest: &Manifest) -> String {
    let of_target = |id: &str| manifest.packages.iter().map(|package| bytes(package, Some(id))).collect::<Vec<_>>();
    let sums: Vec<_> = manifest.targets.iter().map(|target| of_target(&target.id)).collect();
    let total = |bytes: &[u64]| bytes.iter().copied().fold(0, u64::saturating_add);
    let most = sums.iter().map(|bytes| total(bytes)).max().unwrap_or(1);
    let rows = manifest.targets.iter().zip(&sums).map(|(target, bytes)| {
        let serves = |package: &&ManifestPackage| package.files.iter().any(|file| file.targets.contains(&target.id));
        format!(
            "<tr><td><code>{}</code>{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
            escape(&target.id),
            bar(total(bytes), most),
            escape(&target.python_version),
            manifest.packages.iter().filter(serves).count(),
            size(total(bytes))
        )
    });
    rows.collect()
}

/// Returns a bar whose length is `part` of `most`; the numbers stand beside it.
fn bar(part: u64, most: u64) -> String {
    let percent = part as f64 / most.max(1) as f64 * 100.0;
    format!("<svg class=\"bar\" aria-hidden=\"true\"><rect width=\"{percent:.1}%\" height=\"100%\" rx=\"2\"/></svg>")
}
