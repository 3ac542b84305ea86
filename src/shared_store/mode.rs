//! What a run may do with a shared store.

/// What a run may do with a shared store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreMode {
    #[default]
    ReadWrite,
    /// For runs that must not change what others read, such as those of strangers.
    ReadOnly,
    /// For a machine that fills the store, and trusts nothing in it.
    WriteOnly,
}

impl StoreMode {
    pub fn reads(self) -> bool {
        self != Self::WriteOnly
    }

    pub fn writes(self) -> bool {
        self != Self::ReadOnly
    }
}
