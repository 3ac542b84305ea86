//! The warning about source archives whose builds may have other dependencies than their metadata
//! states.

use std::collections::BTreeMap;

use crate::cli::plural::count;
use crate::domain::MetadataSource;

/// Returns one sentence that names all of `archives`, or `None` if there are none.
pub fn of(archives: &BTreeMap<Box<str>, MetadataSource>) -> Option<String> {
    if archives.is_empty() {
        return None;
    }
    let named: Vec<_> = archives.iter().map(|(filename, source)| format!("{filename} ({source})")).collect();
    let (whose, builds) = if archives.len() == 1 { ("its", "build") } else { ("their", "builds") };
    Some(format!(
        "what {} need{} was read without running {whose} {builds}, which may say otherwise: {}; --strict-metadata takes \
         none of that, and with --allow-build asks the {builds}",
        count(archives.len(), "source archive"),
        if archives.len() == 1 { "s" } else { "" },
        named.join(", "),
    ))
}

/// Returns a phrase for the place where an archive's dependencies were read.
pub fn words(source: MetadataSource) -> String {
    match source {
        MetadataSource::Built => "its build".to_owned(),
        other => format!("its {other}, which its build may contradict"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sentence_names_every_archive() {
        let archives = |names: &[&str]| names.iter().map(|name| ((*name).into(), MetadataSource::EggInfo)).collect();
        assert_eq!(of(&archives(&[])), None);
        let one = of(&archives(&["a-1.zip"])).unwrap();
        assert!(one.starts_with("what 1 source archive needs was read without running its build,"), "{one}");
        let two = of(&archives(&["a-1.zip", "b-1.zip"])).unwrap();
        assert!(two.contains("a-1.zip (egg-info), b-1.zip (egg-info);"), "{two}");
    }
}
