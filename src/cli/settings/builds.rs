//! The settings of builds: of which projects wheels are built, how long a build may take, and what
//! backends are told.

use std::collections::BTreeMap;
use std::time::Duration;

use super::args::SelectionArgs;
use crate::cli::error::CliError;
use crate::domain::{FormatControl, PackageName, Requirement};
use crate::ops::{BuildLimits, ConfigSettings, WheelsToBuild};

/// How long each step of a build may take by default.
const STEP_LIMIT: Duration = Duration::from_hours(1);

/// Returns the limits of builds.
pub fn limits(args: &SelectionArgs) -> BuildLimits {
    BuildLimits::new(args.build_timeout.map_or(STEP_LIMIT, |seconds| Duration::from_secs(seconds.into())))
}

/// Parses a value of `--config-settings`.
///
/// # Errors
/// When it has no `=`; the error says so.
pub fn config_setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Returns the settings that were typed, for every archive, and those of requirements, for their
/// projects.
pub fn config_settings(args: &SelectionArgs, requirements: &[Requirement]) -> ConfigSettings {
    let mut settings = ConfigSettings::default();
    for (key, value) in &args.config_settings {
        settings.all.entry(key.clone()).or_default().push(value.clone());
    }
    let named = requirements.iter().filter_map(|requirement| Some((requirement.name.clone()?, requirement)));
    for (project, requirement) in named.filter(|(_, requirement)| !requirement.config_settings.is_empty()) {
        let own: &mut BTreeMap<_, _> = settings.projects.entry(project).or_default();
        own.extend(requirement.config_settings.clone());
    }
    settings
}

/// Returns the projects that the values of `--build-wheels` name; of contradicting values the last
/// one counts.
///
/// # Errors
/// When a value is no word of this option and no project's name.
pub fn wheels_to_build(values: &[String]) -> Result<WheelsToBuild, CliError> {
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

fn project(name: &str) -> Result<PackageName, CliError> {
    let wrong = || CliError::usage(format!("--build-wheels: `{name}` is no project's name"));
    name.parse().map_err(|_| wrong().hint("it takes `missing`, `never`, `:all:`, or names of projects"))
}

/// Allows only source archives of the projects that are built although their index may have wheels.
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
    fn a_config_setting_is_a_key_and_a_value() {
        assert_eq!(config_setting("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(config_setting("a").is_err());
    }

    #[test]
    fn the_last_word_counts_and_names_add_up() {
        let of = |values: &[&str]| wheels_to_build(&values.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(of(&[]).unwrap(), WheelsToBuild::Never);
        assert_eq!(of(&["missing"]).unwrap(), WheelsToBuild::Missing);
        assert_eq!(of(&["missing", "never"]).unwrap(), WheelsToBuild::Never);
        let names = WheelsToBuild::Named(["a".parse().unwrap(), "b-c".parse().unwrap()].into());
        assert_eq!(of(&[":all:", "a", "B_c"]).unwrap(), names);
        assert!(of(&["no/name"]).unwrap_err().summary().contains("`no/name` is no project"));
    }
}
