//! Environment markers (PEP 508) with the grammar and the meaning that pip gives them.
//!
//! `pep508_rs` reads markers too, but drops a comparison that it cannot express, which then holds
//! everywhere (`python_version >= '3.*'`). Here every comparison means what pip makes of it
//! (`docs/facts/pip.md` 7.3) or is refused. One exception: `platform_release` is ordered as text.

use pep508_rs::{
    ExtraOperator, MarkerExpression, MarkerOperator, MarkerValueExtra, MarkerValueString, MarkerValueVersion,
};

use super::text_cursor::TextCursor;
use super::{DependencyError, ExtraName, MarkerTree, Version, VersionSpecifier};

/// Parentheses deeper than any person writes; a limit, since reading them recurses.
const DEEPEST: usize = 50;

/// Reads a whole marker such as `python_version < '3.9' and sys_platform == 'win32'`.
///
/// # Errors
/// Tells where the text stops being a marker, or which comparison has no meaning.
pub fn parse_marker(text: &str) -> Result<MarkerTree, DependencyError> {
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

fn alternatives(cursor: &mut TextCursor<'_>, depth: usize) -> Result<MarkerTree, DependencyError> {
    let mut all = conjunction(cursor, depth)?;
    while eat_word(cursor, "or") {
        all.or(conjunction(cursor, depth)?);
    }
    Ok(all)
}

fn conjunction(cursor: &mut TextCursor<'_>, depth: usize) -> Result<MarkerTree, DependencyError> {
    let mut all = atom(cursor, depth)?;
    while eat_word(cursor, "and") {
        all.and(atom(cursor, depth)?);
    }
    Ok(all)
}

fn atom(cursor: &mut TextCursor<'_>, depth: usize) -> Result<MarkerTree, DependencyError> {
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
enum Operand<'a> {
    Version(MarkerValueVersion),
    Text(MarkerValueString),
    Extra,
    Literal(&'a str),
}

fn comparison(cursor: &mut TextCursor<'_>) -> Result<MarkerTree, DependencyError> {
    let start = cursor.at;
    let left = operand(cursor)?;
    cursor.blanks();
    let operator = operator(cursor)?;
    cursor.blanks();
    let right = operand(cursor)?;
    let marker = match (left, right) {
        (Operand::Literal(_), Operand::Literal(_)) => Err("two texts are compared: one side must be a variable".into()),
        (Operand::Literal(value), variable) => compare_reversed(value, operator, variable),
        (variable, Operand::Literal(value)) => compare(variable, operator, value),
        _ => Err("two variables are compared: one side must be a text in quotes".into()),
    };
    marker.map_err(|why| DependencyError { at: start, why })
}

fn operand<'a>(cursor: &mut TextCursor<'a>) -> Result<Operand<'a>, DependencyError> {
    let start = cursor.at;
    if let Some(quote @ ('\'' | '"')) = cursor.peek() {
        return literal(cursor, quote);
    }
    let word = cursor.take_while(|character| is_word(character) || character == '.');
    let why = match variable(word) {
        Some(operand) => return Ok(operand),
        None if matches!(word, "extras" | "dependency_groups") => format!("`{word}` is known in lock files only"),
        None if word.is_empty() => "expected a marker variable or a text in quotes".into(),
        None if word.starts_with(|first: char| first.is_ascii_digit()) => format!("`{word}` needs quotes: '{word}'"),
        None => format!("`{word}` is no marker variable; a text needs quotes"),
    };
    Err(DependencyError { at: start, why })
}

fn literal<'a>(cursor: &mut TextCursor<'a>, quote: char) -> Result<Operand<'a>, DependencyError> {
    let start = cursor.at;
    cursor.at += 1;
    let value = cursor.take_while(|character| character != quote);
    cursor.at += usize::from(!cursor.is_done());
    let closed = cursor.text[start + 1 + value.len()..].starts_with(quote);
    let why = match closed {
        false => "this quote is never closed",
        true if value.contains(['\\', '\'']) => "a backslash or a `'` in a marker's text is not supported",
        true => return Ok(Operand::Literal(value)),
    };
    Err(DependencyError { at: start, why: why.into() })
}

