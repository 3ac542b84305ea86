//! Reads the JSON form of the Simple API (PEP 691, with PEPs 592, 658, 700 and 714) as pip does
//! (`docs/facts/pip.md` 3.3).
//!
//! Files are passed to the visitor as they are read and borrow their text from the page. A
//! malformed entry is refused alone; malformed JSON is an error of the page.
//!
//! Pages without anything unusual are read by [`scan_stream`], at a third of the cost.

mod cursor;
mod entry;
mod shape;
mod stream;
mod value;

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use entry::FileEntry;
pub(super) use stream::scan as scan_stream;
use value::JsonValue;

use super::file_visitor::FileVisitor;
use super::page::PageError;
use crate::domain::MaskedUrl;

/// Passes every file of the page to `visitor`.
pub(super) fn scan(page: &[u8], page_url: &MaskedUrl, visitor: &mut impl FileVisitor) -> Result<(), PageError> {
    let page = page.strip_prefix(b"\xef\xbb\xbf").unwrap_or(page);
    // Checked at once, the bytes of the many texts within need not be checked again.
    let meta = match str::from_utf8(page) {
        Ok(page) => read(serde_json::Deserializer::from_str(page), visitor),
        Err(_) => read(serde_json::Deserializer::from_slice(page), visitor),
    };
    let meta = meta.map_err(|source| PageError::Json { page: page_url.clone(), source })?;
    match meta.and_then(Meta::unknown_version) {
        Some(version) => Err(PageError::ApiVersion { page: page_url.clone(), version }),
        None => Ok(()),
    }
}

fn read<'a, R: serde_json::de::Read<'a>>(
    mut deserializer: serde_json::Deserializer<R>,
    visitor: &mut impl FileVisitor,
) -> serde_json::Result<Option<Meta<'a>>> {
    let meta = PageSeed(visitor).deserialize(&mut deserializer)?;
    deserializer.end().map(|()| meta)
}

/// The `meta` object of a page.
#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default, rename = "api-version")]
    api_version: JsonValue<'a>,
}

impl Meta<'_> {
    /// Returns the API version if its major number is not 1, since PEP 629 asks clients to refuse
    /// it.
    fn unknown_version(self) -> Option<String> {
        let version = self.api_version.text()?;
        let major = version.split('.').next().unwrap_or_default();
        (major != "1").then(|| version.into_owned())
    }
}

/// Reads the outermost object of a page and passes its files on.
struct PageSeed<'s, S>(&'s mut S);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum PageKey {
    Meta,
    Files,
    #[serde(other)]
    Other,
}

impl<'de, S: FileVisitor> DeserializeSeed<'de> for PageSeed<'_, S> {
    type Value = Option<Meta<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: FileVisitor> Visitor<'de> for PageSeed<'_, S> {
    type Value = Option<Meta<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the object of a project page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut meta, mut has_files) = (None, false);
        while let Some(key) = map.next_key()? {
            match key {
                PageKey::Files => {
                    map.next_value_seed(FilesSeed(self.0))?;
                    has_files = true;
                }
                PageKey::Meta => match map.next_value()? {
                    JsonValue::Object(object) => meta = Some(object),
                    _ => meta = None,
                },
                PageKey::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if has_files { Ok(meta) } else { Err(A::Error::missing_field("files")) }
    }
}

/// Reads the list of files and passes each on.
struct FilesSeed<'s, S>(&'s mut S);

impl<'de, S: FileVisitor> DeserializeSeed<'de> for FilesSeed<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: FileVisitor> Visitor<'de> for FilesSeed<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(file) = list.next_element::<JsonValue<'de, FileEntry<'de>>>()? {
            match file {
                JsonValue::Object(entry) => entry.pass_to(self.0),
                _ => entry::refuse(self.0),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Listing, ListingBuilder};

    fn read(page: &[u8]) -> Result<Listing, String> {
        let index: MaskedUrl = "https://index.example/simple/".parse().unwrap();
        let url = index.join("demo/").unwrap();
        let mut builder = ListingBuilder::new("demo".parse().unwrap(), Arc::new(index), url.clone());
        scan(page, &url, &mut builder).map(|()| builder.finish()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_malformed_entry_spoils_no_other() {
        let page = include_bytes!("../../testdata/index/mixed.json");
        let listing = read(page).unwrap();
        let versions: Vec<_> = listing.versions().map(ToString::to_string).collect();
        assert_eq!(versions, ["1.0", "1.7", "1.9"]);
        let ignored: Vec<_> = listing.ignored().into_iter().map(|ignored| (ignored.filename, ignored.why)).collect();
        let ignored: Vec<_> = ignored.iter().map(|(filename, why)| (filename.as_str(), why.as_str())).collect();
        let no_url = "its entry has no `url`, or one that is no text";
        let no_object = ("", "its entry is no JSON object");
        assert_eq!(
            ignored,
            [
                ("demo-1.1.zip", no_url),
                ("demo-1.2.zip", "its `hashes` is no object of texts"),
                ("demo-1.3.zip", "its `hashes` is no object of texts"),
                ("demo-1.4.zip", "its `requires-python` is no text"),
                ("demo-1.5.zip", no_url),
                no_object,
                no_object,
                no_object,
                no_object,
                ("", no_url),
            ]
        );
    }

    #[test]
    fn sizes_are_read_where_they_are_numbers() {
        let sizes = |text: &str| {
            let page = format!(r#"{{"files": [{{"url": "demo-1.zip", "size": {text}}}]}}"#);
            read(page.as_bytes()).unwrap().files(&"1".parse().unwrap())[0].size
        };
        assert_eq!(sizes("7"), Some(7));
        for none in ["null", "-1", "7.5", "\"7\"", "true"] {
            assert_eq!(sizes(none), None, "{none}");
        }
    }

    #[test]
    fn malformed_pages_say_where() {
        let deep = format!(r#"{{"files": {}"#, "[".repeat(10_000));
        for (page, message) in [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("{\n \"files\": [{]}", "key must be a string at line 2 column 13"),
            (r#"{"files": []} x"#, "trailing characters at line 1 column 15"),
            (r#"{"files": {}}"#, "invalid type: map, expected the list of files at line 1 column 10"),
            (r#"{"files": null}"#, "expected the list of files"),
            (r#"{"meta": {}}"#, "missing field `files`"),
            ("[]", "expected the object of a project page"),
            (&deep, "EOF while parsing a list"),
        ] {
            let error = read(page.as_bytes()).unwrap_err();
            assert!(error.starts_with("the JSON of https://index.example/simple/demo/ is malformed: "), "{error}");
            assert!(error.contains(message), "{error}");
        }
        assert!(read(b"\xef\xbb\xbf{\"files\": []}").is_ok());
        assert!(read(b"{\"files\": [{\"url\": \"\xff\"}]}").is_err());
    }

    #[test]
    fn later_major_versions_are_refused() {
        let page = |version: &str| format!(r#"{{"meta": {{"api-version": {version}}}, "files": []}}"#);
        for known in ["\"1.0\"", "\"1.99\"", "null", "1"] {
            assert!(read(page(known).as_bytes()).is_ok(), "{known}");
        }
        assert!(read(page("\"2.0\"").as_bytes()).unwrap_err().contains("version 2.0 of the Simple API"));
        assert!(read(br#"{"meta": [], "files": []}"#).is_ok());
    }
}
