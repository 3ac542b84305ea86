//! Repairs dependency specifiers that old tools wrote and PEP 440 forbids.

/// Returns `text` with the mistakes repaired that uv repairs (`docs/facts/pip.md` 7.2).
///
/// They are a star after an ordered comparison, missing or superfluous commas, and quotes around a
/// version. The marker, after `;`, stays as it is.
pub fn repaired(text: &str) -> String {
    let (specifiers, marker) = match text.split_once(';') {
        Some((specifiers, marker)) => (specifiers, format!(";{marker}")),
        None => (text, String::new()),
    };
    let specifiers = without_quotes(specifiers);
    let specifiers = with_commas(&specifiers);
    let clauses: Vec<_> = specifiers.split(',').map(without_star).collect();
    let clauses: Vec<_> = clauses.iter().map(String::as_str).filter(|clause| !clause.trim().is_empty()).collect();
    clauses.join(",") + &marker
}

fn without_quotes(text: &str) -> String {
    text.replace(['\'', '"'], "")
}

/// Adds missing commas, as in `>=1.0<3`: an operator that follows a digit begins a clause.
fn with_commas(text: &str) -> String {
    let mut mended = String::with_capacity(text.len() + 1);
    let mut in_version = false;
    for character in text.chars() {
        if matches!(character, '<' | '>' | '!' | '~' | '=') {
            if in_version {
                mended.push(',');
            }
            in_version = false;
        } else if matches!(mended.trim_end().chars().next_back(), Some('<' | '>' | '=')) && !character.is_whitespace() {
            in_version = true;
        } else if matches!(character, ',' | '(' | ')') {
            in_version = false;
        }
        mended.push(character);
    }
    mended
}

/// Removes the star in `>=1.0.*`, which means nothing after an ordered comparison.
fn without_star(clause: &str) -> String {
    let has_order = clause.contains(['<', '>']) && !clause.contains("~=");
    let bare = clause.trim_end_matches(|c: char| c.is_whitespace() || c == ')');
    match bare.strip_suffix(".*").filter(|_| has_order) {
        Some(version) => version.to_owned() + &clause[bare.len()..],
        None => clause.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_mended_and_nothing_else() {
        for (text, expected) in [
            (">=3.7.*,!=3.8", ">=3.7,!=3.8"),
            ("dep (>=1.0.*) ; python_version < '3'", "dep (>=1.0) ; python_version < '3'"),
            ("dep>=1.0<3", "dep>=1.0,<3"),
            (">='3.6'", ">=3.6"),
            (">=3.8, !=3.9.*,", ">=3.8, !=3.9.*"),
            ("dep ==1.*", "dep ==1.*"),
            ("dep ~=1.0.*", "dep ~=1.0.*"),
        ] {
            assert_eq!(repaired(text), expected, "{text}");
        }
    }
}
