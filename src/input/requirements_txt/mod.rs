//! pip's requirements files, as pip 26.3 reads them (`facts/pip.md` 1).
//!
//! Reading goes on after a bad line: every one becomes a [`Problem`]. What pip drops in silence
//! is dropped here too, with a warning.

mod decode;
mod global;
mod lines;
mod link;
mod options;
mod requirement;
mod words;

use std::collections::BTreeMap;

use crate::domain::{Digest, Origin, Requirement};

use super::{Location, Problem, Reader, Role, Severity};
use lines::LogicalLine;
use options::{Given, Name, Options};
use requirement::{Asked, Surroundings};

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Bytes of the text before it, where known.
    at: Option<usize>,
    message: String,
}

impl Fault {
    fn new(message: impl Into<String>) -> Self {
        Self { at: None, message: message.into() }
    }

    fn at(at: usize, message: impl Into<String>) -> Self {
        Self { at: Some(at), message: message.into() }
    }

    /// The same fault of a text that begins `by` bytes earlier.
    fn moved(self, by: usize) -> Self {
        Self { at: self.at.map(|at| at + by), ..self }
    }

    /// The same fault of a text whose place is not known.
    fn anywhere(self) -> Self {
        Self { at: None, ..self }
    }
}

/// More files than anyone includes; a limit, since each may include two others.
const MOST_FILES: usize = 1000;

/// Formats of their own, which have no place here; any other name may be a requirements file.
const OTHER_FORMATS: [&str; 4] = [".toml", "uv.lock", "poetry.lock", "pdm.lock"];

/// Whether a file of this name may be a requirements file: pip has no rule for names.
pub fn recognizes(filename: &str) -> bool {
    !OTHER_FORMATS.iter().any(|other| filename.ends_with(other))
}

/// Reads the file at `location`, with all that it includes.
pub fn read(reader: &mut Reader<'_>, location: &Location, role: Role) {
    let mut includes = Includes { open: Vec::new(), files: 0 };
    let identity = location.identity(reader.world.working_folder());
    if let Err(fault) = read_file(reader, &mut includes, location, identity, role) {
        reader.read.problems.push(Problem::error(location.origin(0), fault.message));
    }
}

/// Reads one requirement of the command line.
pub fn read_argument(reader: &mut Reader<'_>, text: &str) {
    let surroundings = Surroundings { world: reader.world, folder: None };
    let origin = Origin::command_line();
    let result = requirement::parse_requirement(text, &surroundings);
    let told =
        |severity, fault: Fault| Problem::new(severity, origin.clone(), &fault.message).with_text(text, fault.at);
    match result {
        Ok(asked) => {
            reader.read.problems.extend(asked.doubt.clone().map(|doubt| told(Severity::Error, doubt)));
            reader.read.requirements.push(asked.into_requirement(origin, Role::Requirements));
        }
        Err(fault) => reader.read.problems.push(told(Severity::Error, fault)),
    }
}

/// The files that are being read, outermost first, and how many were read.
struct Includes {
    open: Vec<(Location, Location)>,
    files: usize,
}

fn read_file(
    reader: &mut Reader<'_>,
    includes: &mut Includes,
    location: &Location,
    identity: Location,
    role: Role,
) -> Result<(), Fault> {
    includes.files += 1;
    if includes.files > MOST_FILES {
        return Err(Fault::new(format!("more than {MOST_FILES} files are included")));
    }
    let cannot_read = |why: &dyn std::fmt::Display| Fault::new(format!("cannot read {location}: {why}"));
    let loaded = reader.world.load(location).map_err(|why| cannot_read(&why))?;
    let text = decode::decode(&loaded, location).map_err(|error| cannot_read(&error))?;
    drop(loaded);
    includes.open.push((identity, location.clone()));
    let folder = location.folder(reader.world.working_folder());
    let world = reader.world;
    let mut file = File {
        surroundings: Surroundings { world, folder },
        name: location.to_string().into(),
        location,
        role,
        reader,
        includes,
    };
    for line in lines::logical_lines(&text, |name| world.variable(name)) {
        file.line(&line);
    }
    includes.open.pop();
    Ok(())
}

/// A file while its lines are read.
struct File<'f, 'w> {
    location: &'f Location,
    name: std::sync::Arc<str>,
    role: Role,
    surroundings: Surroundings<'w>,
    reader: &'f mut Reader<'w>,
    includes: &'f mut Includes,
}