/// The variable called `word`, old spellings included.
fn variable(word: &str) -> Option<Operand<'static>> {
    Some(match word {
        "python_version" => Operand::Version(MarkerValueVersion::PythonVersion),
        "python_full_version" => Operand::Version(MarkerValueVersion::PythonFullVersion),
        "implementation_version" => Operand::Version(MarkerValueVersion::ImplementationVersion),
        "implementation_name" => Operand::Text(MarkerValueString::ImplementationName),
        "os_name" | "os.name" => Operand::Text(MarkerValueString::OsName),
        "sys_platform" | "sys.platform" => Operand::Text(MarkerValueString::SysPlatform),
        "platform_machine" | "platform.machine" => Operand::Text(MarkerValueString::PlatformMachine),
        "platform_release" => Operand::Text(MarkerValueString::PlatformRelease),
        "platform_system" => Operand::Text(MarkerValueString::PlatformSystem),
        "platform_version" | "platform.version" => Operand::Text(MarkerValueString::PlatformVersion),
        "platform_python_implementation" | "platform.python_implementation" | "python_implementation" => {
            Operand::Text(MarkerValueString::PlatformPythonImplementation)
        }
        "extra" => Operand::Extra,
        _ => return None,
    })
}

/// Longer ones first, so that `==` is not taken for the start of `===`.
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

fn constant(holds: bool) -> MarkerTree {
    if holds { MarkerTree::TRUE } else { MarkerTree::FALSE }
}

fn compare(variable: Operand<'_>, operator: &str, value: &str) -> Result<MarkerTree, String> {
    match variable {
        Operand::Version(key) => compare_version(key, operator, value),
        Operand::Text(key) => compare_text(key, operator, value),
        Operand::Extra => compare_extra(operator, value),
        Operand::Literal(_) => unreachable!("the caller matched a variable"),
    }
}

/// `'3.8' <= python_version`: the text stands on the left.
fn compare_reversed(value: &str, operator: &str, variable: Operand<'_>) -> Result<MarkerTree, String> {
    let mirrored = match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        "~=" => return Err("`~=` needs its version on the right".into()),
        other => other,
    };
    match (operator, variable) {
        ("in" | "not in", Operand::Text(key)) => {
            let operator = if operator == "in" { MarkerOperator::Contains } else { MarkerOperator::NotContains };
            Ok(MarkerTree::expression(MarkerExpression::String { key, operator, value: value.to_owned() }))
        }
        ("in" | "not in", Operand::Version(MarkerValueVersion::PythonVersion)) => {
            Ok(python_versions(operator, |version| version.contains(value)))
        }
        ("in" | "not in", Operand::Version(key)) => {
            Err(format!("`{operator} {key}` is not supported; use `>=` or `<`"))
        }
        (_, variable) => compare(variable, mirrored, value),
    }
}

fn compare_version(key: MarkerValueVersion, operator: &str, value: &str) -> Result<MarkerTree, String> {
    match (operator, &key) {
        ("in" | "not in", MarkerValueVersion::PythonVersion) => {
            return Ok(python_versions(operator, |version| value.contains(version)));
        }
        ("in" | "not in", _) => return Ok(is_one_of(key, operator, versions_in(value))),
        _ => {}
    }
    let operator = if operator == "===" { "==" } else { operator };
    match format!("{operator}{}", value.trim()).parse::<VersionSpecifier>() {
        Ok(specifier) => Ok(MarkerTree::expression(MarkerExpression::Version { key, specifier })),
        Err(error) if operator == "~=" => Err(error.to_string()),
        Err(_) => Ok(constant(operator == "!=")),
    }
}

/// `in` searches for text in how the running version is spelled, so every version that exists, or
/// soon will, is tried.
fn python_versions(operator: &str, holds: impl Fn(&str) -> bool) -> MarkerTree {
    let all = (6..=7).map(|minor| (2, minor)).chain((2..=40).map(|minor| (3, minor)));
    let versions = all.filter(|(major, minor)| holds(&format!("{major}.{minor}")));
    let versions = versions.map(|(major, minor)| Version::new([major, minor])).collect();
    is_one_of(MarkerValueVersion::PythonVersion, operator, versions)
}

fn versions_in(text: &str) -> Vec<Version> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '+' | '!' | '-');
    text.split(|character| !is_part(character)).filter_map(|part| part.parse().ok()).collect()
}

fn is_one_of(key: MarkerValueVersion, operator: &str, versions: Vec<Version>) -> MarkerTree {
    let negated = operator == "not in";
    match versions.is_empty() {
        true => constant(negated),
        false => MarkerTree::expression(MarkerExpression::VersionIn { key, versions, negated }),
    }
}

