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
}
