//! `--only-binary` and `--no-binary`, whose order on the command line counts.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::cli::error::CliError;
use crate::domain::FormatControl;

/// The values of both options, in the order on the command line.
#[derive(Debug, Default)]
pub struct FormatArgs(Vec<(Side, String)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    OnlyBinary,
    NoBinary,
}

const SIDES: [(Side, &str, &str); 2] = [
    (Side::OnlyBinary, "only-binary", "Use no source archives of these projects (names with commas, or `:all:`)"),
    (Side::NoBinary, "no-binary", "Use no wheels of these projects (names with commas, or `:all:`)"),
];

impl FormatArgs {
    /// Makes the values of settings that have no order: names take precedence over `:all:`.
    pub fn unordered(only_binary: Option<String>, no_binary: Option<String>) -> Self {
        let sides = [(Side::OnlyBinary, only_binary), (Side::NoBinary, no_binary)];
        let mut values: Vec<_> = sides.into_iter().filter_map(|(side, value)| Some((side, value?))).collect();
        values.sort_by_key(|(_, value)| !value.contains(":all:"));
        Self(values)
    }

    /// Returns the format control that the values add up to.
    ///
    /// # Errors
    /// When a value is no project name.
    pub fn control(&self) -> Result<FormatControl, CliError> {
        let mut control = FormatControl::default();
        self.0.iter().try_for_each(|(side, value)| side.apply(value, &mut control))?;
        Ok(control)
    }

    /// Returns the values of `--only-binary`.
    pub fn only_binary(&self) -> Vec<String> {
        self.of(Side::OnlyBinary)
    }

    /// Returns the values of `--no-binary`.
    pub fn no_binary(&self) -> Vec<String> {
        self.of(Side::NoBinary)
    }

    fn of(&self, side: Side) -> Vec<String> {
        let own = self.0.iter().filter(|(other, _)| *other == side);
        own.map(|(_, value)| value.clone()).collect()
    }
}

impl Side {
    fn apply(self, value: &str, control: &mut FormatControl) -> Result<(), CliError> {
        let taken = match self {
            Self::OnlyBinary => control.only_binary(value),
            Self::NoBinary => control.no_binary(value),
        };
        taken.map_err(|name| CliError::usage(format!("`{name}` is no project name; use names, :all: or :none:")))
    }
}

impl FromArgMatches for FormatArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let values = SIDES.iter().flat_map(|(side, name, _)| {
            let values = matches.get_many::<String>(name).into_iter().flatten();
            let places = matches.indices_of(name).into_iter().flatten();
            places.zip(values).map(|(place, value)| (place, *side, value.clone()))
        });
        let mut values: Vec<_> = values.collect();
        values.sort_by_key(|(place, ..)| *place);
        Ok(Self(values.into_iter().map(|(_, side, value)| (side, value)).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for FormatArgs {
    fn augment_args(command: Command) -> Command {
        let argument =
            |(_, name, help)| Arg::new(name).long(name).value_name("NAMES").action(ArgAction::Append).help(help);
        command.args(SIDES.map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formats(arguments: &[&str], project: &str) -> (bool, bool) {
        let command = FormatArgs::augment_args(Command::new("test").no_binary_name(true));
        let matches = command.try_get_matches_from(arguments).unwrap();
        let control = FormatArgs::from_arg_matches(&matches).unwrap().control().unwrap();
        let formats = control.formats(&project.parse().unwrap());
        (formats.wheels, formats.sources)
    }

    /// Both rows are what pip 26.3 answers.
    #[test]
    fn the_last_word_counts() {
        let all_then_name = ["--only-binary", ":all:", "--no-binary", "a"];
        assert_eq!((formats(&all_then_name, "a"), formats(&all_then_name, "b")), ((false, true), (true, false)));
        let name_then_all = ["--no-binary=a", "--only-binary=:all:"];
        assert_eq!((formats(&name_then_all, "a"), formats(&name_then_all, "b")), ((true, false), (true, false)));
        let unordered = FormatArgs::unordered(Some("a".into()), Some(":all:".into())).control().unwrap();
        assert!(unordered.formats(&"a".parse().unwrap()).wheels && !unordered.formats(&"b".parse().unwrap()).wheels);
    }
}
