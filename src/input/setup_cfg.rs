//! Reads setup.cfg: the declared dependencies of a project that setuptools builds.
//!
//! A setup.py beside it may add to them when it is run, which is told.

use std::collections::BTreeSet;

use super::locking::{self, Fault};
use super::project_dependencies::{DeclaredDependency, of_specifier};
use super::pyproject_toml::{note_requires_python, selected, take};
use super::selected_dependencies::{wanted, with_own};
use super::text_file::TextFile;
use super::{InputSource, Location, PathKind, Problem, RequirementsReader, Role};
use crate::domain::{AvailableGroups, ExtraName, SetupCfg, SetupCfgValue};

const OPTIONS: &str = "options";

const EXTRAS: &str = "options.extras_require";

/// Whether a file of this name is the declaration of a project.
pub fn recognizes(filename: &str) -> bool {
    filename == "setup.cfg"
}

/// Reads the file at `location`, with the requested extras.
pub fn read(reader: &mut RequirementsReader<'_>, location: &Location, role: Role) {
    match TextFile::load(location, reader.input_source) {
        Ok(file) => read_file(reader, &file, role),
        Err(problem) => reader.parsed.problems.push(problem),
    }
}

/// Returns the setup.cfg beside `file`, if it declares dependencies.
pub fn beside(file: &TextFile, input_source: &dyn InputSource) -> Option<TextFile> {
    let found = file.beside("setup.cfg", input_source).ok().flatten()?;
    let declares = SetupCfg::parse(&found.text).is_some_and(|cfg| cfg.options(OPTIONS).next().is_some());
    declares.then_some(found)
}

/// Reads a setup.cfg.
pub fn read_file(reader: &mut RequirementsReader<'_>, file: &TextFile, role: Role) {
    reader.parsed.has_groups = true;
    let refused = |why: &str| file.problem(None, why);
    if role == Role::Constraints {
        return reader.parsed.problems.push(refused("a project is no constraints file; name it with -r"));
    }
    let Some(cfg) = SetupCfg::parse(&file.text) else {
        return reader.parsed.problems.push(refused("it is damaged, or no file of setuptools"));
    };
    if cfg.options(OPTIONS).next().is_none() {
        return reader.parsed.problems.push(refused("it asks for nothing: it has no section [options]"));
    }
    let name = cfg.option("metadata", "name").and_then(SetupCfgValue::text).and_then(|name| name.parse().ok());
    let Some(groups) = selected(reader, file, &available(&cfg)) else { return };
    reader.note_project(&file.location, &groups);
    match dependencies(&cfg, !groups.extras.is_empty()) {
        Ok(asked) => {
            let groups = with_own(groups, name.as_ref(), asked.iter());
            let wanted = wanted(asked, name.as_ref(), &groups).into_iter();
            take(reader, file, role, wanted.map(|asked| (asked.name.clone(), Ok(asked))));
        }
        Err(why) => reader.parsed.problems.push(refused(&why)),
    }
    let python = cfg.option(OPTIONS, "python_requires").and_then(SetupCfgValue::text);
    note_requires_python(reader, file, python.as_deref());
    reader.parsed.problems.extend(setup_py_warning(file, reader.input_source));
}

/// Returns the extras; setuptools takes none of itself.
fn available(cfg: &SetupCfg) -> AvailableGroups {
    let extras = cfg.options(EXTRAS).filter_map(|(name, _)| name.parse().ok()).collect();
    AvailableGroups { extras, ..AvailableGroups::default() }
}

/// Returns all requirements, those of extras only if they are of interest.
///
/// # Errors
/// When they stand in another file or in the code, or a line is no requirement.
fn dependencies(cfg: &SetupCfg, with_extras: bool) -> Result<Vec<DeclaredDependency>, Fault> {
    let mut all = Vec::new();
    if let Some(value) = cfg.option(OPTIONS, "install_requires") {
        for line in lines("install_requires", value)? {
            all.push(of_specifier(&line, None, None)?);
        }
    }
    for (name, value) in cfg.options(EXTRAS).filter(|_| with_extras) {
        let extra: ExtraName = locking::group_name(name)?;
        for line in lines("extras_require", value)? {
            all.push(of_specifier(&line, None, Some(BTreeSet::from([extra.clone()])))?);
        }
    }
    Ok(all)
}

