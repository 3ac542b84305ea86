//! Conditions of a Python file on the machine, as environment markers (PEP 508).

use super::evaluate::Evaluator;
use super::names::{NameRole, Names};
use super::syntax::NodeId;

/// A condition that an environment marker can express exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    Always,
    Never,
    /// Operands as a marker writes them.
    Compare {
        left: String,
        operator: &'static str,
        right: String,
    },
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

/// Each operator, and the one that holds where it does not.
const OPPOSITES: [(&str, &str); 8] = [
    ("==", "!="),
    ("!=", "=="),
    ("<", ">="),
    (">=", "<"),
    (">", "<="),
    ("<=", ">"),
    ("in", "not in"),
    ("not in", "in"),
];

impl Condition {
    fn compare(variable: &str, operator: &'static str, value: &str) -> Self {
        Self::Compare { left: variable.to_owned(), operator, right: format!("'{value}'") }
    }

    /// Returns the condition that both hold.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Always, condition) | (condition, Self::Always) => condition,
            (first, second) => {
                let mut all = first.into_all();
                for part in second.into_all() {
                    if !all.contains(&part) {
                        all.push(part);
                    }
                }
                if all.len() == 1 { all.remove(0) } else { Self::All(all) }
            }
        }
    }

    /// Returns the conditions that it is the conjunction of, so that many of them nest no deeper than one.
    fn into_all(self) -> Vec<Self> {
        match self {
            Self::All(all) => all,
            other => vec![other],
        }
    }

    fn or(self, other: Self) -> Self {
        self.negated().and(other.negated()).negated()
    }

    /// Returns the condition that it does not hold.
    pub fn negated(self) -> Self {
        let negated = |all: Vec<Self>| all.into_iter().map(Self::negated).collect();
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Compare { left, operator, right } => {
                let opposite = OPPOSITES.iter().find(|(known, _)| *known == operator);
                Self::Compare { left, operator: opposite.map_or(operator, |(_, opposite)| opposite), right }
            }
            Self::All(all) => Self::Any(negated(all)),
            Self::Any(all) => Self::All(negated(all)),
        }
    }

    /// Returns the text of the marker: empty if it always holds, `None` if it never does.
    pub fn marker(&self) -> Option<String> {
        let joined = |all: &[Self], word: &str| {
            let parts: Option<Vec<_>> = all.iter().map(|part| Some(format!("({})", part.marker()?))).collect();
            parts.map(|parts| parts.join(word))
        };
        match self {
            Self::Always => Some(String::new()),
            Self::Never => None,
            Self::Compare { left, operator, right } => Some(format!("{left} {operator} {right}")),
            Self::All(all) => joined(all, " and "),
            Self::Any(all) => joined(all, " or "),
        }
    }
}

/// Values of text that tell of the machine, with their markers.
const VARIABLES: [(&str, &str); 6] = [
    ("sys.platform", "sys_platform"),
    ("os.name", "os_name"),
    ("platform.system()", "platform_system"),
    ("platform.machine()", "platform_machine"),
    ("platform.python_implementation()", "platform_python_implementation"),
    ("sys.implementation.name", "implementation_name"),
];

/// What real values of `sys.platform` begin with, and all of those.
const PLATFORMS: [(&str, &[&str]); 4] =
    [("win", &["win32"]), ("linux", &["linux", "linux2"]), ("darwin", &["darwin"]), ("cygwin", &["cygwin"])];

/// How deep conditions may be nested, with the names that they lead to.
const DEEPEST: usize = 40;

/// Translates the conditions in one file.
pub struct ConditionReader<'e, 'n, 's> {
    pub names: &'n Names<'s>,
    /// The evaluator of the same file, to whose limit the steps of conditions count.
    pub evaluator: &'e Evaluator<'n, 's>,
}

