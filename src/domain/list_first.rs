//! Lists in sentences, of which the first few are named.

use std::fmt::Display;

/// Returns the first `most` of the names and the number of the others, such as `a, b and 3 more`.
pub fn list_first(names: impl IntoIterator<Item = impl Display>, most: usize) -> String {
    let mut names = names.into_iter();
    let named: Vec<_> = names.by_ref().take(most).map(|name| name.to_string()).collect();
    match names.count() {
        0 => named.join(", "),
        others => format!("{} and {others} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_counted() {
        assert_eq!(list_first(["a"; 0], 2), "");
        assert_eq!(list_first(["a", "b"], 2), "a, b");
        assert_eq!(list_first(["a", "b", "c", "d"], 2), "a, b and 2 more");
    }
}
