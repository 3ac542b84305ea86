//! Suggestions for options that have another name in similar tools.

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

/// Options of other tools, each with the option of the same meaning here.
const SYNONYMS: [(&str, &str); 10] = [
    ("--output", "--dest"),
    ("--output-dir", "--dest"),
    ("--out", "--dest"),
    ("--out-dir", "--dest"),
    ("-o", "--dest"),
    ("--output-file", "--bundle"),
    ("--wheel-dir", "--dest"),
    ("--arch", "--platform"),
    ("--python-platform", "--platform"),
    ("--prerelease", "--pre"),
];

/// Adds the option that is meant to clap's error, if clap itself suggests none.
pub fn with_synonym(mut error: Error) -> Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidArg) else { return error };
    let name = given.split('=').next().unwrap_or_default();
    if let Some((_, meant)) = SYNONYMS.iter().find(|(other, _)| *other == name) {
        error.remove(ContextKind::Suggested);
        error.insert(ContextKind::SuggestedArg, ContextValue::String((*meant).to_owned()));
    }
    error
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::command_line::Cli;

    #[test]
    fn every_synonym_is_foreign_and_leads_to_an_option() {
        for (other, meant) in SYNONYMS {
            let error = with_synonym(Cli::try_parse_from(["prefetch", "demo", other, "x"]).unwrap_err());
            assert!(error.to_string().contains(&format!("'{meant}'")), "{other}: {error}");
            assert!(Cli::command().get_arguments().any(|arg| arg.get_long() == meant.strip_prefix("--")), "{meant}");
        }
    }
}
