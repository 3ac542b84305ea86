//! A machine as it describes itself, here or on paper from elsewhere.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Implementation, MarkerEnvironment, Platform, Python, Tag, Tags, Target};

/// What `scripts/describe-target.py` prints of the Python that runs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MachineDescription {
    /// Three numbers.
    pub version: String,
    /// `sys.implementation.name`.
    implementation: String,
    abis: Vec<Box<str>>,
    /// The newest tag that fits.
    platform: String,
    markers: MarkerEnvironment,
    /// Every tag that its pip takes, best first; absent where none was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    /// The form of this description; absent while it is between a script and its own program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schema: Option<u32>,
}

/// The form of description that is read here.
const SCHEMA: u32 = 1;

/// A machine has some thousands of tags at most; a list beyond this is no machine's.
const MOST_TAGS: usize = 20_000;

/// Why a text describes no machine.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    #[error("it is not what scripts/describe-target.py prints: {0}")]
    Json(#[from] serde_json::Error),
    #[error("it has the form {}, and this prefetch reads {SCHEMA}", Schema(*.0))]
    Schema(Option<u32>),
    #[error("`{0}` among its tags is none; a tag has three parts, as in cp312-cp312-win_amd64")]
    Tag(String),
    #[error("it lists {0} tags; a machine has between 1 and {MOST_TAGS}")]
    Tags(usize),
}

/// A schema that may be absent.
struct Schema(Option<u32>);

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(schema) => schema.fmt(f),
            None => f.write_str("none"),
        }
    }
}

impl MachineDescription {
    /// Reads what the script printed into a file.
    ///
    /// # Errors
    /// Says what in it cannot be right.
    pub fn of_file(bytes: &[u8]) -> Result<Self, DescriptionError> {
        // Whoever redirects output in PowerShell gets a mark in front of it.
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let description: Self = serde_json::from_slice(bytes)?;
        if description.schema != Some(SCHEMA) {
            return Err(DescriptionError::Schema(description.schema));
        }
        let Some(tags) = &description.tags else { return Ok(description) };
        if tags.is_empty() || tags.len() > MOST_TAGS {
            return Err(DescriptionError::Tags(tags.len()));
        }
        match tags.iter().find(|tag| Tag::parse(tag).is_none()) {
            Some(tag) => Err(DescriptionError::Tag(tag.clone())),
            None => Ok(description),
        }
    }

    /// The target that this machine is: with its own list of tags, or else with those that are
    /// usual for such a Python on such a platform.
    pub fn target(&self) -> Target {
        let python = Python {
            implementation: Implementation::of_name(&self.implementation),
            version: self.markers.python_full_version().version.clone(),
            abis: self.abis.clone(),
        };
        let platform = Platform::of_tag(&self.platform);
        let tags: Option<Tags> = self.tags.as_ref().map(|tags| tags.iter().filter_map(|tag| Tag::parse(tag)).collect());
        match tags {
            Some(tags) => Target::with_tags(python, platform, self.markers.clone(), tags),
            None => Target::of_machine(python, platform, self.markers.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn description() -> Value {
        json!({
            "schema": 1, "version": "3.12.4", "implementation": "cpython", "abis": ["cp312"],
            "platform": "manylinux_2_28_x86_64", "tags": null,
            "markers": {
                "implementation_name": "cpython", "implementation_version": "3.12.4", "os_name": "posix",
                "platform_machine": "x86_64", "platform_python_implementation": "CPython",
                "platform_release": "4.18", "platform_system": "Linux", "platform_version": "#1",
                "python_full_version": "3.12.4", "python_version": "3.12", "sys_platform": "linux",
            },
        })
    }

    fn with(key: &str, value: Value) -> Result<MachineDescription, DescriptionError> {
        let mut description = description();
        description[key] = value;
        MachineDescription::of_file(&serde_json::to_vec(&description).unwrap())
    }

    #[test]
    fn the_listed_tags_are_the_tags_and_no_others() {
        let target = with("tags", json!(["cp312-cp312-linux_x86_64", "py3-none-any"])).unwrap().target();
        let tags: Vec<_> = target.tags().iter().map(|tag| tag.to_string()).collect();
        assert_eq!(tags, ["cp312-cp312-linux_x86_64", "py3-none-any"]);
        assert_eq!(target.id(), "cp312-manylinux_2_28_x86_64");
        assert_eq!((target.python().to_string().as_str(), target.markers().platform_release()), ("3.12.4", "4.18"));
    }

    #[test]
    fn without_a_list_the_tags_are_the_usual_ones() {
        let target = with("tags", Value::Null).unwrap().target();
        assert!(target.tags().iter().any(|tag| tag.to_string() == "cp312-abi3-manylinux2014_x86_64"));
    }

    #[test]
    fn what_describes_no_machine_is_told() {
        for (key, value, told) in [
            ("schema", json!(2), "form 2"),
            ("schema", Value::Null, "form none"),
            ("tags", json!([]), "lists 0 tags"),
            ("tags", json!(["cp312-any"]), "`cp312-any`"),
            ("tags", json!(vec!["py3-none-any"; 20_001]), "lists 20001 tags"),
            ("markers", json!({}), "describe-target.py"),
            ("version", Value::Null, "describe-target.py"),
        ] {
            let error = with(key, value).unwrap_err().to_string();
            assert!(error.contains(told), "{key}: {error}");
        }
        assert!(MachineDescription::of_file(b"Python 3.12.4").is_err());
    }

    #[test]
    fn a_byte_order_mark_is_no_content() {
        let text = format!("\u{feff}{}", description());
        assert!(MachineDescription::of_file(text.as_bytes()).is_ok());
    }
}
