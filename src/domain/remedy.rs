//! Remedies: what helps against a failure, as a value that the layers below `cli` can give.

use std::fmt;
use std::io;

/// What would help against a failure; only `cli` knows which option, variable or words that means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    // Which target is meant.
    GivePythonVersion,
    GivePlatform,
    GiveTarget,
    GiveGraalPyAbi,
    // Which interpreter is asked.
    NameOtherPython,
    NamePythonOrTarget,
    InstallPip,
    UpgradePip,
    // The disk of the cache, by what is wrong with it.
    MendCacheFolder(io::ErrorKind),
    // A disk that has too little space.
    MakeSpace,
    // The network.
    GiveCredentials,
    GiveProxyCredentials,
    GiveUploadCredentials,
    CheckAddress,
    CheckUploadAddress,
    AskLess,
    TryLater,
    WaitLonger,
    AllowLargerFiles,
    TrustCertificate,
    NameClientCertificate,
    CheckTlsVersion,
    CheckHostName,
    // Which files may be chosen.
    AllowBuild,
    AllowSources,
    AllowWheels,
    AllowNewer,
    AskAllIndexes,
    // How source archives are built.
    AllowLongerBuilds,
    AskBuilds,
    TakeWheelsOfTools,
}

/// An error that may know a remedy, which its message does not contain.
pub trait HasRemedy: fmt::Display {
    fn remedy(&self) -> Option<Remedy>;
}
