//! Evaluates expressions that consist of literals and of names for literals.

use std::cell::Cell;

use super::branches::Branches;
use super::names::Names;
use super::syntax::NodeId;
use crate::domain::logical_lines;

/// A value of a type that occurs in requirements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PythonValue {
    None,
    Text(String),
    /// A list, tuple or set.
    List(Vec<PythonValue>),
    Dict(Vec<(String, PythonValue)>),
}

impl PythonValue {
    /// Returns the requirement lines in the value, as setuptools reads strings and lists of them.
    pub fn lines(&self) -> Option<Vec<String>> {
        match self {
            Self::None => Some(Vec::new()),
            Self::Text(text) => Some(logical_lines(text)),
            Self::List(values) => {
                let lines = values.iter().map(Self::lines).collect::<Option<Vec<_>>>()?;
                Some(lines.concat())
            }
            Self::Dict(_) => None,
        }
    }
}

/// The number of nodes that one evaluation may visit, with those of its conditions, so that names of
/// sums of names stay cheap.
const MOST_STEPS: usize = 50_000;

/// The depth to which names may refer to names.
const DEEPEST: usize = 300;

/// Evaluates expressions of one file.
pub struct Evaluator<'n, 's> {
    names: &'n Names<'s>,
    steps: Cell<usize>,
    depth: Cell<usize>,
}

impl<'n, 's> Evaluator<'n, 's> {
    pub fn new(names: &'n Names<'s>) -> Self {
        Self { names, steps: Cell::new(0), depth: Cell::new(0) }
    }

