//! The inputs of a run: requirements files, lock files and arguments.
//!
//! Each is read once, since standard input and pipes cannot be read a second time.

use super::did_you_mean;
use crate::cli::error::CliError;
use crate::cli::host::environment::Environment;
use crate::cli::output::terminal;
use crate::cli::plural;
use crate::cli::settings::args::FetchArgs;
use crate::cli::settings::layers::Layers;
use crate::cli::settings::table::{self, Setting};
use crate::domain::{Requirement, Source};
use crate::input::{
    self, InputSource, Location, LockInput, ParsedInput, RequirementsReader, Role, Severity, Workspace,
};
use crate::interpreter::PipSettings;

/// The inputs that arguments and variables name.
///
/// Those that only pip's configuration names are read by [`Inputs::finish`], once it is known which
/// configuration applies.
pub struct Inputs<'a> {
    args: &'a FetchArgs,
    environment: &'a Environment,
    reader: RequirementsReader<'a>,
}

impl<'a> Inputs<'a> {
    /// Reads the inputs from `source`.
    ///
    /// # Errors
    /// When an input cannot be read or has an error; the error lists all of them.
    pub fn read(
        args: &'a FetchArgs,
        environment: &'a Environment,
        source: &'a dyn InputSource,
    ) -> Result<Self, CliError> {
        did_you_mean::check(&args.requirements, |path| environment.working_folder.join(path))?;
        let mut reader = RequirementsReader::new(source).with_groups(args.groups.selection());
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

    /// Returns what was read so far.
    pub fn so_far(&self) -> ParsedInput {
        let mut read = self.reader.so_far().clone();
        if self.args.selection.skip_source_trees {
            read.requirements.retain(|requirement| !is_source_tree(requirement));
        }
        read
    }

    /// Whether something is left to read: files that `pip`'s configuration names, or those of the
    /// project in the working folder, which are read if no input is named.
    pub fn is_more_in(&self, pip: &PipSettings) -> bool {
        let layers = Layers { environment: self.environment, pip };
        if !self.names_something(&layers) {
            return true;
        }
        let is_more = |typed: &[String], setting: &Setting| typed.is_empty() && !layers.configured(setting).is_empty();
        let typed = &self.args.inputs;
        is_more(&typed.requirement_files, &table::REQUIREMENT) || is_more(&typed.constraint_files, &table::CONSTRAINT)
    }

    /// Reads the files that only `pip`'s configuration names, and prints all warnings.
    ///
    /// # Errors
    /// When any input has an error, or there is no input; the error lists all of them.
    pub fn finish(mut self, pip: &PipSettings) -> Result<ParsedInput, CliError> {
        let layers = Layers { environment: self.environment, pip };
        self.read_files(|typed, setting| if typed.is_empty() { layers.configured(setting) } else { Vec::new() });
        if !self.names_something(&layers) {
            self.read_project()?;
        }
        let mut read = self.reader.finish();
        if self.args.selection.skip_source_trees {
            skip_source_trees(&mut read.requirements);
        }
        for warning in read.problems.iter().filter(|problem| problem.severity == Severity::Warning) {
            terminal::warn(warning.to_string());
        }
        refuse_errors(&read)?;
        check_lock(&read)?;
        if !self.args.groups.selection().is_default() && !read.has_groups {
            return Err(CliError::usage("extras, groups or members are asked for, and no input has any")
                .hint("they are those of a lock file or a pyproject.toml, named with -r"));
        }
        if let Some(lock) = read.lock.as_ref().filter(|_| !self.args.messages.quiet) {
            terminal::say(about_lock(lock));
        }
        Ok(read)
    }

    fn names_something(&self, layers: &Layers<'_>) -> bool {
        !self.args.requirements.is_empty()
            || !self.args.inputs.requirement_files.is_empty()
            || layers.find(&table::REQUIREMENT).is_some()
    }

    /// Reads the lock file or `pyproject.toml` of the project in the working folder.
    fn read_project(&mut self) -> Result<(), CliError> {
        let found = input::project_files(|name| self.environment.working_folder.join(name).is_file());
        let Some((first, others)) = found.split_first() else {
            return Err(self.nothing_here());
        };
        if !self.args.messages.quiet {
            let instead = if others.is_empty() { String::new() } else { format!(" (not {})", others.join(", ")) };
            terminal::say(format!("taking {first} of this folder{instead}"));
        }
        if let Some(workspace) = self.reader.workspace() {
            terminal::warn(about_workspace(&workspace, first));
        }
        self.reader.file(&Location::parse(first), Role::Requirements);
        Ok(())
    }

    /// Returns the error for a folder without a file that is read, with what can be made of one that is not.
    fn nothing_here(&self) -> CliError {
        let foreign = ["Pipfile", "setup.py"].into_iter();
        let mut foreign = foreign.filter(|name| self.environment.working_folder.join(name).is_file());
        let hint = match foreign.next().and_then(|name| Some((name, input::conversion_hint(name)?))) {
            Some((name, way)) => format!("{name} is not read here; make a requirements file with: {way}"),
            None => {
                "name a requirements file with -r FILE, or requirements such as flask==3.0.3; see --help".to_owned()
            }
        };
        let none = "nothing is asked for, and this folder holds no lock, requirements.txt, pyproject.toml or setup.cfg";
        CliError::usage(none).hint(hint)
    }

    /// Reads the files that `list` returns for the command-line arguments and the setting.
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

/// Returns a sentence about the workspace of this folder, whose lock is not read, but `taken`.
fn about_workspace(Workspace { lock, member }: &Workspace, taken: &str) -> String {
    let member = member.as_ref().map(|name| format!(" --package {name}")).unwrap_or_default();
    let taken = if taken == "uv.lock" { ", which is not this one" } else { "" };
    format!(
        "this folder is a member of the workspace whose lock is {lock}{taken}; what uv installs here is taken by: prefetch -r \
         {lock}{member}"
    )
}

/// Returns whether a pip without a network can take the arguments as they were typed: requirements and
/// local requirements files in which no line names a URL, a source tree or an archive that is built.
pub fn is_for_pip(read: &ParsedInput, args: &FetchArgs) -> bool {
    let files = &args.inputs.requirement_files;
    let is_typed = !files.is_empty() || !args.requirements.is_empty();
    let is_of_pip = |file: &String| match Location::parse(file) {
        Location::File(path) => input::is_requirements_file(&path),
        Location::StandardInput | Location::Url(_) => false,
    };
    let stays = |requirement: &Requirement| match requirement.source {
        Source::Index(_) => true,
        // pip would build it anew.
        Source::Archive(_) => args.selection.build_wheels.is_empty(),
        Source::Url(_) | Source::Project(_) | Source::Repository(_) => false,
    };
    is_typed
        && files.iter().all(is_of_pip)
        && read
            .requirements
            .iter()
            .filter(|requirement| !requirement.constraint)
            .all(|requirement| !requirement.editable && stays(requirement))
}

/// Refuses requirements beside a lock file, since a lock is the whole answer.
fn check_lock(read: &ParsedInput) -> Result<(), CliError> {
    let Some(lock) = &read.lock else { return Ok(()) };
    match read.requirements.first() {
        Some(other) => Err(CliError::usage(format!("{}: {} is a lock, and stands alone", other.origin, lock.name))
            .hint("add the requirement to the project and lock anew; or fetch it by a run of its own")),
        None => Ok(()),
    }
}

/// Returns a sentence for users: how many packages a lock file has, and the options that choose
/// among them.
fn about_lock(lock: &LockInput) -> String {
    let available = lock.lock.available();
    let options: Vec<_> = [("--group", available.groups.is_empty()), ("--extra", available.extras.is_empty())]
        .into_iter()
        .filter_map(|(option, is_empty)| (!is_empty).then_some(option))
        .collect();
    let choose = match options.as_slice() {
        [] => String::new(),
        [one] => format!("; {one} chooses"),
        several => format!("; {} choose", several.join(", ")),
    };
    format!("{}: {}{choose}", lock.name, plural::count(lock.lock.packages().len(), "package"))
}

/// Returns an error with everything that is wrong with the inputs, if anything is.
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

/// Removes source trees from the requirements, with a warning that their dependencies are left out,
/// too.
fn skip_source_trees(requirements: &mut Vec<Requirement>) {
    requirements.retain(|requirement| {
        if is_source_tree(requirement) {
            let Requirement { origin, .. } = requirement;
            terminal::warn(format!("{origin}: left out, with what it needs: {requirement}"));
        }
        !is_source_tree(requirement)
    });
}
