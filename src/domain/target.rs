//! A target.
use super::{MarkerEnvironment, Tags, Version};
#[derive(Clone, Debug)]
pub struct Target {
    pub tags: Tags,
    pub python: Version,
    pub markers: MarkerEnvironment,
}
pub struct TargetSpec;
#[derive(Debug)]
pub enum TargetError {}
impl Target {
    pub fn id(&self) -> &str {
        ""
    }
    pub fn python_version(&self) -> &str {
        &self.markers.python_version().string
    }
    pub fn platform(&self) -> &str {
        ""
    }
    pub fn markers(&self) -> &MarkerEnvironment {
        &self.markers
    }
}
