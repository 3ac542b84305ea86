//! Comparisons of a marker variable with a text, by the rules of the `packaging` library.

use super::variable::Variable;
use crate::domain::MarkerEnvironment;
use crate::domain::specifier::Clause;

/// A comparison: `variable operator 'text'`, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::domain) struct Comparison {
    variable: Variable,
    operator: &'static str,
    text: Box<str>,
    /// Whether the text is on the left.
    is_reversed: bool,
    /// The operator and the text, if they form a version specifier.
    clause: Option<Clause>,
}

impl Comparison {
    /// Makes a comparison such as `'3.8' <= python_version`, in which the variable's value forms
    /// the specifier.
    ///
    /// # Errors
    /// When the operator cannot compare the two; the error names them.
    pub(super) fn reversed(text: &str, operator: &'static str, variable: Variable) -> Result<Self, String> {
        if !variable.is_version() {
            check_text_operator(operator)?;
        }
        Ok(Self { variable, operator, text: normalized(text, variable), is_reversed: true, clause: None })
    }

    /// Makes a comparison such as `python_version >= '3.8'`.
    ///
    /// # Errors
    /// When the operator cannot compare the two; the error names them.
    pub(super) fn new(variable: Variable, operator: &'static str, text: &str) -> Result<Self, String> {
        let clause = if variable.is_version() { Clause::of(&format!("{operator}{text}")) } else { None };
        if clause.is_none() {
            check_text_operator(operator)?;
        }
        Ok(Self { variable, operator, text: normalized(text, variable), is_reversed: false, clause })
    }

    /// Returns the extra that is compared, and whether it must be absent.
    pub fn asked_extra(&self) -> Option<(&str, bool)> {
        let is_extra = self.variable == Variable::Extra && !self.text.is_empty();
        let negated = match self.operator {
            "==" => false,
            "!=" => true,
            _ => return None,
        };
        is_extra.then_some((&*self.text, negated))
    }

    pub fn holds(&self, environment: &MarkerEnvironment, extra: &str) -> bool {
        let value = self.variable.value(environment, extra);
        if !self.is_reversed {
            return match &self.clause {
                Some(clause) => clause.takes(value),
                None => compare_text(value, self.operator, &self.text),
            };
        }
        let clause = if self.variable.is_version() { Clause::of(&format!("{}{value}", self.operator)) } else { None };
        match clause {
            Some(clause) => clause.takes(&self.text),
            None => compare_text(&self.text, self.operator, value),
        }
    }
}

fn check_text_operator(operator: &str) -> Result<(), String> {
    match operator {
        "~=" | "===" => Err(format!("`{operator}` compares versions, and here is a text")),
        _ => Ok(()),
    }
}

/// Normalizes the name of an extra (PEP 685); other texts stay as they are.
fn normalized(text: &str, variable: Variable) -> Box<str> {
    if variable != Variable::Extra {
        return text.into();
    }
    let mut name = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '-' | '_' | '.' if name.ends_with('-') => {}
            '-' | '_' | '.' => name.push('-'),
            other => name.extend(other.to_lowercase()),
        }
    }
    name.into()
}

/// Compares texts, which have no order: `<=` and `>=` mean equal, `<` and `>` never hold.
fn compare_text(left: &str, operator: &str, right: &str) -> bool {
    match operator {
        "in" => right.contains(left),
        "not in" => !right.contains(left),
        "==" | "<=" | ">=" => left == right,
        "!=" => left != right,
        _ => false,
    }
}
