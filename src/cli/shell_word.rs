//! Words of shell commands that are printed for copying.

use std::borrow::Cow;

/// Returns a text as one word of a Unix shell, quoted unless it is one as it is.
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |next: char| next.is_ascii_alphanumeric() || matches!(next, '-' | '_' | '.' | '/' | ':' | '=' | '@');
    if text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.chars().all(is_plain) {
        return text.into();
    }
    // Only a NUL cannot be quoted.
    shlex::try_quote(text).unwrap_or_else(|_| format!("{text:?}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_runs_nothing() {
        assert_eq!(shell_word("https://index.example/simple/=403"), "https://index.example/simple/=403");
        for word in ["a$(id).invalid", "evil.invalid;id", "http://h/?a=b&c", "a b", "it's"] {
            let quoted = shell_word(word);
            assert!(quoted != word && shlex::split(&quoted) == Some(vec![word.to_owned()]), "{quoted}");
        }
    }
}