impl ConditionReader<'_, '_, '_> {
    /// Returns the condition that an expression is; `None` if it is none that a marker expresses exactly.
    pub fn read(&self, id: NodeId) -> Option<Condition> {
        self.read_within(id, DEEPEST)
    }

    fn read_within(&self, id: NodeId, depth: usize) -> Option<Condition> {
        let syntax = self.names.syntax;
        let depth = depth.checked_sub(1)?;
        self.evaluator.spend(1)?;
        match syntax.kind(id) {
            "true" => Some(Condition::Always),
            "false" => Some(Condition::Never),
            "parenthesized_expression" => self.read_within(syntax.children(id).next()?, depth),
            "not_operator" => Some(self.read_within(syntax.child(id, "argument")?, depth)?.negated()),
            "boolean_operator" => {
                let (left, right) = (syntax.child(id, "left")?, syntax.child(id, "right")?);
                let (first, second) = (self.read_within(left, depth)?, self.read_within(right, depth)?);
                match syntax.between(left, right) {
                    "and" => Some(first.and(second)),
                    "or" => Some(first.or(second)),
                    _ => None,
                }
            }
            "comparison_operator" => self.comparisons(id),
            "identifier" => {
                let name = syntax.text(id);
                let value = self.names.is_constant(name).then(|| self.names.only_value(name)).flatten()?;
                self.read_within(value, depth)
            }
            "call" => self.call(id),
            _ => None,
        }
    }

    /// Reads one comparison, or a chain of them.
    fn comparisons(&self, id: NodeId) -> Option<Condition> {
        let operands: Vec<_> = self.names.syntax.children(id).collect();
        operands.windows(2).try_fold(Condition::Always, |all, pair| Some(all.and(self.comparison(pair[0], pair[1])?)))
    }

    fn comparison(&self, left: NodeId, right: NodeId) -> Option<Condition> {
        let between = self.names.syntax.between(left, right);
        let (operator, _) = OPPOSITES.iter().find(|(operator, _)| *operator == between)?;
        if let Some(version) = self.python(left) {
            return version.compare(operator, &self.numbers(right)?);
        }
        if let Some(version) = self.python(right) {
            let flipped = ["<", "<=", ">", ">=", "==", "!="].iter().zip([">", ">=", "<", "<=", "==", "!="]);
            let (_, flipped) = flipped.into_iter().find(|(known, _)| *known == operator)?;
            return version.compare(flipped, &self.numbers(left)?);
        }
        if let Some(variable) = self.variable(left) {
            return self.text_comparison(variable, operator, right);
        }
        let (text, variable) = (self.text(left)?, self.variable(right)?);
        match *operator {
            "in" | "not in" => {
                Some(Condition::Compare { left: format!("'{text}'"), operator, right: variable.to_owned() })
            }
            "==" | "!=" => Some(Condition::compare(variable, operator, &text)),
            _ => None,
        }
    }

    /// Reads `sys.platform == 'win32'`, `sys.platform in ('win32', 'cygwin')`.
    fn text_comparison(&self, variable: &str, operator: &'static str, right: NodeId) -> Option<Condition> {
        let syntax = self.names.syntax;
        match operator {
            "==" | "!=" => Some(Condition::compare(variable, operator, &self.text(right)?)),
            "in" | "not in" if matches!(syntax.kind(right), "list" | "tuple" | "set") => {
                let any = syntax.children(right).try_fold(Condition::Never, |any, value| {
                    Some(any.or(Condition::compare(variable, "==", &self.text(value)?)))
                })?;
                Some(if operator == "in" { any } else { any.negated() })
            }
            _ => None,
        }
    }

    /// Reads `sys.platform.startswith('win')`, `hasattr(sys, 'pypy_version_info')`.
    fn call(&self, id: NodeId) -> Option<Condition> {
        let syntax = self.names.syntax;
        let (function, arguments) = (syntax.child(id, "function")?, syntax.child(id, "arguments")?);
        if syntax.text(id).replace('"', "'") == "hasattr(sys, 'pypy_version_info')" {
            return self.is_module("sys").then(|| Condition::compare("platform_python_implementation", "==", "PyPy"));
        }
        let is_start = syntax.child(function, "attribute").is_some_and(|name| syntax.text(name) == "startswith");
        let variable = self.variable(syntax.child(function, "object")?).filter(|_| is_start)?;
        let start = self.text(syntax.children(arguments).next()?)?;
        let (_, all) = PLATFORMS.iter().find(|(known, _)| variable == "sys_platform" && *known == start)?;
        let each = all.iter().map(|value| Condition::compare(variable, "==", value));
        Some(each.fold(Condition::Never, Condition::or))
    }

    fn variable(&self, id: NodeId) -> Option<&'static str> {
        let text = self.names.syntax.text(id);
        let (_, variable) = VARIABLES.iter().find(|(expression, _)| *expression == text)?;
        self.is_module(text.split('.').next()?).then_some(variable)
    }

    /// Whether `name` is nothing but a module.
    fn is_module(&self, name: &str) -> bool {
        let occurrences = self.names.syntax.occurrences(name);
        if self.evaluator.spend(occurrences.len()).is_none() {
            return false;
        }
        let is_method_called = |id: NodeId| {
            self.names.syntax.parent(id).is_some_and(|parent| self.names.syntax.kind(parent) == "attribute")
        };
        let is_unchanged = |id: &NodeId| {
            let is_imported_from = || {
                self.names.syntax.ancestors(*id).any(|above| self.names.syntax.kind(above) == "import_from_statement")
            };
            match self.names.role(*id) {
                NameRole::Mutate => is_method_called(*id),
                NameRole::Bind | NameRole::MutateAt(_) => false,
                NameRole::Import => !is_imported_from(),
                NameRole::Read | NameRole::Other => true,
            }
        };
        occurrences.iter().all(is_unchanged)
    }

    /// Returns a string that a marker can hold.
    fn text(&self, id: NodeId) -> Option<String> {
        let syntax = self.names.syntax;
        let text = (syntax.kind(id) == "string").then(|| syntax.unquoted(id))?;
        let is_plain = text.chars().all(|letter| letter.is_ascii_alphanumeric() || "._- ".contains(letter));
        is_plain.then(|| text.to_owned())
    }

    /// Returns the part of `sys.version_info` that an expression is.
    fn python(&self, id: NodeId) -> Option<PythonPart> {
        let syntax = self.names.syntax;
        let text: String = syntax.text(id).split_whitespace().collect();
        let text = text.replace(['(', ')', '[', ']'], "|").replace("tuple|", "").replace("list|", "");
        let part = match text.trim_matches('|') {
            "sys.version_info" => PythonPart::Whole,
            "sys.version_info.major" | "sys.version_info|0" => PythonPart::First(1),
            "sys.version_info|:1" | "sys.version_info|0:1" => PythonPart::First(1),
            "sys.version_info|:2"
            | "sys.version_info|0:2"
            | "sys.version_info|0|,sys.version_info|1"
            | "sys.version_info.major,sys.version_info.minor" => PythonPart::First(2),
            "sys.version_info|:3" | "sys.version_info|0:3" => PythonPart::First(3),
            _ => return None,
        };
        self.is_module("sys").then_some(part)
    }

    /// Reads a number, or a tuple or list of them.
    fn numbers(&self, id: NodeId) -> Option<Vec<u64>> {
        let syntax = self.names.syntax;
        let number = |id: NodeId| syntax.text(id).parse::<u64>().ok().filter(|_| syntax.kind(id) == "integer");
        match syntax.kind(id) {
            "integer" => Some(vec![number(id)?]),
            "tuple" | "list" => syntax.children(id).map(number).collect(),
            _ => None,
        }
    }
}

