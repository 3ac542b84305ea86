//! Environment markers (PEP 508), kept as they were written, and evaluated as pip does.
//!
//! `pep508_rs` converts markers into ranges of versions, and loses what ranges cannot hold: the
//! parts of pre-releases, the zeros of `~= "3.11.0"`, comparisons of text. Here every comparison is
//! made with the values of one environment, by the rules of the `packaging` library (26.3, that of
//! pip 26.3). Where that library raises an error because of a value (`'1' ~= platform_release` with
//! a release that is no version), the comparison is false.

mod comparison;
mod literal;
mod membership;
mod parse;
mod variable;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

pub(super) use self::comparison::Comparison;
pub(super) use self::membership::{List, Membership};
pub(super) use self::parse::whole as parse_expression;

use super::{DependencyError, ExtraName, MarkerEnvironment};

/// A marker such as `python_version < '3.9' and sys_platform == 'win32'`, or none.
#[derive(Clone, Debug, Default)]
pub struct Marker(Option<Arc<ParsedMarker>>);

#[derive(Debug)]
struct ParsedMarker {
    text: Box<str>,
    expression: Expression,
}

/// The parts of a marker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Expression {
    Any(Vec<Self>),
    All(Vec<Self>),
    One(Comparison),
    /// A condition that only lock files have (PEP 751).
    Member(Membership),
}

impl Marker {
    /// No marker, which holds everywhere.
    pub const ALWAYS: Self = Self(None);

    /// Whether there is no marker.
    pub fn is_always(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the marker as it was written, if there is one.
    pub fn text(&self) -> Option<&str> {
        self.0.as_ref().map(|written| &*written.text)
    }

    /// Whether the marker holds in `environment` with one of `extras`, or if there are none,
    /// without an extra, as in pip.
    pub fn evaluate(&self, environment: &MarkerEnvironment, extras: &[ExtraName]) -> bool {
        let Some(written) = &self.0 else { return true };
        let holds = |extra: &str| written.expression.holds(environment, extra);
        if extras.is_empty() { holds("") } else { extras.iter().any(|extra| holds(extra.as_ref())) }
    }
}

impl Expression {
    fn holds(&self, environment: &MarkerEnvironment, extra: &str) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(environment, extra)),
            Self::All(parts) => parts.iter().all(|part| part.holds(environment, extra)),
            Self::One(comparison) => comparison.holds(environment, extra),
            Self::Member(_) => false,
        }
    }

    /// Returns the first condition that only lock files may have.
    fn membership(&self) -> Option<&Membership> {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().find_map(Self::membership),
            Self::One(_) => None,
            Self::Member(membership) => Some(membership),
        }
    }
}

impl FromStr for Marker {
    type Err = DependencyError;

    /// Parses a marker.
    ///
    /// # Errors
    /// When the text is no marker, or a comparison has no meaning; the error says where.
    fn from_str(text: &str) -> Result<Self, DependencyError> {
        let expression = parse::whole(text)?;
        if let Some(Membership { list, at, .. }) = expression.membership() {
            return Err(DependencyError { at: *at, why: format!("`{}` is known in lock files only", list.name()) });
        }
        Ok(Self(Some(Arc::new(ParsedMarker { text: text.trim().into(), expression }))))
    }
}

impl Marker {
    fn expression(&self) -> Option<&Expression> {
        self.0.as_ref().map(|written| &written.expression)
    }
}

impl PartialEq for Marker {
    /// Whether both make the same comparisons in the same order, in any spelling.
    fn eq(&self, other: &Self) -> bool {
        self.expression() == other.expression()
    }
}

impl Eq for Marker {}

impl Hash for Marker {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expression().hash(state);
    }
}

impl fmt::Display for Marker {
    /// Writes the marker as it follows a requirement, ` ; marker`, or nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().map_or(Ok(()), |text| write!(f, " ; {text}"))
    }
}

impl Serialize for Marker {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::target::tests::spec;

