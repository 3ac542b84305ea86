//! Reads a requirements file line by line (`docs/facts/pip.md` 1.3 to 1.5).

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::domain::{Digest, Origin, Requirement};
use crate::input::foreign_formats::not_read;
use crate::input::{Location, PathKind, Problem, RequirementsReader, Role, Severity, conversion_hint, format_of};

use super::lines::LogicalLine;
use super::options::{GivenOption, LineOptions, OptionName};
use super::requirement::{ParseContext, ParsedRequirement};
use super::words::ShellWord;
use super::{ParseFault, decode, global, lines, options, remote, requirement, words};

/// The limit of included files, since each may include two others.
const MOST_FILES: usize = 1000;

/// Reads the file at `location` with all files that it includes.
///
/// # Errors
/// When the file itself cannot be read; what is wrong inside becomes problems.
pub fn read_with_includes(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) -> Result<(), String> {
    let identity = location.identity(reader.input_source.working_folder());
    read_file(reader, &mut Includes::default(), location, identity, role)
}

/// The size limit of a line in bytes: enough for a thousand hashes, and too small to be slow.
const LONGEST_LINE: usize = 256 << 10;

/// The number of warnings for one line.
const MOST_WARNINGS: usize = 20;

const TEMPLATE: &str = "this file is a template; name the file that is made of it";

/// Returns where a line has a tag of Jinja, as the templates of cookiecutter and copier do.
fn template_tag(line: &str) -> Option<usize> {
    ["{%", "{{", "{#"].iter().filter_map(|tag| line.find(tag)).min()
}

/// The files that are being read, outermost first, and the number of files read.
#[derive(Default)]
struct Includes {
    /// The identities of the files, and their names as the user would write them.
    open: Vec<(Location, Location)>,
    files: usize,
}

fn read_file(
    reader: &mut RequirementsReader<'_>,
    includes: &mut Includes,
    location: &Location,
    identity: Location,
    role: Role,
) -> Result<(), String> {
    // Read again, its lines would say the same, and contradict themselves where they cannot hold.
    if !reader.note_file(&identity, role) {
        return Ok(());
    }
    includes.files += 1;
    if includes.files > MOST_FILES {
        return Err(format!("more than {MOST_FILES} files are included"));
    }
    let input_source = reader.input_source;
    let text = decode::decode(&input_source.load(location)?, location).map_err(|error| error.to_string())?;
    includes.open.push((identity, location.clone()));
    let context = ParseContext { input_source, folder: location.folder(input_source.working_folder()) };
    let name = location.to_string().into();
    let mut file = FileReader { location, name, role, context, reader, includes };
    let is_remote = location.is_remote();
    for line in lines::logical_lines(&text, |name| input_source.variable(name).filter(|_| !is_remote)) {
        if file.line(&line).is_break() {
            break;
        }
    }
    includes.open.pop();
    Ok(())
}

/// A file while its lines are read.
struct FileReader<'f, 'w> {
    location: &'f Location,
    name: Arc<str>,
    role: Role,
    context: ParseContext<'w>,
    reader: &'f mut RequirementsReader<'w>,
    includes: &'f mut Includes,
}

impl FileReader<'_, '_> {
    /// Reads a line; after one that shows a template, the others mean nothing.
    fn line(&mut self, line: &LogicalLine) -> ControlFlow<()> {
        let read = match self.location.is_remote() {
            true => remote::refuse_variables(line).and_then(|()| self.try_line(line)),
            false => {
                self.warn(line, line.unset.iter().map(unset_variable).collect());
                self.try_line(line)
            }
        };
        let Err(fault) = read else { return ControlFlow::Continue(()) };
        match template_tag(&line.text) {
            Some(at) => {
                self.report(line, Severity::Error, ParseFault::at(at, TEMPLATE));
                ControlFlow::Break(())
            }
            None => {
                self.report(line, Severity::Error, fault);
                ControlFlow::Continue(())
            }
        }
    }