/// How much of `sys.version_info` is compared.
enum PythonPart {
    Whole,
    First(usize),
}

impl PythonPart {
    /// Returns what Python's comparison of tuples means for a marker.
    fn compare(&self, operator: &str, numbers: &[u64]) -> Option<Condition> {
        let length = match self {
            Self::Whole => 5,
            Self::First(length) => *length,
        };
        let (last, start) = numbers.split_last()?;
        if length < numbers.len() || numbers.len() > 3 {
            return None;
        }
        let next = [start, &[last + 1]].concat();
        // Of two tuples that begin in the same way the longer one is greater.
        let is_longer = length > numbers.len();
        Some(match operator {
            "<" => before(numbers),
            ">=" => before(numbers).negated(),
            ">" if is_longer => before(numbers).negated(),
            "<=" if is_longer => before(numbers),
            ">" => before(&next).negated(),
            "<=" => before(&next),
            "==" if is_longer => Condition::Never,
            "!=" if is_longer => Condition::Always,
            "==" => before(numbers).negated().and(before(&next)),
            "!=" => before(numbers).or(before(&next).negated()),
            _ => return None,
        })
    }
}

fn before(numbers: &[u64]) -> Condition {
    let variable = if numbers.len() > 2 { "python_full_version" } else { "python_version" };
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    Condition::compare(variable, "<", &numbers.join("."))
}
