//! What a run is asked for, read once: standard input and pipes have nothing to give a second time.

use super::did_you_mean;
use crate::cli::error::CliError;
use crate::cli::host::environment::Environment;
use crate::cli::output::terminal;
use crate::cli::settings::args::FetchArgs;
use crate::cli::settings::layers::Layers;
use crate::cli::settings::table::{self, Setting};
use crate::domain::Requirement;
use crate::input::{InputSource, Location, ParsedInput, RequirementsReader, Role, Severity};
use crate::interpreter::PipSettings;

/// The inputs that arguments and variables name. Those that only pip's configuration names are
/// read by [`Inputs::finish`], once it is settled which configuration counts.
pub struct Inputs<'a> {
    args: &'a FetchArgs,
    environment: &'a Environment,
    reader: RequirementsReader<'a>,
}

impl<'a> Inputs<'a> {
    /// Reads them from `source`.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(
        args: &'a FetchArgs,
        environment: &'a Environment,
        source: &'a dyn InputSource,
    ) -> Result<Self, CliError> {
        did_you_mean::check(&args.requirements, |path| environment.working_folder.join(path))?;
        let mut reader = RequirementsReader::new(source);
        for requirement in &args.requirements {
            reader.argument(requirement);
        }
        let mut inputs = Self { args, environment, reader };
        let unconfigured = PipSettings::default();
        let layers = Layers { environment, pip: &unconfigured };
        inputs.read_files(|typed, setting| if typed.is_empty() { layers.many(setting) } else { typed.to_vec() });
        refuse_errors(inputs.reader.so_far())?;
        Ok(inputs)
    }

    /// What they say, as long as nothing else is read.
    pub fn so_far(&self) -> ParsedInput {
        let mut read = self.reader.so_far().clone();
        if self.args.selection.skip_source_trees {
            read.requirements.retain(|requirement| !is_source_tree(requirement));
        }
        read
    }

    /// Whether `pip`'s configuration names files that are not read yet.
    pub fn is_more_in(&self, pip: &PipSettings) -> bool {
        let layers = Layers { environment: self.environment, pip };
        let is_more = |typed: &[String], setting: &Setting| typed.is_empty() && !layers.configured(setting).is_empty();
        let typed = &self.args.inputs;
        is_more(&typed.requirement_files, &table::REQUIREMENT) || is_more(&typed.constraint_files, &table::CONSTRAINT)
    }

    /// Reads what only `pip`'s configuration names, and tells every warning.
    ///
    /// # Errors
    /// Everything that is wrong with any input, or that there is none.
    pub fn finish(mut self, pip: &PipSettings) -> Result<ParsedInput, CliError> {
        let layers = Layers { environment: self.environment, pip };
        self.read_files(|typed, setting| if typed.is_empty() { layers.configured(setting) } else { Vec::new() });
        let mut read = self.reader.finish();
        if self.args.selection.skip_source_trees {
            skip_source_trees(&mut read.requirements);
        }
        for warning in read.problems.iter().filter(|problem| problem.severity == Severity::Warning) {
            terminal::warn(warning.to_string());
        }
        refuse_errors(&read)?;
        let inputs = &self.args.inputs;
        let is_asked = !self.args.requirements.is_empty()
            || !inputs.requirement_files.is_empty()
            || layers.find(&table::REQUIREMENT).is_some();
        match is_asked {
            true => Ok(read),
            false => Err(CliError::usage("nothing is asked for")
                .hint("name a requirements file with -r FILE, or requirements such as flask==3.0.3; see --help")),
        }
    }

    /// Reads the files that `list` names, given those that were typed and the setting.
    fn read_files(&mut self, list: impl Fn(&[String], &Setting) -> Vec<String>) {
        let typed = &self.args.inputs;
        for file in list(&typed.requirement_files, &table::REQUIREMENT) {
            self.reader.file(&Location::parse(&file), Role::Requirements);
        }
        for file in list(&typed.constraint_files, &table::CONSTRAINT) {
            self.reader.file(&Location::parse(&file), Role::Constraints);
        }
    }
}

/// All that is wrong, at once.
fn refuse_errors(read: &ParsedInput) -> Result<(), CliError> {
    if !read.has_errors() {
        return Ok(());
    }
    let errors = read.problems.iter().filter(|problem| problem.severity == Severity::Error);
    Err(CliError::of_inputs(errors.chain(&read.unfetchable())))
}

fn is_source_tree(requirement: &Requirement) -> bool {
    !requirement.constraint && requirement.is_source_tree()
}

/// Source trees are left out, which is told: what they need is left out, too.
fn skip_source_trees(requirements: &mut Vec<Requirement>) {
    requirements.retain(|requirement| {
        if is_source_tree(requirement) {
            let Requirement { origin, .. } = requirement;
            terminal::warn(format!("{origin}: left out, with what it needs: {requirement}"));
        }
        !is_source_tree(requirement)
    });
}
