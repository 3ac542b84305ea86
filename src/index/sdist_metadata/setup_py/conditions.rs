//! Finds out whether a computed value depends on the machine that computes it.

use std::collections::HashSet;

use super::names::{NameRole, Names};
use super::syntax::NodeId;

/// Names that stand for the Python, the platform or the environment, wherever they come from.
const ENVIRONMENT: [&str; 24] = [
    "PY2",
    "PY3",
    "PYPY",
    "argv",
    "environ",
    "find_spec",
    "getenv",
    "get_distribution",
    "getoutput",
    "check_output",
    "hexversion",
    "import_module",
    "machine",
    "maxsize",
    "maxint",
    "platform",
    "Popen",
    "python_implementation",
    "python_version",
    "python_version_tuple",
    "subprocess",
    "sys_platform",
    "uname",
    "version_info",
];

/// Attributes that do so only in a certain module.
const ENVIRONMENT_OF: [(&str, &str); 4] = [("os", "name"), ("sys", "version"), ("sys", "api_version"), ("os", "sep")];

/// Searches everything that a value is made of, through names, branches and functions of the file.
pub struct Conditions<'n, 's> {
    names: &'n Names<'s>,
    seen: HashSet<NodeId>,
    seen_names: HashSet<String>,
    waiting: Vec<NodeId>,
}

impl<'n, 's> Conditions<'n, 's> {
    pub fn new(names: &'n Names<'s>) -> Self {
        Self { names, seen: HashSet::new(), seen_names: HashSet::new(), waiting: Vec::new() }
    }

    /// Whether any of `nodes` depends on the machine; dictionary keys and keywords that do not
    /// satisfy `counts` are ignored.
    pub fn depend_on_machine(mut self, nodes: impl IntoIterator<Item = NodeId>, counts: &dyn Fn(&str) -> bool) -> bool {
        self.waiting.extend(nodes);
        while let Some(id) = self.waiting.pop() {
            if self.look_at(id, counts) {
                return true;
            }
        }
        false
    }