    fn try_line(&mut self, line: &LogicalLine) -> Result<(), ParseFault> {
        if line.written.len() > LONGEST_LINE {
            return Err(ParseFault::new(format!("a line of more than {} KiB is no requirement", LONGEST_LINE >> 10)));
        }
        let (asked, rest) = words::split_options(&line.text);
        let words = words::split_words(rest, line.text.len() - rest.len())?;
        let options = options::parse_options(words)?;
        let warnings = global::apply_anywhere(&mut self.reader.parsed.options, &options.given);
        self.warn(line, warnings);
        self.warn(line, left_over(&options));
        match options.all(OptionName::Editable).next() {
            Some(editable) => self.editable_line(line, asked, editable, &options),
            None if asked.is_empty() => self.option_line(line, &options),
            None => {
                let parsed = requirement::parse_requirement(asked, &self.context)?;
                self.warn(
                    line,
                    ignored(&options, &[OptionName::Hash, OptionName::ConfigSettings], "beside a requirement"),
                );
                self.requirement(line, parsed, &options, false)
            }
        }
    }

    /// Reads a line with `-e`; the text before the options, if any, is the editable.
    fn editable_line(
        &mut self,
        line: &LogicalLine,
        asked: &str,
        editable: &GivenOption,
        options: &LineOptions,
    ) -> Result<(), ParseFault> {
        let text = if asked.is_empty() { editable.value.as_str() } else { asked };
        let parsed = requirement::parse_editable(text, &self.context)
            .map_err(|fault| ParseFault { at: Some(editable.at), ..fault })?;
        self.warn(line, ignored(options, &[OptionName::Editable, OptionName::ConfigSettings], "beside an editable"));
        self.warn(line, repeated(options, OptionName::Editable, usize::from(asked.is_empty())));
        self.requirement(line, parsed, options, true)
    }

    fn requirement(
        &mut self,
        line: &LogicalLine,
        asked: ParsedRequirement,
        options: &LineOptions,
        editable: bool,
    ) -> Result<(), ParseFault> {
        if self.location.is_remote() {
            remote::refuse_local_source(&asked.source)?;
        }
        if self.role == Role::Constraints {
            refuse_constraint(&asked, editable)?;
        }
        if let Some((severity, deferred)) = asked.deferred_problem() {
            self.report(line, severity, deferred);
        }
        let hashes = if editable { Vec::new() } else { hashes(options) };
        self.warn(line, hashes.iter().filter_map(|(at, digest)| malformed(*at, digest)).collect());
        let hashes = hashes.into_iter().map(|(_, digest)| digest).collect();
        let requirement = asked.into_requirement(self.origin(line), self.role);
        let config_settings = config_settings(options);
        self.reader.parsed.requirements.push(Requirement { hashes, editable, config_settings, ..requirement });
        Ok(())
    }

    fn option_line(&mut self, line: &LogicalLine, options: &LineOptions) -> Result<(), ParseFault> {
        let nested = |name, role| options.all(name).next().map(|given| (given, role));
        let nested =
            nested(OptionName::Requirement, Role::Requirements).or(nested(OptionName::Constraint, Role::Constraints));
        if let Some((given, role)) = nested {
            let kept = if role == Role::Requirements { OptionName::Requirement } else { OptionName::Constraint };
            self.warn(line, ignored(options, &[kept], "beside an included file"));
            self.warn(line, repeated(options, kept, 1));
            return self.include(&given.value, role).map_err(|fault| ParseFault { at: Some(given.at), ..fault });
        }
        if self.location.is_remote() {
            remote::refuse_local_options(options)?;
        }
        let ParseContext { input_source, folder } = &self.context;
        let beside = |value: &str| {
            let path = folder.as_ref()?.join(value);
            (input_source.path_kind(&path) != PathKind::Missing).then(|| path.to_string_lossy().into_owned())
        };
        let warnings = global::apply_line(&mut self.reader.parsed.options, options, beside)?;
        self.warn(line, warnings);
        Ok(())
    }

    fn include(&mut self, value: &str, role: Role) -> Result<(), ParseFault> {
        let location = self.location.join(value);
        if let Some(format) = format_of(&location.filename()).filter(|format| !(format.recognizes)("requirements.txt"))
        {
            let why = format!("{location} is no requirements file but a {}: name it on its own", format.name);
            return Err(ParseFault::new(why));
        }
        if self.location.is_remote() && !location.is_remote() {
            return Err(remote::names_local(&location));
        }
        if let Some(way) = conversion_hint(&location.filename()) {
            return Err(ParseFault::new(format!("cannot read {location}: {}", not_read(way))));
        }
        let identity = location.identity(self.reader.input_source.working_folder());
        if self.includes.open.iter().any(|(open, _)| *open == identity) {
            return Err(ParseFault::new(format!("{location} includes itself: {}", self.cycle(&identity, &location))));
        }
        let result = read_file(self.reader, self.includes, &location, identity, role);
        result.map_err(|why| ParseFault::new(format!("cannot read {location}: {why}")))
    }

