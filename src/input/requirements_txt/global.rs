//! Applies lines of options, which affect everything (`docs/facts/pip.md` 1.4).

use crate::domain::IndexOptions;

use super::ParseFault;
use super::options::{GivenOption, LineOptions, OptionName};

/// Applies the options that have an effect on any line, even beside a requirement.
pub fn apply_anywhere(options: &mut IndexOptions, given: &[GivenOption]) -> Vec<ParseFault> {
    let mut warnings = Vec::new();
    for option in given {
        let unknown = match option.name {
            OptionName::OnlyBinary => each(&option.value, |part| options.formats.only_binary(part)),
            OptionName::NoBinary => each(&option.value, |part| options.formats.no_binary(part)),
            OptionName::AllReleases => each(&option.value, |part| options.releases.all_releases(part)),
            OptionName::OnlyFinal => each(&option.value, |part| options.releases.only_final(part)),
            _ => continue,
        };
        let told =
            unknown.iter().map(|part| ParseFault::at(option.at, format!("`{part}` is no project name: it is ignored")));
        warnings.extend(told);
    }
    options.pre = options.releases.is_pre();
    warnings
}

/// Passes the parts of a value to `take` one by one; returns those that are no project names.
///
/// pip ignores what follows `:all:`, unless that contains `:none:`.
fn each(value: &str, mut take: impl FnMut(&str) -> Result<(), String>) -> Vec<String> {
    let mut parts: Vec<_> = value.split(',').collect();
    let last_all = parts.iter().rposition(|part| *part == ":all:");
    if let Some(all) = last_all.filter(|all| !parts[*all..].contains(&":none:")) {
        parts.truncate(all + 1);
    }
    parts.into_iter().filter(|part| !part.trim().is_empty()).filter_map(|part| take(part).err()).collect()
}

/// Whether [`apply_anywhere`] handles an option.
pub fn acts_anywhere(name: OptionName) -> bool {
    matches!(name, OptionName::OnlyBinary | OptionName::NoBinary | OptionName::AllReleases | OptionName::OnlyFinal)
}

/// Applies a line of options except those of [`apply_anywhere`]; returns what pip ignores.
///
/// `beside` returns the path that a find-links value names beside the file, if it exists.
///
/// # Errors
/// When both `--require-hashes` and `--no-require-hashes` are given.
pub fn apply_line(
    options: &mut IndexOptions,
    line: &LineOptions,
    beside: impl Fn(&str) -> Option<String>,
) -> Result<Vec<ParseFault>, ParseFault> {
    let mut warnings = apply_indexes(options, line);
    warnings.extend(apply_find_links(options, line, beside));
    options.prefer_binary |= line.all(OptionName::PreferBinary).next().is_some();
    for host in line.all(OptionName::TrustedHost).map(|option| &option.value) {
        if !options.trusted_hosts.contains(host) {
            options.trusted_hosts.push(host.clone());
        }
    }
    if line.all(OptionName::Pre).next().is_some() {
        options.releases.pre();
        options.pre = true;
    }
    for name in [OptionName::Hash, OptionName::ConfigSettings] {
        let alone = line.all(name).next();
        warnings.extend(alone.map(|option| {
            ParseFault::at(option.at, format!("`{}` belongs behind a requirement: it is ignored here", name.spelling()))
        }));
    }
    apply_hash_mode(options, line)?;
    Ok(warnings)
}

/// Applies the index options of a line in pip's order: no index, then the index, then the extra
/// ones.
fn apply_indexes(options: &mut IndexOptions, line: &LineOptions) -> Vec<ParseFault> {
    let mut warnings = Vec::new();
    if line.all(OptionName::NoIndex).next().is_some() {
        options.no_index = true;
        options.index_url = None;
        options.extra_index_urls.clear();
    }
    for option in
        line.given.iter().filter(|option| matches!(option.name, OptionName::IndexUrl | OptionName::ExtraIndexUrl))
    {
        if options.no_index {
            warnings.push(ParseFault::at(option.at, "`--no-index` was asked, so this index is not used"));
        } else if option.value.is_empty() {
            warnings.push(ParseFault::at(option.at, "an index without a URL is ignored"));
        }
    }
    if options.no_index {
        return warnings;
    }
    if let Some(index) = line.all(OptionName::IndexUrl).last().filter(|index| !index.value.is_empty()) {
        let dropped = std::mem::take(&mut options.extra_index_urls);
        let told = dropped.iter().map(|url| {
            ParseFault::at(index.at, format!("this index replaces all before it, the extra index {url} too"))
        });
        warnings.extend(told);
        options.index_url = Some(index.value.clone());
    }
    let extra = line.all(OptionName::ExtraIndexUrl).filter(|option| !option.value.is_empty());
    options.extra_index_urls.extend(extra.map(|option| option.value.clone()));
    warnings
}

fn apply_find_links(
    options: &mut IndexOptions,
    line: &LineOptions,
    beside: impl Fn(&str) -> Option<String>,
) -> Vec<ParseFault> {
    let mut all = line.all(OptionName::FindLinks);
    if let Some(first) = all.next() {
        options.find_links.push(beside(&first.value).unwrap_or_else(|| first.value.clone()));
    }
    all.map(|option| ParseFault::at(option.at, "pip takes one `--find-links` of a line: this one is ignored")).collect()
}

fn apply_hash_mode(options: &mut IndexOptions, line: &LineOptions) -> Result<(), ParseFault> {
    let asked = |name| line.all(name).next();
    let (require, leave) = (asked(OptionName::RequireHashes), asked(OptionName::NoRequireHashes));
    options.require_hashes |= require.is_some();
    options.no_require_hashes |= leave.is_some();
    match require.or(leave) {
        Some(option) if options.require_hashes && options.no_require_hashes => {
            Err(ParseFault::at(option.at, "`--require-hashes` and `--no-require-hashes` exclude each other"))
        }
        _ => Ok(()),
    }
}
