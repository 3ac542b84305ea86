//! The syntax tree of a Python file in one vector, so that deep nesting costs no stack, and no file
//! more than its length in time.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use tree_sitter::{ParseOptions, Parser};

/// The size limit of a `setup.py` in bytes, many times that of real ones.
const LARGEST: usize = 256 << 10;

/// The limit of nesting; code that reads a tree may recurse as deep.
const DEEPEST: usize = 250;

/// How often the parser may report progress, which it does in steady steps: some seconds at most
/// for the largest file.
const LONGEST_PARSE: usize = 200_000;

/// The position of a node in the vector.
pub type NodeId = usize;

/// A parsed Python file.
pub struct Syntax {
    text: String,
    nodes: Vec<SyntaxNode>,
    identifiers: HashMap<String, Vec<NodeId>>,
}

struct SyntaxNode {
    kind: &'static str,
    /// The node's role in its parent, such as `value`.
    field: Option<&'static str>,
    parent: NodeId,
    bytes: Range<usize>,
    /// The position after the last node below it.
    end: NodeId,
}

impl Syntax {
    /// Parses Python 3 or 2; `None` if the text is neither, or is too long or too deeply nested.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > LARGEST {
            return None;
        }
        // Old files have other encodings; what counts in them is ASCII.
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned();
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
        let mut steps = 0;
        let mut progress = |_: &tree_sitter::ParseState| {
            steps += 1;
            if steps > LONGEST_PARSE { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let options = ParseOptions::new().progress_callback(&mut progress);
        let mut read = |at: usize, _| text.as_bytes().get(at..).unwrap_or_default();
        let tree = parser.parse_with_options(&mut read, None, Some(options))?;
        if tree.root_node().has_error() {
            return None;
        }
        let nodes = flatten(&tree)?;
        let mut syntax = Self { text, nodes, identifiers: HashMap::new() };
        for id in 0..syntax.nodes.len() {
            if syntax.kind(id) == "identifier" {
                syntax.identifiers.entry(syntax.text(id).to_owned()).or_default().push(id);
            }
        }
        Some(syntax)
    }

    /// Returns all nodes, in the order of the text.
    pub fn all(&self) -> Range<NodeId> {
        0..self.nodes.len()
    }

    pub fn kind(&self, id: NodeId) -> &'static str {
        self.nodes[id].kind
    }

    pub fn field(&self, id: NodeId) -> Option<&'static str> {
        self.nodes[id].field
    }

    pub fn text(&self, id: NodeId) -> &str {
        self.text.get(self.nodes[id].bytes.clone()).unwrap_or_default()
    }

    /// Returns the text of a string without its quotes; escapes stay as they are.
    pub fn unquoted(&self, id: NodeId) -> &str {
        self.text(id).trim_matches(['\'', '"'])
    }

    /// Whether there is a `from module import *` of one of `modules`.
    pub fn has_wildcard_import(&self, modules: &[&str]) -> bool {
        self.all().filter(|id| self.kind(*id) == "wildcard_import").any(|id| {
            let module = self.parent(id).and_then(|statement| self.child(statement, "module_name"));
            module.is_some_and(|module| modules.contains(&self.text(module)))
        })
    }

    /// Returns the text between two nodes, such as an operator.
    pub fn between(&self, left: NodeId, right: NodeId) -> &str {
        self.text.get(self.nodes[left].bytes.end..self.nodes[right].bytes.start).unwrap_or_default().trim()
    }

    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        (id != 0).then(|| self.nodes[id].parent)
    }

    /// Returns the ancestors of a node, from its parent to the root.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(self.parent(id), |id| self.parent(*id))
    }

    /// Returns a node and everything below it.
    pub fn within(&self, id: NodeId) -> Range<NodeId> {
        id..self.nodes[id].end
    }

    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let end = self.nodes[id].end;
        let within = move |child: NodeId| (child < end).then_some(child);
        std::iter::successors(within(id + 1), move |child| within(self.nodes[*child].end))
    }

    /// Returns the child with this role.
    pub fn child(&self, id: NodeId, field: &str) -> Option<NodeId> {
        self.children(id).find(|child| self.field(*child) == Some(field))
    }

    /// Returns the positions of an identifier, whatever its roles there.
    pub fn occurrences(&self, name: &str) -> &[NodeId] {
        self.identifiers.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Returns the named nodes in the order of the text, or `None` if they are nested too deeply.
fn flatten(tree: &tree_sitter::Tree) -> Option<Vec<SyntaxNode>> {
    let mut nodes: Vec<SyntaxNode> = Vec::new();
    let mut open: Vec<Option<NodeId>> = Vec::new();
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        let is_kept = node.is_named() && !matches!(node.kind(), "comment" | "line_continuation");
        let parent = open.iter().rev().flatten().next().copied().unwrap_or(0);
        open.push(is_kept.then_some(nodes.len()));
        if is_kept {
            let (kind, bytes) = (node.kind(), node.byte_range());
            nodes.push(SyntaxNode { kind, field: cursor.field_name(), parent, bytes, end: 0 });
        }
        if open.len() > DEEPEST {
            return None;
        }
        if cursor.goto_first_child() {
            continue;
        }
        loop {
            if let Some(Some(done)) = open.pop() {
                nodes[done].end = nodes.len();
            }
            if cursor.goto_next_sibling() {
                break;
            }
            if !cursor.goto_parent() {
                return Some(nodes);
            }
        }
    }
}
