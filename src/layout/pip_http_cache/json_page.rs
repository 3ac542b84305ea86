//! Generates a project's JSON page (PEP 691, PEP 700) from its listing.

use serde_json::{Map, Value, json};

use crate::domain::{Candidate, Digest, Listing};

/// Returns the page of a listing, with all files that any target could use.
pub fn text(listing: &Listing) -> Vec<u8> {
    let files: Vec<_> =
        listing.versions().flat_map(|version| listing.files(version)).map(|file| entry(&file)).collect();
    let versions: Vec<_> = listing.versions().map(ToString::to_string).collect();
    let page = json!({"meta": {"api-version": "1.1"}, "name": listing.project(), "versions": versions, "files": files});
    page.to_string().into_bytes()
}

fn entry(file: &Candidate) -> Value {
    let known = [
        ("size", file.size.map(Value::from)),
        ("requires-python", file.requires_python.as_ref().map(|python| python.to_string().into())),
        ("yanked", file.yanked.0.as_deref().map(yanked_value)),
        ("core-metadata", file.sidecar.as_ref().map(|sidecar| sidecar.digest.as_ref().map_or(true.into(), hashes))),
        ("upload-time", file.uploaded.map(|moment| moment.to_string().into())),
    ];
    let mut entry = Map::from_iter(known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    entry.insert("filename".into(), (&*file.filename).into());
    entry.insert("url".into(), file.url.public().into());
    entry.insert("hashes".into(), file.hashes.iter().map(pair).collect::<Map<_, _>>().into());
    entry.into()
}

fn hashes(digest: &Digest) -> Value {
    Map::from_iter([pair(digest)]).into()
}

fn pair(digest: &Digest) -> (String, Value) {
    (digest.algorithm.name().to_owned(), (&*digest.hex).into())
}

/// Returns the value of `yanked`: the reason, or `true` for an empty one, which pip would take for
/// `false` (`docs/facts/pip.md` 3.3).
fn yanked_value(reason: &str) -> Value {
    if reason.is_empty() { true.into() } else { reason.into() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{FileRecord, ListingBuilder, MaskedUrl};

    #[test]
    fn nothing_that_installers_heed_is_lost() {
        let page: MaskedUrl = "https://index.example/simple/demo/".parse().unwrap();
        let mut builder = ListingBuilder::new("demo".parse().unwrap(), Arc::new(page.clone()), page);
        let file = FileRecord {
            filename: "demo-1.0.zip",
            href: "../../files/demo-1.0.zip",
            hashes: vec![(crate::domain::Algorithm::Md5, "d41d8cd98f00b204e9800998ecf8427e")],
            size: Some(7),
            requires_python: Some(">=3.8"),
            yanked: Some(""),
            sidecar: Some(None),
            uploaded: Some(0),
        };
        builder.push(&file);
        let written: Value = serde_json::from_slice(&text(&builder.finish())).unwrap();
        let expected = json!({
            "filename": "demo-1.0.zip",
            "url": "https://index.example/files/demo-1.0.zip",
            "hashes": {"md5": "d41d8cd98f00b204e9800998ecf8427e"},
            "size": 7,
            "requires-python": ">=3.8",
            "yanked": true,
            "core-metadata": true,
            "upload-time": "1970-01-01T00:00:00Z",
        });
        assert_eq!((&written["files"][0], &written["versions"]), (&expected, &json!(["1.0"])));
    }
}
