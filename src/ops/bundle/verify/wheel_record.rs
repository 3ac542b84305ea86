//! A wheel's own list of its files, beside the files that it has (PEP 427, PEP 376).

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use zip::ZipArchive;

/// No `RECORD` is longer, in bytes.
const LONGEST: u64 = 64 << 20;

/// How many files a sentence names.
const NAMED: usize = 3;

/// What `RECORD` and the wheel do not agree about, as sentences.
pub fn faults(mut wheel: impl Read + Seek) -> Vec<String> {
    if let Err(error) = wheel.seek(SeekFrom::Start(0)) {
        return vec![error.to_string()];
    }
    match compare(wheel) {
        Ok(faults) => faults,
        Err(why) => vec![format!("its RECORD cannot be read: {why}")],
    }
}

fn compare(wheel: impl Read + Seek) -> Result<Vec<String>, String> {
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
    Ok(disagreements(&members, &read_rows(&text), &path))
}

fn disagreements(members: &BTreeMap<String, u64>, rows: &BTreeMap<String, Option<u64>>, record: &str) -> Vec<String> {
    let is_exempt = |name: &str| name == record || [".jws", ".p7s"].iter().any(|end| *name == format!("{record}{end}"));
    let absent: Vec<_> = rows.keys().filter(|name| !members.contains_key(*name)).collect();
    let unlisted: Vec<_> = members.keys().filter(|name| !rows.contains_key(*name) && !is_exempt(name)).collect();
    let is_other = |(name, size): &(&String, &Option<u64>)| {
        size.is_some_and(|size| members.get(*name).is_some_and(|has| *has != size))
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
    let shown: Vec<_> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Path and size of each row; a path with commas stands in quotes, and quotes in it are doubled.
fn read_rows(text: &str) -> BTreeMap<String, Option<u64>> {
    let rows = text.lines().filter(|line| !line.trim().is_empty());
    rows.map(|line| {
        let (path, rest) = match line.strip_prefix('"').and_then(|line| line.split_once("\",")) {
            Some((path, rest)) => (path.replace("\"\"", "\""), rest),
            None => line.split_once(',').map(|(path, rest)| (path.to_owned(), rest)).unwrap_or((line.to_owned(), "")),
        };
        (path.replace('\\', "/"), rest.rsplit(',').next().and_then(|size| size.trim().parse().ok()))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_csv() {
        let rows = read_rows("a.py,sha256=x,3\r\n\"b,\"\"c\"\".py\",sha256=y,4\nd-1.dist-info/RECORD,,\n");
        let expected = [("a.py", Some(3)), ("b,\"c\".py", Some(4)), ("d-1.dist-info/RECORD", None)];
        assert!(rows.iter().map(|(path, size)| (path.as_str(), *size)).eq(expected));
    }

    #[test]
    fn what_one_side_lacks_is_told() {
        let members = [("a.py", 3), ("c.py", 1), ("d/RECORD", 9), ("d/RECORD.jws", 9)]
            .map(|(name, size)| (name.to_owned(), size));
        let rows = [("a.py", Some(4)), ("b.py", Some(1))].map(|(name, size)| (name.to_owned(), size));
        let expected = [
            "its RECORD lists what it does not hold: `b.py`",
            "it holds what its RECORD does not list: `c.py`",
            "its RECORD tells another size: `a.py`",
        ];
        assert_eq!(disagreements(&members.into(), &rows.into(), "d/RECORD"), expected);
    }
}