    /// Returns the value of an expression, or `None` if it is computed.
    pub fn value(&self, id: NodeId) -> Option<PythonValue> {
        self.spend(1)?;
        if self.depth.get() > DEEPEST {
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let value = self.compute(id);
        self.depth.set(self.depth.get() - 1);
        value
    }

    /// Counts `steps`; `None` once there were too many.
    pub fn spend(&self, steps: usize) -> Option<()> {
        self.steps.set(self.steps.get() + steps);
        (self.steps.get() <= MOST_STEPS).then_some(())
    }

    fn compute(&self, id: NodeId) -> Option<PythonValue> {
        let syntax = self.names.syntax;
        match syntax.kind(id) {
            "none" => Some(PythonValue::None),
            "false" => Some(PythonValue::None),
            "string" => self.string(id).map(PythonValue::Text),
            "concatenated_string" => {
                let parts = syntax.children(id).map(|part| self.string(part)).collect::<Option<Vec<_>>>()?;
                Some(PythonValue::Text(parts.concat()))
            }
            "parenthesized_expression" => self.value(self.only_child(id)?),
            "list" | "tuple" | "set" => self.list(id),
            "dictionary" => self.dictionary(id),
            "binary_operator" => self.sum(id),
            "identifier" => self.name(id),
            "subscript" => self.item(id),
            "call" => self.call(id),
            "conditional_expression" => Branches { names: self.names, evaluator: self }.choice(id),
            _ => None,
        }
    }

    fn only_child(&self, id: NodeId) -> Option<NodeId> {
        let mut children = self.names.syntax.children(id);
        let only = children.next()?;
        children.next().is_none().then_some(only)
    }

    /// Returns a string without interpolation, and with no escapes but those of line ends, quotes
    /// and backslashes.
    fn string(&self, id: NodeId) -> Option<String> {
        let syntax = self.names.syntax;
        if syntax.kind(id) != "string" || syntax.children(id).any(|child| syntax.kind(child) == "interpolation") {
            return None;
        }
        let text = syntax.text(id);
        let quote = text.find(['\'', '"'])?;
        let (prefix, quoted) = text.split_at(quote);
        let stamp = if quoted.starts_with("\"\"\"") || quoted.starts_with("'''") { 3 } else { 1 };
        let content = quoted.get(stamp..quoted.len().checked_sub(stamp)?)?;
        let is_plain = prefix.chars().all(|letter| matches!(letter, 'u' | 'U' | 'r' | 'R' | 'b' | 'B'));
        if !is_plain {
            return None;
        }
        if prefix.contains(['r', 'R']) { Some(content.to_owned()) } else { unescape(content) }
    }

    fn list(&self, id: NodeId) -> Option<PythonValue> {
        let syntax = self.names.syntax;
        let mut values = Vec::new();
        for child in syntax.children(id) {
            match syntax.kind(child) {
                "list_splat" => match self.value(self.only_child(child)?)? {
                    PythonValue::List(more) => values.extend(more),
                    _ => return None,
                },
                _ => values.push(self.value(child)?),
            }
        }
        Some(PythonValue::List(values))
    }

    fn dictionary(&self, id: NodeId) -> Option<PythonValue> {
        let syntax = self.names.syntax;
        let mut pairs = Vec::new();
        for child in syntax.children(id) {
            match syntax.kind(child) {
                "pair" => {
                    let PythonValue::Text(key) = self.value(syntax.child(child, "key")?)? else { return None };
                    pairs.push((key, self.value(syntax.child(child, "value")?)?));
                }
                "dictionary_splat" => match self.value(self.only_child(child)?)? {
                    PythonValue::Dict(more) => pairs.extend(more),
                    _ => return None,
                },
                _ => return None,
            }
        }
        Some(PythonValue::Dict(pairs))
    }

    fn sum(&self, id: NodeId) -> Option<PythonValue> {
        let syntax = self.names.syntax;
        let (left, right) = (syntax.child(id, "left")?, syntax.child(id, "right")?);
        if syntax.between(left, right) != "+" {
            return None;
        }
        match (self.value(left)?, self.value(right)?) {
            (PythonValue::List(left), PythonValue::List(right)) => Some(PythonValue::List([left, right].concat())),
            (PythonValue::Text(left), PythonValue::Text(right)) => Some(PythonValue::Text(left + &right)),
            _ => None,
        }
    }

    fn name(&self, id: NodeId) -> Option<PythonValue> {
        let name = self.names.syntax.text(id);
        self.constant(name).or_else(|| Branches { names: self.names, evaluator: self }.list(name, id))
    }

    /// Returns the value of a name that gets one and keeps it.
    fn constant(&self, name: &str) -> Option<PythonValue> {
        let value = self.value(self.names.only_value(name)?)?;
        (matches!(value, PythonValue::Text(_) | PythonValue::None) || self.names.is_constant(name)).then_some(value)
    }

    fn item(&self, id: NodeId) -> Option<PythonValue> {
        let syntax = self.names.syntax;
        let PythonValue::Dict(pairs) = self.value(syntax.child(id, "value")?)? else { return None };
        let PythonValue::Text(key) = self.value(syntax.child(id, "subscript")?)? else { return None };
        pairs.into_iter().rev().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Evaluates `dict(a=…)`, and copies of lists.
    fn call(&self, id: NodeId) -> Option<PythonValue> {
        let syntax = self.names.syntax;
        let function = syntax.child(id, "function").filter(|function| syntax.kind(*function) == "identifier")?;
        let arguments = syntax.child(id, "arguments")?;
        match syntax.text(function) {
            "dict" => self.dict_call(arguments),
            "list" | "tuple" | "set" | "sorted" => match self.value(self.only_child(arguments)?)? {
                PythonValue::List(values) => Some(PythonValue::List(values)),
                _ => None,
            },
            _ => None,
        }
    }

    fn dict_call(&self, arguments: NodeId) -> Option<PythonValue> {
        let syntax = self.names.syntax;
        let mut pairs = Vec::new();
        for argument in syntax.children(arguments) {
            if syntax.kind(argument) != "keyword_argument" {
                return None;
            }
            let name = syntax.text(syntax.child(argument, "name")?).to_owned();
            pairs.push((name, self.value(syntax.child(argument, "value")?)?));
        }
        Some(PythonValue::Dict(pairs))
    }
}

/// Decodes the escapes of a string; `None` if one is not supported.
fn unescape(content: &str) -> Option<String> {
    let mut text = String::with_capacity(content.len());
    let mut characters = content.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next()? {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            '\n' => {}
            same @ ('\\' | '\'' | '"') => text.push(same),
            _ => return None,
        }
    }
    Some(text)
}