impl File<'_, '_> {
    fn line(&mut self, line: &LogicalLine) {
        if let Err(fault) = self.try_line(line) {
            self.report(line, Severity::Error, fault);
        }
    }

    fn try_line(&mut self, line: &LogicalLine) -> Result<(), Fault> {
        let (asked, rest) = words::split_options(&line.text);
        let words = words::split_words(rest, line.text.len() - rest.len())?;
        let options = options::parse_options(words)?;
        let warnings = global::apply_anywhere(&mut self.reader.read.options, &options.given);
        self.warn(line, warnings);
        self.warn(line, left_over(&options));
        match options.all(Name::Editable).next() {
            Some(editable) => self.editable_line(line, asked, editable, &options),
            None if asked.is_empty() => self.option_line(line, &options),
            None => {
                let parsed = requirement::parse_requirement(asked, &self.surroundings)?;
                self.warn(line, ignored(&options, &[Name::Hash, Name::ConfigSettings], "beside a requirement"));
                self.requirement(line, parsed, &options, false)
            }
        }
    }

    /// With `-e` anywhere, what stands before the options is the editable, if anything does.
    fn editable_line(
        &mut self,
        line: &LogicalLine,
        asked: &str,
        editable: &Given,
        options: &Options,
    ) -> Result<(), Fault> {
        let text = if asked.is_empty() { editable.value.as_str() } else { asked };
        let parsed = requirement::parse_editable(text, &self.surroundings)
            .map_err(|fault| Fault { at: Some(editable.at), ..fault })?;
        self.warn(line, ignored(options, &[Name::Editable, Name::ConfigSettings], "beside an editable"));
        self.warn(line, repeated(options, Name::Editable, usize::from(asked.is_empty())));
        self.requirement(line, parsed, options, true)
    }

    fn requirement(
        &mut self,
        line: &LogicalLine,
        asked: Asked,
        options: &Options,
        editable: bool,
    ) -> Result<(), Fault> {
        let is_constraint = self.role == Role::Constraints;
        if is_constraint {
            refuse_constraint(&asked, editable)?;
        }
        if let Some(doubt) = asked.doubt.clone() {
            self.report(line, Severity::Error, doubt);
        }
        let hashes = if editable { Vec::new() } else { self.hashes(line, options) };
        let requirement = asked.into_requirement(self.origin(line), self.role);
        let config_settings = config_settings(options);
        self.reader.read.requirements.push(Requirement { hashes, editable, config_settings, ..requirement });
        Ok(())
    }

    fn hashes(&mut self, line: &LogicalLine, options: &Options) -> Vec<Digest> {
        let parse = |given: &Given| given.value.parse().ok().map(|digest| (given.at, digest));
        let hashes: Vec<(usize, Digest)> = options.all(Name::Hash).filter_map(parse).collect();
        let odd = hashes.iter().filter(|(_, digest)| !is_well_formed(digest));
        let warnings = odd.map(|(at, digest)| {
            Fault::at(
                *at,
                format!("`{}` has not the digits of a {} digest: no file can match it", digest.hex, digest.algorithm),
            )
        });
        let warnings: Vec<_> = warnings.collect();
        self.warn(line, warnings);
        hashes.into_iter().map(|(_, digest)| digest).collect()
    }

    fn option_line(&mut self, line: &LogicalLine, options: &Options) -> Result<(), Fault> {
        let nested = |name, role| options.all(name).next().map(|given| (given, role));
        let nested = nested(Name::Requirement, Role::Requirements).or(nested(Name::Constraint, Role::Constraints));
        if let Some((given, role)) = nested {
            let kept = if role == Role::Requirements { Name::Requirement } else { Name::Constraint };
            self.warn(line, ignored(options, &[kept], "beside an included file"));
            self.warn(line, repeated(options, kept, 1));
            return self.include(&given.value, role).map_err(|fault| Fault { at: Some(given.at), ..fault });
        }
        let Surroundings { world, folder } = &self.surroundings;
        let beside = |value: &str| {
            let path = folder.as_ref()?.join(value);
            (world.look(&path) != super::Entry::Missing).then(|| path.to_string_lossy().into_owned())
        };
        let warnings = global::apply_line(&mut self.reader.read.options, options, beside)?;
        self.warn(line, warnings);
        Ok(())
    }

