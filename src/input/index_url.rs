//! URLs of indexes in the files of a project: the variables in them, and those with their
//! credentials.

use url::Url;

use super::InputSource;
use super::locking::Fault;

/// Returns `url` with the values of its `${VARIABLES}`.
///
/// # Errors
/// When a variable is not set.
pub fn expand_variables(url: &str, input_source: &dyn InputSource) -> Result<String, Fault> {
    let mut expanded = String::new();
    let mut rest = url;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').ok_or("the URL of a source has `${` without `}`")?;
        let value = input_source.variable(name);
        expanded.push_str(before);
        expanded.push_str(&value.ok_or_else(|| format!("a source needs the variable {name}, which is not set"))?);
        rest = after;
    }
    Ok(expanded + rest)
}

/// Returns the URL of an index with the user and password that the variables
/// `<PREFIX>_<NAME>_USERNAME` and `…_PASSWORD` hold for its name, unless it has some.
pub fn with_credentials(url: &str, (prefix, name): (&str, &str), variable: impl Fn(&str) -> Option<String>) -> String {
    let name: String = name.chars().map(|next| if next.is_ascii_alphanumeric() { next } else { '_' }).collect();
    let value = |suffix: &str| variable(&format!("{prefix}_{}_{suffix}", name.to_uppercase()));
    match Url::parse(url) {
        Ok(mut url) if url.username().is_empty() && url.password().is_none() => {
            // Both fail only for URLs that cannot have credentials.
            let _ = value("USERNAME").map(|user| url.set_username(&user));
            let _ = value("PASSWORD").map(|password| url.set_password(Some(&password)));
            url.into()
        }
        _ => url.to_owned(),
    }
}
