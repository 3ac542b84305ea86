//! Lists that statements build one after the other, each maybe in branches on the machine.

use super::super::requirement_lines::from_section;
use super::condition::{Condition, ConditionReader};
use super::evaluate::{Evaluator, PythonValue};
use super::names::{NameRole, Names};
use super::syntax::NodeId;

/// Reads such lists in one file.
pub struct Branches<'e, 'n, 's> {
    pub names: &'n Names<'s>,
    pub evaluator: &'e Evaluator<'n, 's>,
}

/// A line that is in the list on some machines.
struct ConditionalLine {
    condition: Condition,
    line: String,
}

impl Branches<'_, '_, '_> {
    /// Returns the list that `name` stands for at `usage`, each of its lines with the marker of its
    /// branch; `None` if a statement that changes it is not understood, or may run later.
    pub fn list(&self, name: &str, usage: NodeId) -> Option<PythonValue> {
        let syntax = self.names.syntax;
        let mut lines = Vec::new();
        let occurrences = syntax.occurrences(name);
        self.evaluator.spend(occurrences.len())?;
        for &id in occurrences.iter().filter(|id| **id != usage) {
            match self.names.role(id) {
                NameRole::Other => {}
                NameRole::Read if !self.gets_another_name(id) => {}
                NameRole::Bind | NameRole::Mutate if id < usage => self.apply(id, &mut lines)?,
                NameRole::Bind | NameRole::Mutate | NameRole::MutateAt(_) | NameRole::Import | NameRole::Read => {
                    return None;
                }
            }
        }
        let is_set = |id: &NodeId| self.names.role(*id) == NameRole::Bind;
        occurrences.iter().any(is_set).then(|| value(lines))?
    }

    /// Reads `first if condition else second`.
    pub fn choice(&self, id: NodeId) -> Option<PythonValue> {
        let mut parts = self.names.syntax.children(id);
        let (first, condition, second) = (parts.next()?, parts.next()?, parts.next()?);
        let condition = ConditionReader { names: self.names, evaluator: self.evaluator }.read(condition)?;
        let mut lines = self.lines(first, &condition)?;
        lines.extend(self.lines(second, &condition.negated())?);
        value(lines)
    }

    fn gets_another_name(&self, id: NodeId) -> bool {
        let syntax = self.names.syntax;
        syntax.parent(id).is_some_and(|parent| syntax.kind(parent) == "assignment" && syntax.field(id) == Some("right"))
    }

    /// Does to `lines` what the statement around the identifier does to the list.
    fn apply(&self, id: NodeId, lines: &mut Vec<ConditionalLine>) -> Option<()> {
        let syntax = self.names.syntax;
        let condition = self.condition(id)?;
        let parent = syntax.parent(id)?;
        match syntax.kind(parent) {
            "assignment" if syntax.field(id) == Some("left") => {
                let new = self.lines(syntax.child(parent, "right")?, &condition)?;
                self.evaluator.spend(lines.len())?;
                for line in lines.iter_mut() {
                    line.condition = line.condition.clone().and(condition.clone().negated());
                }
                lines.extend(new);
            }
            "augmented_assignment" => {
                let right = syntax.child(parent, "right")?;
                (syntax.between(id, right) == "+=").then_some(())?;
                lines.extend(self.lines(right, &condition)?);
            }
            "attribute" => lines.extend(self.added(parent, &condition)?),
            _ => return None,
        }
        Some(())
    }

    /// Returns what `name.append(…)` or `name.extend(…)` adds.
    fn added(&self, attribute: NodeId, condition: &Condition) -> Option<Vec<ConditionalLine>> {
        let syntax = self.names.syntax;
        let call = syntax.parent(attribute).filter(|_| syntax.field(attribute) == Some("function"))?;
        let mut arguments = syntax.children(syntax.child(call, "arguments")?);
        let (only, None) = (arguments.next()?, arguments.next()) else { return None };
        let is_text = || matches!(self.evaluator.value(only), Some(PythonValue::Text(_)));
        match syntax.text(syntax.child(attribute, "attribute")?) {
            "append" if is_text() => self.lines(only, condition),
            "extend" if !is_text() => self.lines(only, condition),
            _ => None,
        }
    }

    fn lines(&self, id: NodeId, condition: &Condition) -> Option<Vec<ConditionalLine>> {
        let lines = self.evaluator.value(id)?.lines()?;
        Some(lines.into_iter().map(|line| ConditionalLine { condition: condition.clone(), line }).collect())
    }

    /// Returns when the statement around an identifier runs; `None` if it may run at another time than when
    /// the file does, or its branch is not understood.
    fn condition(&self, id: NodeId) -> Option<Condition> {
        let syntax = self.names.syntax;
        let mut all = Condition::Always;
        let mut inner = id;
        for outer in syntax.ancestors(id) {
            match syntax.kind(outer) {
                "module"
                | "block"
                | "expression_statement"
                | "elif_clause"
                | "else_clause"
                | "assignment"
                | "call"
                | "attribute"
                | "augmented_assignment" => {}
                "if_statement" => all = all.and(self.branch(outer, inner)?),
                _ => return None,
            }
            inner = outer;
        }
        Some(all)
    }

    /// Returns when the `branch` of an `if` statement runs.
    fn branch(&self, statement: NodeId, branch: NodeId) -> Option<Condition> {
        let syntax = self.names.syntax;
        if self.names.is_main_guard(statement) {
            return (syntax.field(branch) == Some("consequence")).then_some(Condition::Always);
        }
        let reader = ConditionReader { names: self.names, evaluator: self.evaluator };
        let own = reader.read(syntax.child(statement, "condition")?)?;
        if syntax.field(branch) == Some("consequence") {
            return Some(own);
        }
        let mut all = own.negated();
        for alternative in syntax.children(statement).filter(|child| syntax.kind(*child) == "elif_clause") {
            self.evaluator.spend(1)?;
            let condition = reader.read(syntax.child(alternative, "condition")?)?;
            if alternative == branch {
                return Some(all.and(condition));
            }
            all = all.and(condition.negated());
        }
        Some(all)
    }
}

fn value(lines: Vec<ConditionalLine>) -> Option<PythonValue> {
    let text = |ConditionalLine { condition, line }: ConditionalLine| match condition {
        Condition::Always => Some(PythonValue::Text(line)),
        condition => from_section(&line, "", &condition.marker()?).map(PythonValue::Text),
    };
    let possible = lines.into_iter().filter(|line| line.condition != Condition::Never);
    possible.map(text).collect::<Option<Vec<_>>>().map(PythonValue::List)
}
