//! Questions to the variables that hold several names, which only lock files have (PEP 751).

use crate::domain::ExtraName;

/// `'x' in extras`, or `not in`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::domain) struct Membership {
    pub list: List,
    pub name: ExtraName,
    pub negated: bool,
    /// Bytes before the variable.
    pub at: usize,
}

/// The variables that hold several names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::domain) enum List {
    Extras,
    DependencyGroups,
}

impl List {
    /// The variable called `word`.
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
    /// `'name' in list`; at `at` stands the variable.
    ///
    /// # Errors
    /// When the operator asks something else, or the text is no name.
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
