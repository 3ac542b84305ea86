//! A target.
use super::{MarkerEnvironment, Tags, Version};
#[derive(Clone, Debug)]
pub struct Target {
    tags: Tags,
    python: Version,
    markers: MarkerEnvironment,
}
pub struct TargetSpec;
#[derive(Debug)]
pub enum TargetError {}
impl Target {
    pub fn id(&self) -> &str {
        ""
    }
    pub fn tags(&self) -> &Tags {
        &self.tags
    }
    pub fn python(&self) -> &Version {
        &self.python
    }
    pub fn markers(&self) -> &MarkerEnvironment {
        &self.markers
    }
    pub fn platform(&self) -> &str {
        ""
    }
}
