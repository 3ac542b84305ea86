//! Formats of requirements and lock files that are not supported, recognized by their names, with
//! the way to convert each into a requirements file.

/// A format that is not supported.
struct ForeignFormat {
    recognizes: fn(&str) -> bool,
    /// The command that makes a requirements file of it, or what else to do.
    way: &'static str,
}

/// The unsupported formats; the first that recognizes a name counts.
///
/// No other name is refused, since pip has no rule for names.
const FOREIGN: &[ForeignFormat] = &[
    ForeignFormat { recognizes: |name| name == "Pipfile", way: "pipenv requirements --hash > requirements.txt" },
    ForeignFormat {
        recognizes: |name| name == "setup.py",
        way: "uv pip compile setup.py --output-file requirements.txt (or pip-compile)",
    },
    ForeignFormat {
        recognizes: |name| matches!(name, "environment.yml" | "environment.yaml" | "conda-lock.yml"),
        way: "a copy of the lines below its `pip:`; conda fetches the others",
    },
    ForeignFormat { recognizes: |name| name.ends_with(".toml"), way: "an export of the tool that wrote it" },
];

/// Returns how to make a requirements file of a file called `name`; `None` if it may be one
/// already.
pub fn conversion_hint(name: &str) -> Option<&'static str> {
    FOREIGN.iter().find(|format| (format.recognizes)(name)).map(|format| format.way)
}

/// Returns the message for a file in an unsupported format.
pub(super) fn not_read(way: &str) -> String {
    format!("this format is not read here; make a requirements file with: {way}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_formats_are_known() {
        for (name, part) in [
            ("Pipfile", "pipenv requirements"),
            ("setup.py", "pip-compile"),
            ("environment.yml", "conda"),
            ("other.toml", "export"),
        ] {
            assert!(conversion_hint(name).unwrap().contains(part), "{name}");
        }
        for name in
            ["requirements.txt", "requirements.in", "requirements.lock", "reqs", "Pipfile.txt", "constraints.cfg"]
        {
            assert_eq!(conversion_hint(name), None, "{name}");
        }
    }
}
