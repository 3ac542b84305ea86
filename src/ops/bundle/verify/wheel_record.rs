//! Compares a wheel with its `RECORD`, the list of its files (PEP 427, PEP 376).

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use zip::ZipArchive;

use super::expected_files::Depth;
use crate::domain::{Algorithm, Digest, Fingerprint, list_first};

/// The size limit of a `RECORD` in bytes.
const LONGEST: u64 = 64 << 20;

/// The number of files that a sentence names.
const NAMED: usize = 3;

/// Returns the differences between `RECORD` and the wheel, in sentences.
pub fn faults(mut wheel: impl Read + Seek, depth: Depth) -> Vec<String> {
    if let Err(error) = wheel.seek(SeekFrom::Start(0)) {
        return vec![error.to_string()];
    }
    match compare(wheel, depth) {
        Ok(faults) => faults,
        Err(why) => vec![format!("its RECORD cannot be read: {why}")],
    }
}

/// A row of `RECORD`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct RecordRow {
    /// Size in bytes.
    size: Option<u64>,
    /// The digest; `None` also if its algorithm is unknown.
    digest: Option<Digest>,
}

fn compare(wheel: impl Read + Seek, depth: Depth) -> Result<Vec<String>, String> {
    let mut archive = ZipArchive::new(wheel).map_err(|error| error.to_string())?;
    let (mut members, mut record) = (BTreeMap::new(), None);
    for index in 0..archive.len() {
        let member = archive.by_index_data(index).map_err(|error| error.to_string())?;
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        if name.ends_with(".dist-info/RECORD") && name.matches('/').count() == 1 {
            record = Some((index, name.clone()));
        }
        if !name.ends_with('/') {
            members.insert(name, member.size());
        }
    }
    let (index, path) = record.ok_or("there is none")?;
    let file = archive.by_index(index).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| error.to_string())?;
    let rows = read_rows(&text);
    let mut faults = disagreements(&members, &rows, &path);
    if depth == Depth::Contents {
        faults.extend(altered(&mut archive, &rows));
    }
    Ok(faults)
}

/// Returns the files that cannot be read or do not have the digest of their row.
fn altered(archive: &mut ZipArchive<impl Read + Seek>, rows: &BTreeMap<String, RecordRow>) -> Option<String> {
    let promised = rows.iter().filter_map(|(name, row)| Some((name, row.digest.as_ref()?)));
    let is_other = |(name, digest): &(&String, &Digest)| {
        archive.index_for_name(name).is_some_and(|index| !has_digest(archive, index, digest))
    };
    let altered: Vec<_> = promised.filter(is_other).map(|(name, _)| name).collect();
    (!altered.is_empty())
        .then(|| format!("its RECORD tells another digest, or it cannot be read: {}", listed(&altered)))
}

fn has_digest(archive: &mut ZipArchive<impl Read + Seek>, index: usize, digest: &Digest) -> bool {
    let Ok(mut member) = archive.by_index(index) else { return false };
    let found = Fingerprint::read(&mut member, &[digest.algorithm]);
    found.is_ok_and(|found| found.digest(digest.algorithm).agrees_with(digest))
}

fn disagreements(members: &BTreeMap<String, u64>, rows: &BTreeMap<String, RecordRow>, record: &str) -> Vec<String> {
    let is_exempt = |name: &str| name == record || [".jws", ".p7s"].iter().any(|end| *name == format!("{record}{end}"));
    let absent: Vec<_> = rows.keys().filter(|name| !members.contains_key(*name)).collect();
    let unlisted: Vec<_> = members.keys().filter(|name| !rows.contains_key(*name) && !is_exempt(name)).collect();
    let is_other = |(name, row): &(&String, &RecordRow)| {
        row.size.is_some_and(|size| members.get(*name).is_some_and(|has| *has != size))
    };
    let resized: Vec<_> = rows.iter().filter(is_other).map(|(name, _)| name).collect();
    let sentences = [
        (absent, "its RECORD lists what it does not hold"),
        (unlisted, "it holds what its RECORD does not list"),
        (resized, "its RECORD tells another size"),
    ];
    let told = sentences.into_iter().filter(|(names, _)| !names.is_empty());
    told.map(|(names, what)| format!("{what}: {}", listed(&names))).collect()
}

fn listed(names: &[&String]) -> String {
    list_first(names.iter().map(|name| format!("`{name}`")), NAMED)
}

/// Parses the rows by path; a path with commas is quoted, and quotes in it are doubled.
fn read_rows(text: &str) -> BTreeMap<String, RecordRow> {
    let rows = text.lines().filter(|line| !line.trim().is_empty());
    rows.map(|line| {
        let (path, rest) = match line.strip_prefix('"').and_then(|line| line.split_once("\",")) {
            Some((path, rest)) => (path.replace("\"\"", "\""), rest),
            None => line.split_once(',').map(|(path, rest)| (path.to_owned(), rest)).unwrap_or((line.to_owned(), "")),
        };
        let (digest, size) = rest.split_once(',').unwrap_or((rest, ""));
        (path.replace('\\', "/"), RecordRow { size: size.trim().parse().ok(), digest: read_digest(digest.trim()) })
    })
    .collect()
}

/// Parses `sha256=` with the digest in URL-safe base64 (PEP 427).
fn read_digest(text: &str) -> Option<Digest> {
    let (algorithm, encoded) = text.split_once('=')?;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')).ok()?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(Digest::new(Algorithm::named(algorithm)?, hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_csv() {
        let rows = read_rows("a.py,sha256=_-8,3\r\n\"b,\"\"c\"\".py\",sum=y,4\nd-1.dist-info/RECORD,,\n");
        let digest = Some(Digest::new(Algorithm::Sha256, "ffef"));
        let expected = [("a.py", Some(3), digest), ("b,\"c\".py", Some(4), None), ("d-1.dist-info/RECORD", None, None)];
        assert!(
            rows.into_iter()
                .map(|(path, row)| (path, row.size, row.digest))
                .eq(expected.map(|(path, size, digest)| (path.to_owned(), size, digest)))
        );
    }

    #[test]
    fn what_one_side_lacks_is_told() {
        let members = [("a.py", 3), ("c.py", 1), ("d/RECORD", 9), ("d/RECORD.jws", 9)]
            .map(|(name, size)| (name.to_owned(), size));
        let row = |size| RecordRow { size: Some(size), digest: None };
        let rows = [("a.py", row(4)), ("b.py", row(1))].map(|(name, row)| (name.to_owned(), row));
        let expected = [
            "its RECORD lists what it does not hold: `b.py`",
            "it holds what its RECORD does not list: `c.py`",
            "its RECORD tells another size: `a.py`",
        ];
        assert_eq!(disagreements(&members.into(), &rows.into(), "d/RECORD"), expected);
    }
}
