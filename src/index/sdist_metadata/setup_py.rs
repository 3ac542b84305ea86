//! Reads the literal parts of a `setup.py`, which is parsed and never run.

mod branches;
mod condition;
mod conditions;
mod evaluate;
mod names;
mod syntax;

use std::collections::BTreeSet;

use super::egg_info::Requirements;
use super::keywords::{Keyword, SetupKeywords};
use super::pyproject::is_plugin;
use super::requirement_lines::dependency;
use crate::domain::PackageName;
use conditions::Conditions;
use evaluate::{Evaluator, PythonValue};
use names::Names;
use syntax::{NodeId, Syntax};

/// The keywords that decide which dependencies there are.
const DECISIVE: [&str; 4] = ["install_requires", "extras_require", "python_requires", "setup_requires"];

/// Keywords of setuptools, distutils and known plugins that do not change the dependencies.
///
/// Any other keyword belongs to an unknown plugin, which may change everything.
const HARMLESS: [&str; 60] = [
    "name",
    "version",
    "description",
    "long_description",
    "long_description_content_type",
    "author",
    "author_email",
    "maintainer",
    "maintainer_email",
    "url",
    "download_url",
    "packages",
    "py_modules",
    "scripts",
    "ext_modules",
    "ext_package",
    "classifiers",
    "license",
    "license_file",
    "license_files",
    "keywords",
    "platforms",
    "platform",
    "cmdclass",
    "command_options",
    "data_files",
    "package_dir",
    "package_data",
    "include_package_data",
    "exclude_package_data",
    "libraries",
    "headers",
    "include_dirs",
    "options",
    "script_name",
    "script_args",
    "zip_safe",
    "entry_points",
    "namespace_packages",
    "test_suite",
    "tests_require",
    "test_loader",
    "test_runner",
    "project_urls",
    "provides",
    "requires",
    "obsoletes",
    "use_2to3",
    "use_scm_version",
    "cffi_modules",
    "dependency_links",
    // Of 2to3, and of plugins for native code.
    "distclass",
    "convert_2to3_doctests",
    "use_2to3_fixers",
    "use_2to3_exclude_fixers",
    "eager_resources",
    "features",
    "rust_extensions",
    "contact",
    "classifier",
];

/// The modules that `setup` is imported from.
const SETUP_MODULES: [&str; 2] = ["setuptools", "distutils.core"];

/// The number of copies of a dictionary that are followed.
const LONGEST_CHAIN: usize = 10;

/// Returns the keywords of the `setup()` call, or `None` if the file is no Python or does not call
/// `setup()` of setuptools or distutils.
pub fn read(bytes: &[u8]) -> Option<SetupKeywords> {
    let syntax = Syntax::parse(bytes)?;
    let script = Script { names: Names { syntax: &syntax } };
    let mut calls = script.setup_calls().map(|call| (call, script.keywords(call)));
    let (first, keywords) = calls.next()?;
    let mut all = vec![first];
    let mut are_same = true;
    for (call, other) in calls {
        all.push(call);
        are_same &= other == Some(keywords.clone()?);
    }
    let keywords = if are_same { keywords? } else { script.undecided(&all) };
    Some(SetupKeywords { in_branches: script.in_branches(), ..keywords })
}

/// A keyword and the expression that is its value.
type Given = (String, NodeId);

struct Script<'s> {
    names: Names<'s>,
}

