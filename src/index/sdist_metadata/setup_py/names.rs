//! The names of a Python file: what each occurrence does, and whether a name keeps its value.

use super::syntax::{NodeId, Syntax};

/// What an occurrence of an identifier does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRole {
    /// It gets a value: an assignment, a parameter, a definition.
    Bind,
    Import,
    /// Its value may be changed.
    Mutate,
    /// Its value may be changed at the key that is this node.
    MutateAt(NodeId),
    Read,
    /// It is the name of something else: an attribute, a keyword.
    Other,
}

/// Functions that do not change their arguments.
const HARMLESS: [&str; 24] = [
    "all",
    "any",
    "dict",
    "enumerate",
    "filter",
    "frozenset",
    "getattr",
    "hasattr",
    "isinstance",
    "iter",
    "len",
    "list",
    "map",
    "max",
    "min",
    "open",
    "print",
    "repr",
    "reversed",
    "set",
    "sorted",
    "str",
    "sum",
    "tuple",
];

/// Methods that change neither their object nor their arguments.
const HARMLESS_METHODS: [&str; 18] = [
    "copy",
    "count",
    "encode",
    "decode",
    "format",
    "get",
    "index",
    "items",
    "join",
    "keys",
    "lower",
    "replace",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "values",
];

/// The identifiers of a `setup.py` with their roles.
pub struct Names<'s> {
    pub syntax: &'s Syntax,
}

