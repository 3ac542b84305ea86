//! Requirements that name their archive themselves, by URL or path.

use std::sync::Arc;

use url::Url;

use super::Reason;
use crate::domain::{
    Algorithm, Digest, DistributionFilename, MaskedUrl, Offer, PackageName, Promises, Requirement, Source, Specifiers,
    Target, Version, Yanked,
};

/// The file that `requirement` names, checked against everything else that is asked of `name`.
///
/// # Errors
/// When it is nothing that can be fetched, or cannot be right for `target`.
pub(super) fn offer(
    name: &PackageName,
    requirement: &Requirement,
    specifiers: &Specifiers,
    target: &Target,
) -> Result<(Option<Version>, Offer), Reason> {
    let url = archive_url(requirement)?;
    let filename = url.filename();
    let distribution = read_name(&filename, name)?;
    if let Some(distribution) = &distribution {
        check(distribution, specifiers, target)?;
    }
    let version = distribution.map(|distribution| distribution.version().clone());
    let asked = requirement.hashes.iter().cloned().chain(fragment_digest(url.secret())).collect();
    let file = Offer {
        filename: filename.into(),
        index: Arc::new(without_fragment(&url)),
        url: without_fragment(&url),
        promises: Promises { asked, ..Promises::default() },
        requires_python: None,
        yanked: Yanked::default(),
    };
    Ok((version, file))
}

fn archive_url(requirement: &Requirement) -> Result<MaskedUrl, Reason> {
    match &requirement.source {
        Source::Url(url) => Ok(url.clone()),
        Source::Archive(path) => {
            Url::from_file_path(path).map(MaskedUrl::new).map_err(|()| Reason::Unfetchable("its path is not absolute"))
        }
        Source::Project(_) => Err(Reason::Unfetchable(
            "it is a project folder; build a wheel first (python -m pip wheel) and name that instead",
        )),
        Source::Repository(_) => Err(Reason::Unfetchable(
            "version control cannot be fetched; build a wheel first (python -m pip wheel) and name that instead",
        )),
        Source::Index(_) => Err(Reason::Unfetchable("it names no archive")),
    }
}

/// A wheel must be one of the project; an archive may have any name (`main.zip`).
fn read_name(filename: &str, project: &PackageName) -> Result<Option<DistributionFilename>, Reason> {
    match DistributionFilename::parse(filename, project) {
        Ok(distribution) => Ok(Some(distribution)),
        Err(error) if filename.ends_with(".whl") => Err(Reason::WrongFile(error.to_string())),
        Err(_) => Ok(None),
    }
}

fn check(distribution: &DistributionFilename, specifiers: &Specifiers, target: &Target) -> Result<(), Reason> {
    if !specifiers.contains(distribution.version()) {
        return Err(Reason::WrongFile(format!("its version is {}, and {specifiers} is asked", distribution.version())));
    }
    match distribution {
        DistributionFilename::Wheel(wheel) if target.tags().rank(wheel).is_none() => {
            Err(Reason::WrongFile(target.tags().mismatch(wheel).to_string()))
        }
        _ => Ok(()),
    }
}

/// The first digest in the fragment: `#sha256=…`, or `#egg=name&md5=…`.
fn fragment_digest(url: &Url) -> Option<Digest> {
    let parts = url.fragment()?.split('&').filter_map(|part| part.split_once('='));
    let mut digests = parts.filter_map(|(key, hex)| Some(Digest::new(key.parse::<Algorithm>().ok()?, hex)));
    digests.next()
}

fn without_fragment(url: &MaskedUrl) -> MaskedUrl {
    let mut url = url.secret().clone();
    url.set_fragment(None);
    MaskedUrl::new(url)
}
