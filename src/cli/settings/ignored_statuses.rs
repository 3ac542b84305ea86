//! `--ignore-error-codes URL=403,405`: HTTP statuses of one index that mean "no such project" (uv's
//! `ignore-error-codes`).

use std::sync::Arc;

use super::layers::Layers;
use super::table;
use crate::cli::error::CliError;
use crate::domain::{MaskedUrl, mask_credentials};
use crate::index::IgnoredStatuses;

/// The values from the command line, or else from variables, which may also name indexes of other
/// runs.
#[derive(Clone, Debug)]
pub struct IgnoredCodes {
    values: Vec<String>,
    are_typed: bool,
}

impl IgnoredCodes {
    pub fn new(typed: &[String], layers: &Layers<'_>) -> Self {
        match typed.is_empty() {
            true => Self { values: layers.many(&table::IGNORE_ERROR_CODES), are_typed: false },
            false => Self { values: typed.to_vec(), are_typed: true },
        }
    }

    /// Returns the ignored statuses of each of `indexes`.
    ///
    /// # Errors
    /// When a value is invalid, or one of the command line names none of the indexes.
    pub fn of<'i>(
        &self,
        indexes: impl Iterator<Item = &'i Arc<MaskedUrl>> + Clone,
    ) -> Result<IgnoredStatuses, CliError> {
        let mut ignored = IgnoredStatuses::default();
        for value in &self.values {
            let (url, codes) = parsed(value).ok_or_else(|| {
                CliError::usage(format!("--ignore-error-codes `{}` is not understood", mask_credentials(value)))
                    .hint("write the URL of an index, `=`, and statuses: https://index.example/simple/=403,405")
            })?;
            let key = IgnoredStatuses::key(&url);
            if self.are_typed && !indexes.clone().any(|index| IgnoredStatuses::key(index) == key) {
                return Err(CliError::usage(format!(
                    "--ignore-error-codes names {url}, which is no index of this run"
                )));
            }
            ignored.0.entry(key).or_default().extend(codes);
        }
        Ok(ignored)
    }
}

fn parsed(value: &str) -> Option<(MaskedUrl, Vec<u16>)> {
    let (url, codes) = value.rsplit_once('=')?;
    let code = |text: &str| text.trim().parse::<u16>().ok().filter(|code| (100..600).contains(code));
    Some((url.parse().ok()?, codes.split(',').map(code).collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_belong_to_an_index_of_the_run() {
        let index = Arc::new("https://me:pw@index.example/simple/?a=b".parse().unwrap());
        let of = |value: &str, are_typed| {
            IgnoredCodes { values: vec![value.to_owned()], are_typed }.of([&index].into_iter())
        };
        let ignored = of("https://index.example/simple/?a=b=403, 405", true).unwrap();
        assert_eq!(ignored.0.values().flatten().collect::<Vec<_>>(), [&403, &405]);
        for wrong in
            ["403", "https://index.example/simple/=", "https://index.example/=4o3", "https://index.example/=42"]
        {
            assert!(of(wrong, false).is_err(), "{wrong}");
        }
        assert!(of("https://other.example/=403", true).is_err() && of("https://other.example/=403", false).is_ok());
    }
}
