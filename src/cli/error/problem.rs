//! A problem as error messages and reports show it.

use serde::Serialize;

use super::Exit;

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub kind: &'static str,
    pub package: Option<String>,
    pub message: String,
    /// The lines that asked, each as `file:line`, separated by commas.
    pub source: Option<String>,
    /// Every project or file that is affected, if these are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub affected: Vec<String>,
}

impl Problem {
    /// Makes a problem that no input line and no project caused.
    pub fn new(exit: Exit, message: impl ToString) -> Self {
        Self { kind: exit.kind(), package: None, message: message.to_string(), source: None, affected: Vec::new() }
    }
}