    fn include(&mut self, value: &str, role: Role) -> Result<(), Fault> {
        let location = self.location.join(value);
        let identity = location.identity(self.reader.world.working_folder());
        if self.includes.open.iter().any(|(open, _)| *open == identity) {
            return Err(Fault::new(format!("{location} includes itself: {}", self.cycle(&identity, &location))));
        }
        read_file(self.reader, self.includes, &location, identity, role)
    }

    /// The files from the one that is included again to the one that does so.
    fn cycle(&self, identity: &Location, again: &Location) -> String {
        let open = self.includes.open.iter().skip_while(|(open, _)| open != identity);
        let names: Vec<_> = open.map(|(_, location)| location.to_string()).collect();
        format!("{} → {again}", names.join(" → "))
    }

    fn origin(&self, line: &LogicalLine) -> Origin {
        Origin { file: self.name.clone(), line: line.number }
    }

    fn warn(&mut self, line: &LogicalLine, warnings: Vec<Fault>) {
        for warning in warnings {
            self.report(line, Severity::Warning, warning);
        }
    }

    fn report(&mut self, line: &LogicalLine, severity: Severity, fault: Fault) {
        let at = fault.at.filter(|_| line.variables.is_empty());
        let message = without_values(fault.message, &line.variables);
        let problem = Problem::new(severity, self.origin(line), message).with_text(&line.written, at);
        self.reader.read.problems.push(problem);
    }
}

/// Values shorter than this are no secrets; replacing them would garble the message.
const SHORTEST_SECRET: usize = 4;

/// `message` with the names of variables in the place of their values, which may be secret.
fn without_values(message: String, variables: &[(String, String)]) -> String {
    let secrets = variables.iter().filter(|(_, value)| value.len() >= SHORTEST_SECRET);
    secrets.fold(message, |message, (name, value)| message.replace(value, &format!("${{{name}}}")))
}

impl Asked {
    fn into_requirement(self, origin: Origin, role: Role) -> Requirement {
        Requirement {
            name: self.name,
            extras: self.extras,
            source: self.source,
            marker: self.marker,
            hashes: Vec::new(),
            editable: false,
            constraint: role == Role::Constraints,
            config_settings: BTreeMap::new(),
            origin,
        }
    }
}

/// What pip refuses in a constraints file, at once or when it resolves (`facts/pip.md` 2.1).
fn refuse_constraint(asked: &Asked, editable: bool) -> Result<(), Fault> {
    let why = if editable {
        "an editable is no constraint"
    } else if asked.name.is_none() {
        "a constraint needs a project's name: write `name @ URL`"
    } else if !asked.extras.is_empty() {
        "a constraint cannot have extras; remove them"
    } else {
        return Ok(());
    };
    Err(Fault::new(why))
}

fn is_well_formed(digest: &Digest) -> bool {
    let digits = match digest.algorithm.name() {
        "sha384" => 96,
        "sha512" => 128,
        _ => 64,
    };
    digest.hex.len() == digits && digest.hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn config_settings(options: &Options) -> BTreeMap<String, Vec<String>> {
    let mut settings = BTreeMap::<_, Vec<_>>::new();
    for (key, value) in options.all(Name::ConfigSettings).filter_map(|given| given.value.split_once('=')) {
        settings.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    settings
}

fn left_over(options: &Options) -> Vec<Fault> {
    let told =
        |word: &words::Word| Fault::at(word.at, format!("`{}` stands after an option: it is ignored", word.text));
    options.left_over.iter().map(told).collect()
}

/// The options that pip reads and drops on such a line.
fn ignored(options: &Options, kept: &[Name], place: &str) -> Vec<Fault> {
    let dropped =
        options.given.iter().filter(|given| !kept.contains(&given.name) && !global::acts_anywhere(given.name));
    let told = dropped.map(|given| Fault::at(given.at, format!("`{}` has no effect {place}", given.name.spelling())));
    told.collect()
}

/// All but the first of an option that pip takes `taken` times.
fn repeated(options: &Options, name: Name, taken: usize) -> Vec<Fault> {
    let again = options.all(name).skip(taken);
    let told = again
        .map(|given| Fault::at(given.at, format!("`{}` counts once in a line: this one is ignored", name.spelling())));
    told.collect()
}

#[cfg(test)]
mod tests;
