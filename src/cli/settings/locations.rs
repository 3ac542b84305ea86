//! Parses the locations of indexes, links and folders: URLs or local paths.

use std::path::Path;

use url::Url;

use crate::cli::error::CliError;
use crate::cli::shell_word::shell_word;
use crate::domain::{MaskedUrl, credentials as secrets_in, mask_credentials};

/// Parses the location of an index.
///
/// A word that is neither a URL nor an existing folder is refused as a typing error, lest it look
/// like an index without projects.
///
/// # Errors
/// When the text is such a word, or as [`parse_location`].
pub fn parse_index_location(text: &str, working_folder: &Path) -> Result<MaskedUrl, CliError> {
    let url = parse_location(text, working_folder)?;
    let is_there = Url::parse(text).is_ok() || working_folder.join(text).exists();
    if is_there {
        return Ok(url);
    }
    let message = format!("the index `{}` is no URL, and there is no folder of that name", mask_credentials(text));
    Err(CliError::usage(message).hint("an index is named by its URL (https://…) or by a folder in the layout `simple`"))
}

/// Parses a location as pip does: a URL, or a local path.
///
/// # Errors
/// When it is a URL that cannot be fetched or is invalid, or no path either.
pub fn parse_location(text: &str, working_folder: &Path) -> Result<MaskedUrl, CliError> {
    let refuse = |why: String| CliError::usage(format!("`{}` {why}", mask_credentials(text)));
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https" | "file") => Ok(MaskedUrl::new(url)),
        Ok(url) if text.contains("://") => Err(refuse(format!(
            "begins with {}:, which cannot be fetched (only http, https and file can)",
            url.scheme()
        ))),
        Err(error) if text.contains("://") => Err(refuse(format!("is no URL: {error}"))),
        _ => {
            let path = working_folder.join(text);
            if !path.exists() && !secrets_in(text).is_empty() {
                return Err(refuse("has a user and a password, and no scheme: write https://…".to_owned()));
            }
            let url = Url::from_file_path(&path);
            Ok(MaskedUrl::new(url.map_err(|()| refuse("is neither a URL (http, https, file) nor a path".to_owned()))?))
        }
    }
}

/// Refuses a URL (such as that of a bucket or server) where a folder is expected; it would create a
/// folder named `s3:`.
///
/// # Errors
/// When `path` is a URL; the error names `option`.
pub fn refuse_url(option: &str, path: &Path) -> Result<(), CliError> {
    let text = path.to_string_lossy();
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    match scheme.filter(|scheme| scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        None => Ok(()),
        Some(scheme) => Err(CliError::usage(format!("{option} `{}` is no folder", mask_credentials(&text)))
            .hint(format!("{scheme}:// cannot be written to; name a folder of this machine"))),
    }
}

/// Returns the error for an index by plain HTTP that is not trusted.
pub fn insecure(url: &MaskedUrl) -> CliError {
    let password = if url.has_credentials() { "read its password and " } else { "" };
    let message =
        format!("{url} is not asked: by plain HTTP, everybody on the way can {password}change what it answers");
    let host = url.secret().host_str().unwrap_or_default();
    CliError::usage(message).hint(format!(
        "write https:// if it has that; if you trust all on the way, allow it with --trusted-host {}",
        shell_word(host)
    ))
}