impl Script<'_> {
    fn syntax(&self) -> &Syntax {
        self.names.syntax
    }

    fn setup_calls(&self) -> impl Iterator<Item = NodeId> {
        self.syntax().all().filter(|id| self.syntax().kind(*id) == "call" && self.is_setup(*id))
    }

    fn is_setup(&self, call: NodeId) -> bool {
        let syntax = self.syntax();
        let Some(function) = syntax.child(call, "function") else { return false };
        match syntax.kind(function) {
            "identifier" => self.is_imported_setup(syntax.text(function)),
            "attribute" => matches!(syntax.text(function), "setuptools.setup" | "distutils.core.setup" | "core.setup"),
            _ => false,
        }
    }

    /// Whether every import of `name` is the `setup` of setuptools or distutils, and nothing else
    /// assigns it.
    fn is_imported_setup(&self, name: &str) -> bool {
        let syntax = self.syntax();
        let statement =
            |id: NodeId| syntax.ancestors(id).find(|ancestor| syntax.kind(*ancestor) == "import_from_statement");
        let mut imports = 0;
        for &id in syntax.occurrences(name) {
            match self.names.role(id) {
                names::NameRole::Import => {
                    let module = statement(id).and_then(|statement| syntax.child(statement, "module_name"));
                    if !module.is_some_and(|module| SETUP_MODULES.contains(&syntax.text(module))) {
                        return false;
                    }
                    if !self.is_setup_imported_as(id) {
                        return false;
                    }
                    imports += 1;
                }
                names::NameRole::Bind => return false,
                _ => {}
            }
        }
        imports > 0 || name == "setup" && self.has_wildcard()
    }

    /// Whether an imported name, where it occurs in the import, is `setup` or an alias of it.
    fn is_setup_imported_as(&self, id: NodeId) -> bool {
        let syntax = self.syntax();
        let alias = syntax.parent(id).filter(|_| syntax.field(id) == Some("alias"));
        alias.and_then(|alias| syntax.child(alias, "name")).map_or(syntax.text(id), |name| syntax.text(name)) == "setup"
    }

    fn has_wildcard(&self) -> bool {
        self.syntax().has_wildcard_import(&SETUP_MODULES)
    }

    /// Returns the keywords of one call, or `None` if its arguments are not valid for `setup()`.
    fn keywords(&self, call: NodeId) -> Option<SetupKeywords> {
        let syntax = self.syntax();
        let arguments = syntax.child(call, "arguments")?;
        let mut given: Vec<Given> = Vec::new();
        let mut rest = Vec::new();
        for argument in syntax.children(arguments) {
            match syntax.kind(argument) {
                "keyword_argument" => {
                    let name = syntax.text(syntax.child(argument, "name")?).to_owned();
                    given.push((name, syntax.child(argument, "value")?));
                }
                "dictionary_splat" => match self.splat(syntax.children(argument).next()?, 0) {
                    Some(pairs) => given.extend(pairs),
                    None => rest.push(argument),
                },
                _ => return None,
            }
        }
        Some(self.assemble(&given, &rest))
    }

    /// Returns the pairs of a dictionary that is passed as `**keywords`, or `None` if they are not
    /// known.
    fn splat(&self, id: NodeId, depth: usize) -> Option<Vec<Given>> {
        let syntax = self.syntax();
        (depth < LONGEST_CHAIN).then_some(())?;
        let dictionary = match syntax.kind(id) {
            "identifier" => {
                let name = syntax.text(id);
                let is_harmless =
                    |key: NodeId| syntax.kind(key) == "string" && !DECISIVE.contains(&syntax.unquoted(key));
                self.names.is_constant_but_for(name, &is_harmless).then_some(())?;
                self.names.only_value(name)?
            }
            _ => id,
        };
        let pairs: Vec<_> = match syntax.kind(dictionary) {
            "dictionary" => syntax.children(dictionary).map(|pair| (pair, "key")).collect(),
            "call" if syntax.child(dictionary, "function").is_some_and(|function| syntax.text(function) == "dict") => {
                if let Some(copied) = self.copied(dictionary) {
                    return self.splat(copied, depth + 1);
                }
                syntax.children(syntax.child(dictionary, "arguments")?).map(|pair| (pair, "name")).collect()
            }
            _ => return None,
        };
        let pair = |(pair, field): (NodeId, &str)| {
            let key = syntax.child(pair, field)?;
            let is_name = field == "name" || syntax.kind(key) == "string";
            let name = syntax.unquoted(key).to_owned();
            is_name.then_some(())?;
            Some((name, syntax.child(pair, "value")?))
        };
        pairs.into_iter().map(pair).collect()
    }

    /// Returns the single argument of `dict(…)`, if it is a name.
    fn copied(&self, call: NodeId) -> Option<NodeId> {
        let syntax = self.syntax();
        let mut arguments = syntax.children(syntax.child(call, "arguments")?);
        let only = arguments.next().filter(|only| syntax.kind(*only) == "identifier")?;
        arguments.next().is_none().then_some(only)
    }

    fn assemble(&self, given: &[Given], rest: &[NodeId]) -> SetupKeywords {
        let keyword = |name: &'static str| KeywordSource { script: self, name, given, rest };
        let setup_requires = keyword("setup_requires").read(|value| value.lines());
        let is_harmless = |name: &str| DECISIVE.contains(&name) || HARMLESS.contains(&name);
        let has_plugin = given.iter().any(|(name, _)| !is_harmless(name))
            || self.replaces_egg_info(given)
            || setup_requires.literal().is_some_and(|lines| lines.iter().any(|line| is_plugin(line)));
        let text = |value: &PythonValue| match value {
            PythonValue::Text(text) => Some(text.clone()),
            _ => None,
        };
        SetupKeywords {
            name: keyword("name").read(text),
            version: keyword("version").read(text),
            install_requires: keyword("install_requires").read(|value| value.lines()),
            extras_require: keyword("extras_require").read(extras),
            python_requires: keyword("python_requires").read(text),
            setup_requires,
            has_plugin,
            ..SetupKeywords::default()
        }
    }

    /// Returns the projects that literals in branches name as requirements.
    fn in_branches(&self) -> BTreeSet<PackageName> {
        let syntax = self.syntax();
        let is_branch = |id: NodeId| match syntax.kind(id) {
            "if_statement" => !self.names.is_main_guard(id),
            kind => matches!(kind, "try_statement" | "conditional_expression"),
        };
        let evaluator = Evaluator::new(&self.names);
        let mut found = BTreeSet::new();
        for id in syntax.all().filter(|id| syntax.kind(*id) == "string") {
            if syntax.ancestors(id).any(is_branch) {
                let lines = evaluator.value(id).and_then(|value| value.lines()).unwrap_or_default();
                found.extend(lines.iter().filter_map(|line| dependency(line)).map(|dependency| dependency.name));
            }
        }
        found
    }

    /// Whether the archive replaces the command that writes the metadata.
    fn replaces_egg_info(&self, given: &[Given]) -> bool {
        let syntax = self.syntax();
        given.iter().any(|(name, _)| name == "cmdclass")
            && syntax.all().any(|id| syntax.kind(id) == "string" && syntax.unquoted(id) == "egg_info")
    }

    /// Returns the keywords for several calls that contradict each other.
    fn undecided(&self, calls: &[NodeId]) -> SetupKeywords {
        fn of<T>(depends: bool) -> Keyword<T> {
            if depends { Keyword::Conditional } else { Keyword::Computed }
        }
        let counts = |name: &str| DECISIVE.contains(&name);
        let depends = Conditions::new(&self.names).depend_on_machine(calls.iter().copied(), &counts);
        SetupKeywords {
            install_requires: of(depends),
            extras_require: of(depends),
            python_requires: of(depends),
            setup_requires: of(depends),
            has_plugin: true,
            ..SetupKeywords::default()
        }
    }
}

