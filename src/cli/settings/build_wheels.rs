//! `--build-wheels`: of which projects wheels are built here.

use crate::cli::error::CliError;
use crate::domain::FormatControl;
use crate::ops::WheelsToBuild;

/// What the values say, the last of contradicting ones.
///
/// # Errors
/// A value that is no word of this option and no project's name.
pub fn of_values(values: &[String]) -> Result<WheelsToBuild, CliError> {
    let mut wanted = WheelsToBuild::Never;
    for value in values.iter().map(|value| value.trim()) {
        wanted = match (value, wanted) {
            ("never", _) => WheelsToBuild::Never,
            ("missing", _) => WheelsToBuild::Missing,
            (":all:", _) => WheelsToBuild::All,
            (name, WheelsToBuild::Named(mut names)) => {
                names.insert(project(name)?);
                WheelsToBuild::Named(names)
            }
            (name, _) => WheelsToBuild::Named([project(name)?].into()),
        };
    }
    Ok(wanted)
}

fn project(name: &str) -> Result<crate::domain::PackageName, CliError> {
    let wrong = || CliError::usage(format!("--build-wheels: `{name}` is no project's name"));
    name.parse().map_err(|_| wrong().hint("it takes `missing`, `never`, `:all:`, or names of projects"))
}

/// Lets only source archives be chosen of what is to be built though its index may have a wheel.
pub fn restrict(formats: &mut FormatControl, wanted: &WheelsToBuild) {
    let names: Vec<_> = match wanted {
        WheelsToBuild::Never | WheelsToBuild::Missing => Vec::new(),
        WheelsToBuild::All => vec![":all:".to_owned()],
        WheelsToBuild::Named(names) => names.iter().map(ToString::to_string).collect(),
    };
    for name in names {
        formats.no_binary(&name).expect("it is a value of --no-binary");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts_and_names_add_up() {
        let of = |values: &[&str]| of_values(&values.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(of(&[]).unwrap(), WheelsToBuild::Never);
        assert_eq!(of(&["missing"]).unwrap(), WheelsToBuild::Missing);
        assert_eq!(of(&["missing", "never"]).unwrap(), WheelsToBuild::Never);
        let names = WheelsToBuild::Named(["a".parse().unwrap(), "b-c".parse().unwrap()].into());
        assert_eq!(of(&[":all:", "a", "B_c"]).unwrap(), names);
        assert!(of(&["no/name"]).unwrap_err().summary().contains("`no/name` is no project"));
    }
}
