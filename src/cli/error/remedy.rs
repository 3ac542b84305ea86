//! The texts of remedies: which options, variables and actions help.

use std::io;

use crate::domain::{HasRemedy, Remedy};

/// Returns the message of an error, followed by the remedy for it.
pub fn with_remedy(error: &impl HasRemedy) -> String {
    match error.remedy() {
        Some(remedy) => format!("{error}; {}", words(remedy)),
        None => error.to_string(),
    }
}

/// Returns the text of a remedy.
pub fn words(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::GivePythonVersion => "add --python-version, or name one with --python",
        Remedy::GivePlatform => "add --platform, or name one with --python",
        Remedy::GiveTarget => "name one with --python, or the target with --python-version and --platform",
        Remedy::GiveGraalPyAbi => "add it, as in --abi graalpy242_311_native",
        Remedy::NameOtherPython => "name another Python with --python",
        Remedy::NamePythonOrTarget => {
            "name another Python with --python, or the target with --python-version and --platform together"
        }
        Remedy::InstallPip => {
            "install it there, name another Python with --python, or leave out --allow-build and --build-wheels"
        }
        Remedy::UpgradePip => {
            "upgrade it, name another Python with --python, or leave out --allow-build and --build-wheels"
        }
        Remedy::MendCacheFolder(kind) => for_cache_folder(kind),
        Remedy::MakeSpace => "make room, or name a folder on another disk",
        Remedy::GiveCredentials => {
            "give a user and password in the index URL (https://user:password@…) or in ~/.netrc, or check that they \
             may read this"
        }
        Remedy::GiveProxyCredentials => {
            "the proxy wants a user and password in its URL (http://user:password@host:port)"
        }
        Remedy::GiveUploadCredentials => {
            "give a user and password that may upload there, in its URL (https://user:password@…), in ~/.pypirc or in \
             ~/.netrc"
        }
        Remedy::CheckUploadAddress => "nothing takes uploads at this address: it is not that of the index's pages",
        Remedy::CheckAddress => {
            "there is nothing at this address: check it, or, where an index listed it, run again with --refresh"
        }
        Remedy::AskLess => "the server asks for fewer requests: try again later, or with a lower -j",
        Remedy::TryLater => "the server is in trouble: try again later, or with more --retries",
        Remedy::WaitLonger => "a longer --timeout waits for it",
        Remedy::AllowLargerFiles => "a larger --max-file-size takes it",
        Remedy::TrustCertificate => {
            "trust its authority with --cert FILE, or the host as it is with --trusted-host; if it is out of date, \
             look at the clock of this machine, too"
        }
        Remedy::NameClientCertificate => "name a certificate and key that the server accepts with --client-cert FILE",
        Remedy::CheckTlsVersion => "only TLS 1.2 and 1.3 are spoken here: check the port, and whether http:// is meant",
        Remedy::CheckHostName => "check its spelling, and the network and proxy of this machine",
        Remedy::AllowBuild => {
            "pin a version that has a wheel, fetch without dependencies (--no-deps), or let the build run \
             (--allow-build)"
        }
        Remedy::AllowSources => {
            "there are only source archives for this target: leave out --only-binary, or pin a version with a wheel"
        }
        Remedy::AllowWheels => "there are only wheels: leave out --no-binary",
        Remedy::AllowNewer => "a later --exclude-newer takes what was uploaded until then",
        Remedy::AllowLongerBuilds => "a longer --build-timeout waits for it",
        Remedy::AskBuilds => "--strict-metadata with --allow-build asks the builds themselves",
        Remedy::TakeWheelsOfTools => "take a wheel of it with --only-binary",
        Remedy::AskAllIndexes => "--index-strategy best-match takes all indexes together",
    }
}

fn for_cache_folder(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull => "the disk is full: make room, or name another folder with --cache-dir",
        io::ErrorKind::QuotaExceeded => "your quota is used up: make room, or name another folder with --cache-dir",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only: name another folder with --cache-dir",
        io::ErrorKind::PermissionDenied => {
            "you may not write there: change its permissions, or name another folder with --cache-dir"
        }
        _ => "name another folder with --cache-dir if that cannot be repaired",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    /// The numbers are Linux's: `ENOSPC`, `EDQUOT`, `EROFS`, `EACCES`.
    #[cfg(target_os = "linux")]
    #[test]
    fn each_trouble_of_a_disk_has_its_remedy() {
        for (number, words) in [(28, "make room"), (122, "quota"), (30, "read-only"), (13, "you may not write")] {
            let why = io::Error::from_raw_os_error(number);
            let error = with_remedy(&StoreError::Write { folder: "/store".into(), why });
            assert!(error.starts_with("cannot write below /store: ") && error.contains(words), "{error}");
            assert!(error.contains("--cache-dir"), "{error}");
        }
    }
}