    fn look_at(&mut self, id: NodeId, counts: &dyn Fn(&str) -> bool) -> bool {
        let syntax = self.names.syntax;
        let mut next = id;
        let end = syntax.within(id).end;
        while next < end {
            let here = next;
            next += 1;
            if !self.seen.insert(here) {
                continue;
            }
            if self.is_irrelevant(here, counts) {
                next = syntax.within(here).end;
                continue;
            }
            match syntax.kind(here) {
                "attribute" if self.is_of_environment(here) => return true,
                "identifier" if self.names.role(here) != NameRole::Other => {
                    let name = syntax.text(here);
                    if ENVIRONMENT.contains(&name) {
                        return true;
                    }
                    if self.seen_names.insert(name.to_owned()) && self.look_at_name(name, counts) {
                        return true;
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// Whether a node is a pair or keyword argument whose name does not satisfy `counts`.
    fn is_irrelevant(&self, id: NodeId, counts: &dyn Fn(&str) -> bool) -> bool {
        let syntax = self.names.syntax;
        match syntax.kind(id) {
            "pair" => self.key(id, "key").is_some_and(|key| !counts(key)),
            "keyword_argument" => syntax.child(id, "name").is_some_and(|name| !counts(syntax.text(name))),
            _ => false,
        }
    }

    fn key(&self, id: NodeId, field: &str) -> Option<&str> {
        let key = self.names.syntax.child(id, field)?;
        (self.names.syntax.kind(key) == "string").then(|| self.names.syntax.unquoted(key))
    }

    fn is_of_environment(&self, attribute: NodeId) -> bool {
        let syntax = self.names.syntax;
        let text = |field| syntax.child(attribute, field).map_or("", |id| syntax.text(id));
        let (object, name) = (text("object"), text("attribute"));
        ENVIRONMENT.contains(&name) || ENVIRONMENT_OF.contains(&(object, name))
    }

    /// Queues every statement that assigns or changes `name`, and its conditions; returns whether
    /// one depends on the machine for sure.
    fn look_at_name(&mut self, name: &str, counts: &dyn Fn(&str) -> bool) -> bool {
        let syntax = self.names.syntax;
        for &id in syntax.occurrences(name) {
            match self.names.role(id) {
                NameRole::Bind | NameRole::Mutate => {}
                NameRole::MutateAt(key) => {
                    let text = syntax.unquoted(key);
                    if syntax.kind(key) == "string" && !counts(text) {
                        continue;
                    }
                }
                NameRole::Import | NameRole::Read | NameRole::Other => continue,
            }
            if self.is_parameter(id) {
                self.wait_for_callers(id);
                continue;
            }
            let statement = self.statement(id);
            self.waiting.push(statement);
            if self.depends_on_imports(statement) {
                return true;
            }
            self.wait_for_conditions(statement);
        }
        false
    }

    fn is_parameter(&self, id: NodeId) -> bool {
        self.names.syntax.ancestors(id).take(2).any(|ancestor| self.names.syntax.kind(ancestor) == "parameters")
    }

    /// Queues the calls of a parameter's function, since they decide its value.
    fn wait_for_callers(&mut self, parameter: NodeId) {
        let syntax = self.names.syntax;
        let function = syntax.ancestors(parameter).find(|ancestor| syntax.kind(*ancestor) == "function_definition");
        let Some(name) = function.and_then(|function| syntax.child(function, "name")) else { return };
        for &id in syntax.occurrences(syntax.text(name)) {
            if let Some(call) = syntax.parent(id).filter(|_| syntax.field(id) == Some("function")) {
                self.waiting.push(call);
                self.wait_for_conditions(call);
            }
        }
    }

    /// Returns the smallest statement that gives the identifier its value.
    fn statement(&self, id: NodeId) -> NodeId {
        let syntax = self.names.syntax;
        let is_statement = |node: &NodeId| {
            let kind = syntax.kind(*node);
            matches!(kind, "assignment" | "augmented_assignment" | "call" | "for_statement" | "with_statement")
                || kind.ends_with("_statement")
                || kind.ends_with("_definition")
        };
        syntax.ancestors(id).find(is_statement).unwrap_or(id)
    }

    /// Queues the conditions of the branches and loops around a statement.
    fn wait_for_conditions(&mut self, statement: NodeId) {
        let syntax = self.names.syntax;
        for ancestor in syntax.ancestors(statement) {
            match syntax.kind(ancestor) {
                "if_statement" if !self.names.is_main_guard(ancestor) => {
                    self.waiting.extend(syntax.child(ancestor, "condition"));
                    let branches = syntax.children(ancestor).filter(|child| syntax.kind(*child) == "elif_clause");
                    self.waiting.extend(branches.filter_map(|branch| syntax.child(branch, "condition")));
                }
                "while_statement" => self.waiting.extend(syntax.child(ancestor, "condition")),
                "for_statement" => self.waiting.extend(syntax.child(ancestor, "right")),
                _ => {}
            }
        }
    }

    /// Whether the statement is in a `try` that imports something that not every build has, so that
    /// it depends on what is installed.
    fn depends_on_imports(&self, statement: NodeId) -> bool {
        let syntax = self.names.syntax;
        let is_import = |id: NodeId| match syntax.kind(id) {
            "import_statement" => true,
            "import_from_statement" => {
                !syntax.child(id, "module_name").is_some_and(|module| is_of_setuptools(syntax.text(module)))
            }
            _ => false,
        };
        let attempts = syntax.ancestors(statement).filter(|ancestor| syntax.kind(*ancestor) == "try_statement");
        attempts
            .into_iter()
            .any(|attempt| syntax.child(attempt, "body").is_some_and(|body| syntax.within(body).any(is_import)))
    }
}

/// Whether a module is there whenever setuptools builds.
fn is_of_setuptools(module: &str) -> bool {
    matches!(module.split('.').next(), Some("setuptools" | "distutils"))
}
