//! Compatibility tags of a target, best first.
pub struct Tag;
#[derive(Clone, Debug)]
pub struct Tags;
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagRank(pub u32);
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagMismatch(String);
impl std::fmt::Display for TagMismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl Tags {
    pub fn rank(&self, _wheel: &super::WheelFilename) -> Option<TagRank> {
        None
    }
    pub fn mismatch(&self, _wheel: &super::WheelFilename) -> TagMismatch {
        TagMismatch(String::new())
    }
}
