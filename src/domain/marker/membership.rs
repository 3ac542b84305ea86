//! Conditions on the marker variables that hold several names, which only lock files have (PEP
//! 751).

use crate::domain::ExtraName;

/// A condition such as `'x' in extras`, or `not in`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::domain) struct Membership {
    pub list: List,
    pub name: ExtraName,
    pub negated: bool,
    /// The number of bytes before the variable.
    pub at: usize,
}

/// The marker variables that hold several names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::domain) enum List {
    Extras,
    DependencyGroups,
}

impl List {
    /// Returns the variable called `word`.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Extras, Self::DependencyGroups].into_iter().find(|list| list.name() == word)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Extras => "extras",
            Self::DependencyGroups => "dependency_groups",
        }
    }
}

impl Membership {
    /// Makes the condition `'name' in list`; the variable is at offset `at`.
    ///
    /// # Errors
    /// When the operator is another, or the text is no name.
    pub fn new(name: &str, operator: &str, list: List, at: usize) -> Result<Self, String> {
        let negated = match operator {
            "in" => false,
            "not in" => true,
            other => return Err(format!("`{}` is asked by `in` and `not in`, not by `{other}`", list.name())),
        };
        let name = name.parse().map_err(|_| format!("`{name}` is no name"))?;
        Ok(Self { list, name, negated, at })
    }
}
