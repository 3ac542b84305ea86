//! The description of a target as JSON, from which the same target can be made elsewhere.

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};

use super::Target;
use crate::domain::{Implementation, MarkerEnvironment, Platform, Python, Tags, Version};

/// Everything that a [`Target`] consists of: the output of `scripts/describe-target.py` on a
/// machine, and part of a bundle's manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetDescription {
    /// The implementation: `sys.implementation.name`, or the prefix of its wheel tags.
    implementation: Implementation,
    /// The full version, such as `3.15.0b1`.
    #[serde(deserialize_with = "python_version")]
    version: Version,
    /// The ABIs of its extension modules, best first.
    abis: Vec<Box<str>>,
    /// The newest tag that fits.
    platform: Platform,
    /// Every tag that it supports, best first, if they are not the usual ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tags: Option<Tags>,
    markers: MarkerEnvironment,
}

/// Reads the version of a Python, whose minor number is at most 99, as that of a
/// [`PythonVersion`](crate::domain::PythonVersion): a target has a tag for each minor version before its own.
fn python_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
    let version = Version::deserialize(deserializer)?;
    match version.release() {
        [_] | [_, 0..=99, ..] => Ok(version),
        _ => Err(D::Error::custom(format!("`{version}` is no version of Python"))),
    }
}

/// The version of the format that is read from files.
const SCHEMA: u32 = 1;

/// The field that states the version of the format, read alone.
#[derive(Deserialize)]
struct SchemaField {
    schema: Option<u32>,
}

/// Why a text is no description of a machine.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    #[error("it is not what scripts/describe-target.py prints: {0}")]
    Json(#[from] serde_json::Error),
    #[error("its schema is {0}, and this prefetch reads schema {SCHEMA}")]
    Schema(u32),
    #[error("it is not what scripts/describe-target.py prints: it states no schema (\"schema\": {SCHEMA})")]
    NoSchema,
}

impl TargetDescription {
    /// Parses the output of the script.
    ///
    /// # Errors
    /// When it is invalid; the error says what is wrong.
    pub fn of_file(bytes: &[u8]) -> Result<Self, DescriptionError> {
        // Whoever redirects output in PowerShell gets a mark in front of it, up to 5.1 in UTF-16.
        let (text, ..) = encoding_rs::UTF_8.decode(bytes);
        let SchemaField { schema } = serde_json::from_str(&text)?;
        match schema {
            Some(SCHEMA) => Ok(serde_json::from_str(&text)?),
            Some(other) => Err(DescriptionError::Schema(other)),
            None => Err(DescriptionError::NoSchema),
        }
    }

    /// Returns the described target.
    pub fn target(&self) -> Target {
        let python = Python {
            implementation: self.implementation.clone(),
            version: self.version.clone(),
            abis: self.abis.clone(),
        };
        let (platform, markers) = (self.platform.clone(), self.markers.clone());
        match &self.tags {
            Some(tags) => Target::with_tags(python, platform, markers, tags.clone()),
            None => Target::of_machine(python, platform, markers),
        }
    }

    /// Returns the version of Python without its pre-release part.
    pub fn release(&self) -> Version {
        self.version.only_release()
    }
}