    /// Returns the chain of files from the one that is included again to the one that does so.
    fn cycle(&self, identity: &Location, again: &Location) -> String {
        let open = self.includes.open.iter().skip_while(|(open, _)| open != identity);
        let names: Vec<_> = open.map(|(_, location)| location.to_string()).collect();
        format!("{} → {again}", names.join(" → "))
    }

    fn origin(&self, line: &LogicalLine) -> Origin {
        Origin { file: self.name.clone(), line: line.number }
    }

    fn warn(&mut self, line: &LogicalLine, warnings: Vec<ParseFault>) {
        for warning in warnings.into_iter().take(MOST_WARNINGS) {
            self.report(line, Severity::Warning, warning);
        }
    }

    fn report(&mut self, line: &LogicalLine, severity: Severity, fault: ParseFault) {
        let at = fault.at.filter(|_| line.variables.is_empty());
        let message = without_values(fault.message, &line.variables);
        let problem = Problem::new(severity, self.origin(line), message).with_text(&line.written, at);
        self.reader.parsed.problems.push(problem);
    }
}

fn unset_variable((at, name): &(usize, String)) -> ParseFault {
    ParseFault::at(*at, format!("the variable {name} is not set, or empty: `${{{name}}}` stays as it is"))
}

/// The length below which a variable's value is not treated as a secret, since replacing it would
/// garble the message.
const SHORTEST_SECRET: usize = 4;

/// Returns `message` with the values of variables, which may be secret, replaced by their names.
fn without_values(message: String, variables: &[(String, String)]) -> String {
    let secrets = variables.iter().filter(|(_, value)| value.len() >= SHORTEST_SECRET);
    secrets.fold(message, |message, (name, value)| message.replace(value, &format!("${{{name}}}")))
}

/// Refuses what pip refuses in a constraints file, at once or when it resolves (`docs/facts/pip.md`
/// 2.1).
fn refuse_constraint(asked: &ParsedRequirement, editable: bool) -> Result<(), ParseFault> {
    let why = if editable {
        "an editable is no constraint"
    } else if asked.name.is_none() {
        "a constraint needs a project's name: write `name @ URL`"
    } else if !asked.extras.is_empty() {
        "a constraint cannot have extras; remove them"
    } else {
        return Ok(());
    };
    Err(ParseFault::new(why))
}

/// Returns the digests of a line with their positions; their form is checked with the options.
fn hashes(options: &LineOptions) -> Vec<(usize, Digest)> {
    let digest = |given: &GivenOption| given.value.parse().ok().map(|digest| (given.at, digest));
    options.all(OptionName::Hash).filter_map(digest).collect()
}

fn malformed(at: usize, digest: &Digest) -> Option<ParseFault> {
    let message = || format!("`{}` is no {} digest: no file can match it", digest.hex, digest.algorithm);
    (!digest.is_well_formed()).then(|| ParseFault::at(at, message()))
}

fn config_settings(options: &LineOptions) -> BTreeMap<String, Vec<String>> {
    let mut settings = BTreeMap::<_, Vec<_>>::new();
    for (key, value) in options.all(OptionName::ConfigSettings).filter_map(|given| given.value.split_once('=')) {
        settings.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    settings
}

fn left_over(options: &LineOptions) -> Vec<ParseFault> {
    let told =
        |word: &ShellWord| ParseFault::at(word.at, format!("`{}` stands after an option: it is ignored", word.text));
    options.left_over.iter().map(told).collect()
}

/// Returns a fault for each option that pip ignores on such a line.
fn ignored(options: &LineOptions, kept: &[OptionName], place: &str) -> Vec<ParseFault> {
    let dropped =
        options.given.iter().filter(|given| !kept.contains(&given.name) && !global::acts_anywhere(given.name));
    let told =
        dropped.map(|given| ParseFault::at(given.at, format!("`{}` has no effect {place}", given.name.spelling())));
    told.collect()
}

/// Returns a fault for each repetition of an option beyond the `taken` times that pip accepts it.
fn repeated(options: &LineOptions, name: OptionName, taken: usize) -> Vec<ParseFault> {
    let again = options.all(name).skip(taken);
    let told = again.map(|given| {
        ParseFault::at(given.at, format!("`{}` counts once in a line: this one is ignored", name.spelling()))
    });
    told.collect()
}
