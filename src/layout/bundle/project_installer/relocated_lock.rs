//! What relocated locks of all formats share: masked URLs, and the names of files in URLs.

use std::collections::BTreeMap;

use toml_edit::visit_mut::VisitMut;
use toml_edit::{Formatted, Item};

use crate::domain::{Fetched, FetchedFile, Version, mask_credentials};

/// Masks the passwords of URLs.
pub struct MaskCredentials;

impl VisitMut for MaskCredentials {
    fn visit_string_mut(&mut self, node: &mut Formatted<String>) {
        if node.value().contains("://") {
            let masked = mask_credentials(node.value()).into_owned();
            if masked != *node.value() {
                let decor = node.decor().clone();
                *node = Formatted::new(masked);
                *node.decor_mut() = decor;
            }
        }
    }
}

/// The wheels that were built, by the project and version that a lock names.
pub struct BuiltWheels<'a>(BTreeMap<&'a str, Vec<(Option<&'a Version>, &'a FetchedFile)>>);

impl<'a> BuiltWheels<'a> {
    pub fn of(fetched: &'a Fetched) -> Self {
        let mut built: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (package, file) in super::built_wheels(fetched) {
            built.entry(package.name.as_ref()).or_default().push((package.version.as_ref(), file));
        }
        Self(built)
    }

    /// Returns those of an entry of a lock with this name and version; an entry without a version is
    /// the only one of its name.
    pub fn of_entry(&self, name: Option<&Item>, version: Option<&Item>) -> impl Iterator<Item = &'a FetchedFile> {
        let version = version.and_then(Item::as_str).and_then(|version| version.parse::<Version>().ok());
        let built = name.and_then(Item::as_str).and_then(|name| self.0.get(name)).into_iter().flatten();
        let is_same = move |known: &Option<&Version>| version.as_ref().is_none_or(|version| *known == Some(version));
        built.filter(move |(known, _)| is_same(known)).map(|(_, file)| *file)
    }
}

/// Returns what a URL or path ends in; that of a URL is decoded.
pub fn last_part(place: &str) -> String {
    let is_url = place.contains("://");
    let end = if is_url { place.split(['?', '#']).next().unwrap_or_default() } else { place };
    let last = end.rsplit(['/', '\\']).next().unwrap_or_default();
    match is_url {
        true => percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned(),
        false => last.to_owned(),
    }
}
