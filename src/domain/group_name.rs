//! Names of dependency groups (PEP 735).

use std::fmt;
use std::str::FromStr;

use super::{ExtraName, InvalidNameError};

/// The name of a dependency group, normalized as names of extras are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(ExtraName);

impl From<ExtraName> for GroupName {
    fn from(name: ExtraName) -> Self {
        Self(name)
    }
}

impl FromStr for GroupName {
    type Err = InvalidNameError;

    fn from_str(text: &str) -> Result<Self, InvalidNameError> {
        text.parse().map(Self)
    }
}

impl AsRef<str> for GroupName {
    fn as_ref(&self) -> &str {
        self.0.as_ref()
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
