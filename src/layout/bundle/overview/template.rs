//! Fills a template that has placeholders such as `@TITLE@`.

/// Replaces placeholders by values; placeholders inside a value are left as they are.
///
/// # Panics
/// When a placeholder has no value; templates and values are both part of this program.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut parts = template.split('@');
    let mut text = parts.next().unwrap_or_default().to_owned();
    while let Some(mark) = parts.next() {
        let (_, value) = values.iter().find(|(name, _)| *name == mark).expect("every mark has a value");
        text.push_str(value);
        text.push_str(parts.next().unwrap_or_default());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_no_templates() {
        assert_eq!(fill("<@A@|@B_C@>", &[("A", "@B_C@"), ("B_C", "@")]), "<@B_C@|@>");
    }
}
