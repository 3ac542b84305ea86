//! Indexes, links and folders as they are named: URLs, and paths of this machine.

use std::path::Path;

use url::Url;

use crate::cli::error::CliError;
use crate::domain::{MaskedUrl, credentials as secrets_in, mask_credentials};

/// A location that is to be an index: a word that is neither a URL nor a folder is a slip, and
/// must not look like an index that knows nothing.
pub fn place_of_index(text: &str, working_folder: &Path) -> Result<MaskedUrl, CliError> {
    let url = place(text, working_folder)?;
    let is_there = Url::parse(text).is_ok() || working_folder.join(text).exists();
    if is_there {
        return Ok(url);
    }
    let message = format!("the index `{}` is no URL, and there is no folder of that name", mask_credentials(text));
    Err(CliError::usage(message).hint("an index is named by its URL (https://…) or by a folder in the layout `simple`"))
}

/// A location as pip takes it: a URL, or a path of the machine.
pub fn place(text: &str, working_folder: &Path) -> Result<MaskedUrl, CliError> {
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

/// Refuses the URL of a bucket or a server where a folder is wanted: it would become a folder named
/// `s3:`.
pub fn refuse_url(option: &str, path: &Path) -> Result<(), CliError> {
    let text = path.to_string_lossy();
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    match scheme.filter(|scheme| scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        None => Ok(()),
        Some(scheme) => Err(CliError::usage(format!("{option} `{}` is no folder", mask_credentials(&text)))
            .hint(format!("{scheme}:// cannot be written to; name a folder of this machine"))),
    }
}

/// What is said of an index by plain HTTP that nobody trusts.
pub fn insecure(url: &MaskedUrl) -> CliError {
    let password = if url.has_credentials() { "read its password and " } else { "" };
    let message =
        format!("{url} is not asked: by plain HTTP, everybody on the way can {password}change what it answers");
    let host = url.secret().host_str().unwrap_or_default();
    CliError::usage(message).hint(format!(
        "write https:// if it has that; if you trust all on the way, allow it with --trusted-host {host}"
    ))
}
