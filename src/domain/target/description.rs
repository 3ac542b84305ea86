//! A target as files keep it: enough to be the same target again on another machine.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Target;
use crate::domain::{Implementation, MarkerEnvironment, Platform, Python, Tag, Tags, Version};

/// Everything that a [`Target`] is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetDescription {
    /// What its wheel tags begin with: `cp`, `pp`.
    pub implementation: String,
    /// The full version of Python.
    pub version: String,
    /// What extension modules it loads, best first.
    pub abis: Vec<Box<str>>,
    /// The newest platform tag that fits.
    pub platform: String,
    /// Its tags, best first, where they are others than the above leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    pub markers: MarkerEnvironment,
}

/// A description that leads to no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` can be no part of a target")]
pub struct UnreadableTarget(pub String);

impl Target {
    /// The description from which [`Target::of_description`] makes the same target.
    pub fn description(&self) -> TargetDescription {
        let usual = Tags::new(&self.python, &self.platform);
        let is_usual = usual.iter().eq(self.tags.iter());
        TargetDescription {
            implementation: self.python.implementation.prefix().to_owned(),
            version: self.python.version.to_string(),
            abis: self.python.abis.clone(),
            platform: self.platform.to_string(),
            tags: (!is_usual).then(|| self.tags.iter().map(|tag| tag.to_string()).collect()),
            markers: self.markers.clone(),
        }
    }

    /// The target called `id` that was described so.
    ///
    /// # Errors
    /// Names the part that cannot be read.
    pub fn of_description(id: &str, description: &TargetDescription) -> Result<Self, UnreadableTarget> {
        let version = description.version.parse::<Version>();
        let python = Python {
            implementation: Implementation::of_name(&description.implementation),
            version: version.map_err(|_| UnreadableTarget(description.version.clone()))?,
            abis: description.abis.clone(),
        };
        let platform = Platform::of_tag(&description.platform);
        let mut target = Self::of_machine(python, platform, description.markers.clone());
        target.id = id.into();
        if let Some(tags) = &description.tags {
            target.tags = Arc::new(tags.iter().map(|tag| read_tag(tag)).collect::<Result<_, _>>()?);
        }
        Ok(target)
    }
}

fn read_tag(text: &str) -> Result<Tag<'_>, UnreadableTarget> {
    match text.split('-').collect::<Vec<_>>()[..] {
        [python, abi, platform] => Ok(Tag { python, abi, platform }),
        _ => Err(UnreadableTarget(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TargetSpec;

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
        Target::of_description(target.id(), &serde_json::from_str(&text).unwrap()).unwrap()
    }

    #[test]
    fn a_described_target_is_the_same_target() {
        for (implementation, python, platform) in [
            ("cp", "3.12", "linux-x86_64"),
            ("cp", "3.13t", "macos-arm64"),
            ("cp", "2.7", "win32"),
            ("pp", "3.10", "linux-aarch64-musl"),
            ("py", "3.9", "linux-x86_64"),
        ] {
            let target = target(implementation, python, platform);
            let same = again(&target);
            assert!(same.is_same(&target), "{}", target.id());
            assert!(same.tags.iter().eq(target.tags.iter()), "{}", target.id());
            assert_eq!((same.id(), same.python()), (target.id(), target.python()));
        }
    }

    #[test]
    fn tags_that_a_machine_reported_itself_are_kept() {
        let mut target = target("cp", "3.12", "linux-x86_64");
        let own = [Tag { python: "cp312", abi: "cp312", platform: "beos_5" }];
        target.tags = Arc::new(own.into_iter().collect());
        assert!(again(&target).tags.iter().eq(own));
    }

    #[test]
    fn what_is_no_description_is_an_error() {
        let mut description = target("cp", "3.12", "linux-x86_64").description();
        description.tags = Some(vec!["cp312-cp312".into()]);
        assert_eq!(Target::of_description("x", &description).unwrap_err(), UnreadableTarget("cp312-cp312".into()));
    }
}