impl Names<'_> {
    pub fn role(&self, id: NodeId) -> NameRole {
        let syntax = self.syntax;
        let Some(parent) = syntax.parent(id) else { return NameRole::Other };
        let field = syntax.field(id);
        match (syntax.kind(parent), field) {
            ("attribute", Some("attribute")) | ("keyword_argument", Some("name")) => NameRole::Other,
            ("assignment" | "for_statement" | "for_in_clause", Some("left"))
            | ("function_definition" | "class_definition" | "named_expression" | "default_parameter", Some("name"))
            | ("typed_default_parameter", Some("name")) => NameRole::Bind,
            ("augmented_assignment", Some("left")) | ("delete_statement", _) => NameRole::Mutate,
            (
                "pattern_list"
                | "tuple_pattern"
                | "list_pattern"
                | "parameters"
                | "lambda_parameters"
                | "typed_parameter"
                | "list_splat_pattern"
                | "dictionary_splat_pattern"
                | "as_pattern_target"
                | "global_statement"
                | "nonlocal_statement",
                _,
            ) => NameRole::Bind,
            ("dotted_name" | "aliased_import" | "import_from_statement" | "import_statement", _) => NameRole::Import,
            ("attribute", Some("object")) => self.role_of_object(parent),
            ("subscript", Some("value")) => self.role_of_subscript(parent),
            ("argument_list", _) => self.role_of_argument(parent),
            ("keyword_argument", Some("value")) => {
                syntax.parent(parent).map_or(NameRole::Read, |list| self.role_of_argument(list))
            }
            _ => NameRole::Read,
        }
    }

    /// Returns the role of an object with an attribute: calling a method may change it.
    fn role_of_object(&self, attribute: NodeId) -> NameRole {
        let is_called = self.syntax.field(attribute) == Some("function");
        let name = self.syntax.child(attribute, "attribute").map_or("", |name| self.syntax.text(name));
        if is_called && !HARMLESS_METHODS.contains(&name) { NameRole::Mutate } else { NameRole::Read }
    }

    fn role_of_subscript(&self, subscript: NodeId) -> NameRole {
        let syntax = self.syntax;
        let key = syntax.child(subscript, "subscript");
        let is_changed = match syntax.parent(subscript).map(|parent| (parent, syntax.kind(parent))) {
            Some((_, "assignment" | "augmented_assignment")) => syntax.field(subscript) == Some("left"),
            Some((_, "delete_statement" | "pattern_list" | "tuple_pattern")) => true,
            Some((attribute, "attribute")) => self.role_of_object(attribute) == NameRole::Mutate,
            Some((outer, "subscript")) => self.role_of_subscript(outer) != NameRole::Read,
            _ => false,
        };
        match key {
            _ if !is_changed => NameRole::Read,
            Some(key) => NameRole::MutateAt(key),
            None => NameRole::Mutate,
        }
    }

    fn role_of_argument(&self, arguments: NodeId) -> NameRole {
        let syntax = self.syntax;
        let Some(function) = syntax.parent(arguments).and_then(|call| syntax.child(call, "function")) else {
            return NameRole::Read;
        };
        let name = syntax.child(function, "attribute").unwrap_or(function);
        let is_method = name != function;
        let harmless: &[&str] = if is_method { &HARMLESS_METHODS } else { &HARMLESS };
        let name = syntax.text(name);
        let is_harmless = harmless.contains(&name) || name == "setup" || name == "append" || name == "extend";
        if is_harmless || name == "build" && !is_method && self.has_poetry_hook() {
            NameRole::Read
        } else {
            NameRole::Mutate
        }
    }

    /// Whether poetry wrote the file for a project with a build script, whose `build(setup_kwargs)` adds
    /// extension modules.
    fn has_poetry_hook(&self) -> bool {
        self.syntax.has_wildcard_import(&["build"])
    }

    /// Returns the only value that is ever assigned to `name`, or `None` if there are several, or
    /// none for certain.
    pub fn only_value(&self, name: &str) -> Option<NodeId> {
        let syntax = self.syntax;
        let mut binds =
            syntax.occurrences(name).iter().filter(|id| matches!(self.role(**id), NameRole::Bind | NameRole::Import));
        let (bind, None) = (*binds.next()?, binds.next()) else { return None };
        let assignment = syntax.parent(bind).filter(|parent| syntax.kind(*parent) == "assignment")?;
        self.is_unconditional(assignment).then(|| syntax.child(assignment, "right")).flatten()
    }

    /// Whether the value of `name` never changes once it is assigned.
    pub fn is_constant(&self, name: &str) -> bool {
        self.is_unchanged(name, &mut Vec::new(), &|_| false)
    }

    /// Whether the value of `name` never changes except at keys that satisfy `is_allowed`.
    pub fn is_constant_but_for(&self, name: &str, is_allowed: &dyn Fn(NodeId) -> bool) -> bool {
        self.is_unchanged(name, &mut Vec::new(), is_allowed)
    }

    fn is_unchanged(&self, name: &str, seen: &mut Vec<String>, is_allowed: &dyn Fn(NodeId) -> bool) -> bool {
        if seen.iter().any(|known| known == name) || seen.len() > LONGEST_CHAIN {
            return seen.len() <= LONGEST_CHAIN;
        }
        seen.push(name.to_owned());
        self.syntax.occurrences(name).iter().all(|id| match self.role(*id) {
            NameRole::Mutate => false,
            NameRole::MutateAt(key) => is_allowed(key),
            NameRole::Read => self.other_name(*id).is_none_or(|other| self.is_unchanged(other, seen, is_allowed)),
            _ => true,
        })
    }

    /// Returns the name to which the value at `id` is assigned unchanged.
    fn other_name(&self, id: NodeId) -> Option<&str> {
        let syntax = self.syntax;
        let assignment = syntax.parent(id).filter(|parent| syntax.kind(*parent) == "assignment")?;
        let left = syntax.child(assignment, "left").filter(|left| syntax.kind(*left) == "identifier")?;
        (left != id).then(|| syntax.text(left))
    }

    /// Whether a statement always runs: it is in no branch and no loop.
    fn is_unconditional(&self, id: NodeId) -> bool {
        self.syntax.ancestors(id).all(|ancestor| match self.syntax.kind(ancestor) {
            "if_statement" => self.is_main_guard(ancestor),
            "try_statement" | "for_statement" | "while_statement" | "match_statement" | "lambda" => false,
            _ => true,
        })
    }

    /// Whether the statement is `if __name__ == '__main__'`, which holds when `setup.py` is run.
    pub fn is_main_guard(&self, statement: NodeId) -> bool {
        let condition = self.syntax.child(statement, "condition");
        condition.is_some_and(|condition| self.syntax.text(condition).starts_with("__name__"))
    }
}

/// The number of names for one value that are followed.
const LONGEST_CHAIN: usize = 50;