/// The expressions that may give the value of one keyword.
struct KeywordSource<'a, 's> {
    script: &'a Script<'s>,
    name: &'static str,
    given: &'a [Given],
    rest: &'a [NodeId],
}

impl KeywordSource<'_, '_> {
    fn read<T>(&self, understand: impl Fn(&PythonValue) -> Option<T>) -> Keyword<T> {
        let names = &self.script.names;
        let counts = |name: &str| name == self.name || !DECISIVE.contains(&name) && !HARMLESS.contains(&name);
        let depends = |nodes: &[NodeId]| Conditions::new(names).depend_on_machine(nodes.iter().copied(), &counts);
        let computed = |nodes: &[NodeId]| if depends(nodes) { Keyword::Conditional } else { Keyword::Computed };
        match self.given.iter().find(|(name, _)| name == self.name) {
            Some((_, id)) => {
                let value = Evaluator::new(names).value(*id);
                value.as_ref().and_then(understand).map_or_else(|| computed(&[*id]), Keyword::Literal)
            }
            None if self.rest.is_empty() => Keyword::Absent,
            None => computed(self.rest),
        }
    }
}

/// Reads `extras_require`, whose keys may have markers.
fn extras(value: &PythonValue) -> Option<Requirements> {
    let mut all = Requirements::default();
    match value {
        PythonValue::None => {}
        PythonValue::Dict(pairs) => {
            for (extra, value) in pairs {
                all.add(extra, &value.lines()?)?;
            }
        }
        PythonValue::Text(_) | PythonValue::List(_) => return None,
    }
    Some(all)
}

#[cfg(test)]
mod tests;