impl Target {
    /// Returns the description from which the same target is made, except for its id.
    pub fn description(&self) -> TargetDescription {
        let usual = Tags::new(&self.python, &self.platform);
        TargetDescription {
            implementation: self.python.implementation.clone(),
            version: self.python.version.clone(),
            abis: self.python.abis.clone(),
            platform: self.platform.clone(),
            tags: (usual != *self.tags).then(|| (*self.tags).clone()),
            markers: self.markers.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TargetSpec;
    use serde_json::{Value, json};

    fn target(implementation: &str, python: &str, platform: &str) -> Target {
        let spec = TargetSpec {
            python: Some(python.parse().unwrap()),
            platform: Some(platform.parse().unwrap()),
            implementation: Some(implementation.parse().unwrap()),
            abis: Vec::new(),
        };
        spec.resolve(None).unwrap()
    }

    fn again(target: &Target) -> Target {
        let text = serde_json::to_string(&target.description()).unwrap();
        serde_json::from_str::<TargetDescription>(&text).unwrap().target()
    }

    /// What `>` writes in PowerShell 5.1 and what it writes in 7.
    #[test]
    fn a_file_in_any_unicode_encoding_is_read() {
        let text = serde_json::to_string(&target("cp", "3.12", "linux-x86_64").description()).unwrap();
        let text = format!("\u{feff}{}", text.replacen('{', &format!("{{\"schema\": {SCHEMA}, "), 1));
        let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(TargetDescription::of_file(text.as_bytes()).is_ok());
        assert_eq!(TargetDescription::of_file(&utf_16).unwrap(), TargetDescription::of_file(text.as_bytes()).unwrap());
    }

    #[test]
    fn a_described_target_is_the_same_target() {
        for (implementation, python, platform) in [
            ("cp", "3.12", "linux-x86_64"),
            ("cp", "3.13t", "macos-arm64"),
            ("cp", "3.15.0b1", "windows-arm64"),
            ("cp", "2.7", "win32"),
            ("pp", "3.10", "linux-aarch64-musl"),
            ("py", "3.9", "linux-x86_64"),
        ] {
            let target = target(implementation, python, platform);
            let same = again(&target);
            assert!(same.is_same(&target), "{}", target.id());
            assert_eq!((same.id(), same.python()), (target.id(), target.python()));
        }
    }

    fn description() -> Value {
        let mut description = serde_json::to_value(target("cp", "3.12.4", "linux-x86_64").description()).unwrap();
        description["schema"] = json!(1);
        description["implementation"] = json!("cpython");
        description
    }

    fn with(key: &str, value: Value) -> Result<TargetDescription, DescriptionError> {
        let mut description = description();
        description[key] = value;
        TargetDescription::of_file(&serde_json::to_vec(&description).unwrap())
    }

    #[test]
    fn the_listed_tags_are_the_tags_and_no_others() {
        let target = with("tags", json!(["cp312-cp312-linux_x86_64", "py3-none-any"])).unwrap().target();
        let tags = |target: &Target| target.tags().iter().map(|tag| tag.to_string()).collect::<Vec<_>>();
        assert_eq!(tags(&target), ["cp312-cp312-linux_x86_64", "py3-none-any"]);
        assert_eq!(tags(&again(&target)), tags(&target));
        assert_eq!(target.id(), "cp312-manylinux_2_28_x86_64");
        assert_eq!(target.python().to_string(), "3.12.4");
    }

    #[test]
    fn without_a_list_the_tags_are_the_usual_ones() {
        let target = with("tags", Value::Null).unwrap().target();
        assert!(target.tags().iter().any(|tag| tag.to_string() == "cp312-abi3-manylinux2014_x86_64"));
    }

    #[test]
    fn what_describes_no_machine_is_told() {
        let many: Vec<_> = (0..30_000).map(|number| format!("py{number}-none-any")).collect();
        for (key, value, told) in [
            ("schema", json!(2), "schema is 2"),
            ("schema", Value::Null, "states no schema"),
            ("tags", json!([]), "a list of 0 tags"),
            ("tags", json!(["cp312-any"]), "`cp312-any`"),
            ("tags", json!(many), "a list of 30000 tags"),
            ("markers", json!({}), "describe-target.py"),
            ("version", Value::Null, "describe-target.py"),
            ("version", json!("3.4000000000.0"), "`3.4000000000.0` is no version of Python"),
        ] {
            let error = with(key, value).unwrap_err().to_string();
            assert!(error.contains(told), "{key}: {error}");
        }
        assert!(TargetDescription::of_file(b"Python 3.12.4").is_err());
    }

    #[test]
    fn a_byte_order_mark_is_no_content() {
        let text = format!("\u{feff}{}", description());
        assert!(TargetDescription::of_file(text.as_bytes()).is_ok());
    }
}
