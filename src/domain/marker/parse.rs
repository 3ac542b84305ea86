//! Parses markers by the grammar that pip accepts.

use super::Expression;
use super::comparison::Comparison;
use super::literal::unescaped;
use super::membership::{List, Membership};
use super::variable::Variable;
use crate::domain::DependencyError;
use crate::domain::text_cursor::TextCursor;

/// The limit of nested parentheses, far beyond what people write, since parsing recurses.
const DEEPEST: usize = 50;

/// Parses a whole marker.
///
/// # Errors
/// When the text is no marker, or a comparison has no meaning; the error says where.
pub(in crate::domain) fn whole(text: &str) -> Result<Expression, DependencyError> {
    let mut cursor = TextCursor::new(text);
    let marker = alternatives(&mut cursor, 0)?;
    match cursor.is_done() {
        true => Ok(marker),
        false => Err(fail(&cursor, "expected `and`, `or` or the end of the marker".into())),
    }
}

fn fail(cursor: &TextCursor<'_>, why: String) -> DependencyError {
    DependencyError { at: cursor.at, why }
}

fn alternatives(cursor: &mut TextCursor<'_>, depth: usize) -> Result<Expression, DependencyError> {
    let first = conjunction(cursor, depth)?;
    let mut all = vec![first];
    while eat_word(cursor, "or") {
        all.push(conjunction(cursor, depth)?);
    }
    Ok(alone_or(all, Expression::Any))
}

fn conjunction(cursor: &mut TextCursor<'_>, depth: usize) -> Result<Expression, DependencyError> {
    let first = atom(cursor, depth)?;
    let mut all = vec![first];
    while eat_word(cursor, "and") {
        all.push(atom(cursor, depth)?);
    }
    Ok(alone_or(all, Expression::All))
}

fn alone_or(mut parts: Vec<Expression>, several: impl FnOnce(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(alone) if parts.is_empty() => alone,
        last => {
            parts.extend(last);
            several(parts)
        }
    }
}

fn atom(cursor: &mut TextCursor<'_>, depth: usize) -> Result<Expression, DependencyError> {
    cursor.blanks();
    let start = cursor.at;
    let marker = if cursor.eat("(") {
        if depth == DEEPEST {
            return Err(fail(cursor, "there are too many parentheses inside each other".into()));
        }
        let inner = alternatives(cursor, depth + 1)?;
        if !cursor.eat(")") {
            return Err(DependencyError { at: start, why: "this `(` is never closed".into() });
        }
        inner
    } else {
        comparison(cursor)?
    };
    cursor.blanks();
    Ok(marker)
}

/// One side of a comparison.
enum Operand {
    Variable(Variable),
    List(List),
    Text(String),
}

fn comparison(cursor: &mut TextCursor<'_>) -> Result<Expression, DependencyError> {
    let start = cursor.at;
    let left = operand(cursor)?;
    cursor.blanks();
    let operator = operator(cursor)?;
    cursor.blanks();
    let at = cursor.at;
    let right = operand(cursor)?;
    if let (Operand::Text(name), Operand::List(list)) = (&left, &right) {
        let membership = Membership::new(name, operator, *list, at);
        return membership.map(Expression::Member).map_err(|why| DependencyError { at: start, why });
    }
    let comparison = match (left, right) {
        (Operand::List(list), _) | (_, Operand::List(list)) => Err(format!("write `'name' in {}`", list.name())),
        (Operand::Variable(variable), Operand::Text(text)) => Comparison::new(variable, operator, &text),
        (Operand::Text(text), Operand::Variable(variable)) => Comparison::reversed(&text, operator, variable),
        (Operand::Text(_), Operand::Text(_)) => Err("two texts are compared: one side must be a variable".into()),
        _ => Err("two variables are compared: one side must be a text in quotes".into()),
    };
    comparison.map(Expression::One).map_err(|why| DependencyError { at: start, why })
}

fn operand(cursor: &mut TextCursor<'_>) -> Result<Operand, DependencyError> {
    let start = cursor.at;
    if let Some(quote @ ('\'' | '"')) = cursor.peek() {
        return literal(cursor, quote);
    }
    let word = cursor.take_while(|character| is_word(character) || character == '.');
    if let Some(list) = List::named(word) {
        return Ok(Operand::List(list));
    }
    let why = match Variable::named(word) {
        Some(variable) => return Ok(Operand::Variable(variable)),
        None if word.is_empty() => "expected a marker variable or a text in quotes".into(),
        None if word.starts_with(|first: char| first.is_ascii_digit()) => format!("`{word}` needs quotes: '{word}'"),
        None => format!("`{word}` is no marker variable; a text needs quotes"),
    };
    Err(DependencyError { at: start, why })
}

fn literal(cursor: &mut TextCursor<'_>, quote: char) -> Result<Operand, DependencyError> {
    let start = cursor.at;
    cursor.at += 1;
    let written = cursor.take_while(|character| character != quote);
    if cursor.is_done() {
        return Err(DependencyError { at: start, why: "this quote is never closed".into() });
    }
    cursor.at += 1;
    unescaped(written).map(Operand::Text).map_err(|why| DependencyError { at: start, why })
}

/// The operators, longer ones first, so that `==` is not taken for the start of `===`.
const OPERATORS: [&str; 8] = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];

fn operator(cursor: &mut TextCursor<'_>) -> Result<&'static str, DependencyError> {
    if eat_word(cursor, "in") {
        return Ok("in");
    }
    if eat_word(cursor, "not") {
        return match !cursor.blanks().is_empty() && eat_word(cursor, "in") {
            true => Ok("not in"),
            false => Err(fail(cursor, "expected `in` after `not`".into())),
        };
    }
    OPERATORS.into_iter().find(|text| cursor.eat(text)).ok_or_else(|| {
        let why = format!("expected an operator: one of {}, in, not in", OPERATORS.join(", "));
        fail(cursor, why)
    })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn eat_word(cursor: &mut TextCursor<'_>, word: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(is_word);
    cursor.rest().strip_prefix(word).is_some_and(ends) && cursor.eat(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_tell_where() {
        for (text, at, part) in [
            ("python_version > 3", 17, "needs quotes"),
            ("", 0, "expected a marker variable"),
            ("os_name", 7, "expected an operator"),
            ("os_name == 'nt' xor", 16, "expected `and`"),
            ("os_name == 'nt", 11, "never closed"),
            ("(os_name == 'nt'", 0, "never closed"),
            ("os_name not on 'nt'", 12, "after `not`"),
            ("'x' == extras", 0, "asked by `in`"),
            ("extras == 'x'", 0, "write `'name' in extras`"),
            ("sys_platform ~= 'l'", 0, "compares versions"),
            ("python_version ~= '3'", 0, "compares versions"),
            ("os_name == 'a\\'", 11, "backslash"),
            ("'a' == 'b'", 0, "two texts"),
            ("os_name == sys_platform", 0, "two variables"),
            ("nope == 'x'", 0, "no marker variable"),
        ] {
            let error = whole(text).unwrap_err();
            assert_eq!(error.at, at, "{text}");
            assert!(error.why.contains(part), "{text}: {error}");
        }
        assert!(whole(&"(".repeat(100_000)).is_err());
    }
}
