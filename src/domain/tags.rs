//! Compatibility tags of a target, best first.
pub struct Tag;
#[derive(Clone, Debug)]
pub struct Tags;
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagRank(pub u32);
impl Tags {
    pub fn rank(&self, _wheel: &super::WheelFilename) -> Option<TagRank> {
        None
    }
}
