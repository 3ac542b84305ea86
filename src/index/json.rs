//! The JSON form of the Simple API (PEP 691, with PEPs 592, 658, 700 and 714), read as pip reads it
//! (`facts/pip.md` 3.3).
//!
//! Files go to the sink as they are met and borrow their text from the page. A malformed entry is
//! refused alone; malformed JSON is an error of the page.

mod entry;
mod value;

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use entry::Entry;
use value::Value;

use super::page::PageError;
use super::sink::Sink;
use crate::domain::MaskedUrl;

/// Gives every file of the page to `sink`.
pub(super) fn scan(page: &[u8], page_url: &MaskedUrl, sink: &mut impl Sink) -> Result<(), PageError> {
    let page = page.strip_prefix(b"\xef\xbb\xbf").unwrap_or(page);
    let mut deserializer = serde_json::Deserializer::from_slice(page);
    let meta = PageSeed(sink).deserialize(&mut deserializer).and_then(|meta| deserializer.end().map(|()| meta));
    let meta = meta.map_err(|source| PageError::Json { page: page_url.clone(), source })?;
    match meta.and_then(Meta::unknown_version) {
        Some(version) => Err(PageError::ApiVersion { page: page_url.clone(), version }),
        None => Ok(()),
    }
}

/// The part of the page that speaks of the page.
#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default, rename = "api-version")]
    api_version: Value<'a>,
}

impl Meta<'_> {
    /// The version of the API, where its major number is not 1 (PEP 629 asks clients to refuse those).
    fn unknown_version(self) -> Option<String> {
        let version = self.api_version.text()?;
        let major = version.split('.').next().unwrap_or_default();
        (major != "1").then(|| version.into_owned())
    }
}

/// Reads the page's outermost object, giving its files away.
struct PageSeed<'s, S>(&'s mut S);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum PageKey {
    Meta,
    Files,
    #[serde(other)]
    Other,
}

impl<'de, S: Sink> DeserializeSeed<'de> for PageSeed<'_, S> {
    type Value = Option<Meta<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for PageSeed<'_, S> {
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
                    Value::Object(object) => meta = Some(object),
                    _ => meta = None,
                },
                PageKey::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if has_files { Ok(meta) } else { Err(A::Error::missing_field("files")) }
    }
}

/// Reads the list of files, giving each away.
struct FilesSeed<'s, S>(&'s mut S);

impl<'de, S: Sink> DeserializeSeed<'de> for FilesSeed<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for FilesSeed<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(entry) = list.next_element::<Value<'de, Entry<'de>>>()? {
            match entry {
                Value::Object(entry) => entry.give(self.0),
                _ => self.0.refuse("", "its entry is no JSON object"),
            }
        }
        Ok(())
    }
}