fn lines(option: &str, value: SetupCfgValue<'_>) -> Result<Vec<String>, Fault> {
    value.list().ok_or_else(|| {
        format!(
            "its {option} stand in another file or in the code, which only a build of the project reads: make a requirements \
             file of it (`uv pip compile setup.cfg`, pip-compile)"
        )
    })
}

/// Returns a warning if there is a setup.py, whose code may ask for more.
fn setup_py_warning(file: &TextFile, input_source: &dyn InputSource) -> Option<Problem> {
    let script = file.location.folder(input_source.working_folder())?.join("setup.py");
    let is_there = input_source.path_kind(&script) == PathKind::File;
    let why = "the setup.py beside it is not run: what that adds to these dependencies is missing";
    is_there.then(|| file.warning(None, why))
}

#[cfg(test)]
mod tests {
    use super::super::fake_source::FakeSource;
    use super::super::lock_tests::groups;
    use super::super::{ParsedInput, Severity};
    use super::*;
    use crate::domain::GroupSelection;

    const CFG: &str = include_str!("../../testdata/locks/setup.cfg");

    fn read(machine: &FakeSource, name: &str, asked: GroupSelection) -> ParsedInput {
        let mut reader = RequirementsReader::new(machine).with_groups(asked);
        reader.file(&Location::parse(name), Role::Requirements);
        reader.finish()
    }

    fn shown(read: &ParsedInput) -> Vec<String> {
        assert!(!read.has_errors(), "{:?}", read.problems);
        read.requirements.iter().map(|one| format!("{}: {one}", one.origin)).collect()
    }

    #[test]
    fn declared_dependencies_and_extras_are_read() {
        let machine = FakeSource::new().file("/w/setup.cfg", CFG);
        let plain = read(&machine, "setup.cfg", groups(&[], &[]));
        assert_eq!(shown(&plain), ["setup.cfg:6: demo>=1", "setup.cfg:7: other ; os_name == 'nt'"]);
        assert!(!plain.requires_python[0].0.contains(&"3.8".parse().unwrap()) && plain.problems.is_empty());
        let all = shown(&read(&machine, "setup.cfg", groups(&["all"], &[])));
        assert_eq!(all[2..], ["setup.cfg:12: extra-one", "setup.cfg:10: linter"]);
        let wrong = read(&machine, "setup.cfg", groups(&["tset"], &[]));
        assert!(wrong.problems[0].message.contains("did you mean `test`?"), "{:?}", wrong.problems);
    }

    #[test]
    fn it_stands_in_for_a_pyproject_that_asks_for_nothing() {
        let machine = FakeSource::new()
            .file("/w/pyproject.toml", "[build-system]\nrequires = ['setuptools']\n")
            .file("/w/setup.cfg", CFG)
            .file("/w/setup.py", "from setuptools import setup\nsetup()\n");
        let read = read(&machine, "pyproject.toml", groups(&[], &[]));
        assert_eq!(shown(&read).len(), 2);
        assert!(read.problems[0].severity == Severity::Warning && read.problems[0].message.contains("setup.py"));
    }

    #[test]
    fn what_it_does_not_say_itself_is_told() {
        for (text, part) in [
            ("[options]\ninstall_requires = file: requirements.txt\n", "only a build"),
            ("[options]\ninstall_requires =\n  not a requirement\n", "is no requirement"),
            ("[flake8]\nmax-line-length = 100\n", "no section [options]"),
            ("option = value\n", "damaged"),
        ] {
            let machine = FakeSource::new().file("/w/setup.cfg", text);
            let read = read(&machine, "setup.cfg", groups(&[], &[]));
            assert!(read.has_errors() && read.problems[0].message.contains(part), "{text}: {:?}", read.problems);
        }
    }
}