fn compare_text(key: MarkerValueString, operator: &str, value: &str) -> Result<MarkerTree, String> {
    let is_ordered = key == MarkerValueString::PlatformRelease;
    let operator = match operator {
        "==" => MarkerOperator::Equal,
        "!=" => MarkerOperator::NotEqual,
        "in" => MarkerOperator::In,
        "not in" => MarkerOperator::NotIn,
        "<" if is_ordered => MarkerOperator::LessThan,
        "<=" if is_ordered => MarkerOperator::LessEqual,
        ">" if is_ordered => MarkerOperator::GreaterThan,
        ">=" if is_ordered => MarkerOperator::GreaterEqual,
        "<=" | ">=" => MarkerOperator::Equal,
        "<" | ">" => return Ok(MarkerTree::FALSE),
        other => return Err(format!("`{key}` is a text, which `{other}` cannot compare")),
    };
    Ok(MarkerTree::expression(MarkerExpression::String { key, operator, value: value.to_owned() }))
}

/// Where no extra is asked for, `extra` is the empty text.
fn compare_extra(operator: &str, value: &str) -> Result<MarkerTree, String> {
    let equal = match operator {
        "==" => true,
        "!=" => false,
        other => return Err(format!("`extra` can be compared by `==` and `!=`, not by `{other}`")),
    };
    let operator = if equal { ExtraOperator::Equal } else { ExtraOperator::NotEqual };
    Ok(match value.parse::<ExtraName>() {
        Ok(name) if !value.is_empty() => {
            MarkerTree::expression(MarkerExpression::Extra { operator, name: MarkerValueExtra::Extra(name) })
        }
        _ => constant(equal == value.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        match parse_marker(text) {
            Ok(marker) if marker.is_false() => "never".into(),
            Ok(marker) => marker.try_to_string().unwrap_or_else(|| "always".into()),
            Err(error) => panic!("{text}: {error}"),
        }
    }

    /// Where `pep508_rs` understands a marker it has the same meaning for us.
    #[test]
    fn ordinary_markers_mean_what_the_crate_says() {
        for text in [
            "python_version < '3.9'",
            "python_version == \"3.10\" and (sys_platform == 'win32' or os_name == 'nt')",
            "'3.8' <= python_version",
            "os_name == 'a' or os_name == 'b' and extra == 'Foo_Bar'",
            "python_full_version != '3.8.*'",
            "python_version ~= '3.7'",
            "python_version in '3.11 3.12'",
            "'linux' in sys_platform",
            "sys_platform not in 'win32 cygwin'",
            "implementation_version>='3.8.1'",
            "platform_release >= '20.0'",
        ] {
            assert_eq!(parse_marker(text).unwrap(), text.parse().unwrap(), "{text}");
        }
    }

    /// `docs/facts/pip.md` 7.3, decided by pip 26.3.
    #[test]
    fn odd_markers_mean_what_pip_says() {
        for (text, expected) in [
            ("python_version >= '3.*'", "never"),
            ("python_version != '3.*.1'", "always"),
            ("os_name >= 'posix'", "os_name == 'posix'"),
            ("os_name > 'posix'", "never"),
            ("os.name == 'nt'", "os_name == 'nt'"),
            ("python_implementation == 'PyPy'", "platform_python_implementation == 'PyPy'"),
            ("extra == ''", "always"),
            ("extra != ''", "never"),
            ("extra == ' a b '", "never"),
            ("(os_name=='nt')or(os_name=='nt')", "os_name == 'nt'"),
            ("python_version in 'x'", "never"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
        let commas = parse_marker("python_version in '3.11, 3.12'").unwrap();
        assert_eq!(commas, "python_version in '3.11 3.12'".parse().unwrap());
        let inverted = parse_marker("'2.7' not in python_version").unwrap();
        assert_eq!(inverted, "python_version != '2.7'".parse().unwrap());
    }

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
            ("'x' in extras", 7, "lock files"),
            ("sys_platform ~= 'l'", 0, "cannot compare"),
            ("'a' == 'b'", 0, "two texts"),
            ("os_name == sys_platform", 0, "two variables"),
            ("nope == 'x'", 0, "no marker variable"),
        ] {
            let error = parse_marker(text).unwrap_err();
            assert_eq!(error.at, at, "{text}");
            assert!(error.why.contains(part), "{text}: {error}");
        }
        assert!(parse_marker(&"(".repeat(100_000)).is_err());
    }
}
