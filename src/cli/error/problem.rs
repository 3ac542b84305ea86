//! A problem, as errors and reports tell it.

use serde::Serialize;

use super::Exit;

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub kind: &'static str,
    pub package: Option<String>,
    pub message: String,
    /// The lines that asked, as `file:line`, with commas.
    pub source: Option<String>,
    /// Every project or file that the problem stands for, where these are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub affected: Vec<String>,
}

impl Problem {
    /// One that no line and no project is to blame for.
    pub fn new(exit: Exit, message: impl ToString) -> Self {
        Self { kind: exit.kind(), package: None, message: message.to_string(), source: None, affected: Vec::new() }
    }
}