    fn holds(text: &str, python: &str, extras: &[&str]) -> bool {
        let target = spec(Some("cp"), Some(python), Some("linux-x86_64")).resolve(None).unwrap();
        let extras: Vec<_> = extras.iter().map(|extra| extra.parse().unwrap()).collect();
        let marker: Marker = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        marker.evaluate(target.markers(), &extras)
    }

    #[test]
    fn versions_are_compared_by_pep_440() {
        for (marker, python, expected) in [
            ("python_full_version ~= \"3.11.0\"", "3.12.1", false),
            ("python_full_version ~= \"3.11.0\"", "3.11.9", true),
            ("python_full_version > \"3.13.0b1\"", "3.13.0", true),
            ("python_full_version <= \"3.11.0a6\"", "3.11.0", false),
            ("python_full_version < '3.15'", "3.15.0b1", false),
            ("python_full_version >= '3.15.0b1'", "3.15.0b1", true),
            ("python_version == \"3.11.0.*\"", "3.11.0", true),
            ("python_version === '3.11'", "3.11.4", true),
            ("python_version === '3.11.0'", "3.11.0", false),
            ("'3.8' <= python_version", "3.11", true),
            ("'3.11' ~= python_version", "3.11", true),
            ("'3.8.*' == python_version", "3.8", false),
        ] {
            assert_eq!(holds(marker, python, &[]), expected, "{marker} on {python}");
        }
    }

    /// The rows of `docs/facts/pip.md` 7.3, found with pip 26.3.
    #[test]
    fn all_else_is_compared_as_text() {
        for (marker, expected) in [
            ("python_version >= '3.*'", false),
            ("python_version != '3.*.1'", true),
            ("python_version >= '3.8,<4'", false),
            ("python_version in '3.111, 3.12'", true),
            ("python_version in '3.10 3.12'", false),
            ("'2.7' not in python_version", true),
            ("os_name >= 'posix'", true),
            ("os_name > 'posix'", false),
            ("os.name == 'posix'", true),
            ("python_implementation == 'CPython'", true),
            ("(os_name=='nt')or(os_name=='posix')", true),
            ("os_name == 'posix' or os_name == 'nt' and os_name == 'java'", true),
            ("sys_platform != \"li'nux\"", true),
            ("sys_platform == 'li\\x6eux'", true),
            ("platform_release >= '5'", false),
            ("platform_release == ''", true),
        ] {
            assert_eq!(holds(marker, "3.11", &[]), expected, "{marker}");
        }
    }

    /// If no extra is requested, `extra` is the empty text.
    #[test]
    fn extras_are_compared_by_their_normalized_names() {
        for (marker, extras, expected) in [
            ("extra == 'Foo_Bar'", &["foo.bar"][..], true),
            ("extra == 'a'", &["b", "a"], true),
            ("extra == 'a'", &[], false),
            ("extra != 'a'", &[], true),
            ("extra in 'x y'", &["y"], true),
            ("extra in 'x y'", &["z"], false),
            ("extra in 'x y'", &[], true),
            ("extra == ''", &[], true),
            ("extra == ' a b '", &["a"], false),
        ] {
            assert_eq!(holds(marker, "3.11", extras), expected, "{marker} with {extras:?}");
        }
    }

    #[test]
    fn a_marker_stays_as_it_was_written() {
        let text = "python_full_version  ~='3.11.0'and(os.name=='a\\'\\\\b' or extra in \"X_y\")";
        let text = text.replace("\\'", "");
        let marker: Marker = format!(" {text} ").parse().unwrap();
        assert_eq!((marker.text(), marker.to_string()), (Some(&*text), format!(" ; {text}")));
        assert_eq!(marker.text().unwrap().parse::<Marker>().unwrap(), marker);
        let [one, alike, other] =
            ["os.name=='a'", " os_name  == \"a\"", "os_name == 'b'"].map(|text| text.parse::<Marker>());
        assert!(one == alike && one != other, "spelling is no difference");
        assert_eq!((Marker::ALWAYS.text(), Marker::ALWAYS.to_string()), (None, String::new()));
    }
}
