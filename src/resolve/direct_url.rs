//! Direct references (PEP 440, PEP 508): requirements that name their archive by URL or path.

use std::sync::Arc;

use url::Url;

use super::Reason;
use crate::domain::{
    Algorithm, Digest, DistributionFilename, ExpectedContent, FileLink, MaskedUrl, PackageName, Requirement, Source,
    Target, Version, without_login,
};

/// The file of a project that a direct reference names.
#[derive(Clone, Debug)]
pub(super) struct DirectUrl {
    /// The version; `None` if the file name does not state it (`main.zip`).
    pub version: Option<Version>,
    pub link: Arc<FileLink>,
    /// The version whose metadata names the file, if no line does.
    pub named_by: Option<String>,
}

impl DirectUrl {
    /// Returns the file that a line names, which must have one of the digests `asked`.
    ///
    /// # Errors
    /// When it cannot be fetched, or does not fit `target`.
    pub fn of_requirement(
        name: &PackageName,
        requirement: &Requirement,
        asked: &[Digest],
        target: &Target,
    ) -> Result<Self, Reason> {
        let mut reference = Self::of_url(name, &archive_url(requirement)?, asked, target)?;
        Arc::make_mut(&mut reference.link).vcs_info.clone_from(&requirement.vcs_info);
        Ok(reference)
    }

    /// Returns the file at `url`, which must have one of the digests `asked`.
    ///
    /// # Errors
    /// When it is no file of the project, or does not fit `target`.
    pub fn of_url(name: &PackageName, url: &MaskedUrl, asked: &[Digest], target: &Target) -> Result<Self, Reason> {
        let filename = url.filename();
        let distribution = read_name(&filename, name)?;
        if let Some(DistributionFilename::Wheel(wheel)) = &distribution
            && target.tags().rank(wheel).is_none()
        {
            return Err(Reason::WrongFile(format!("{filename} {}", target.tags().mismatch(wheel))));
        }
        let address = without_fragment(url);
        let asked = asked.iter().cloned().chain(url.digest()).collect();
        let expected = ExpectedContent { by_user: asked, ..ExpectedContent::default() };
        let link = FileLink { expected, ..FileLink::at(address) };
        let version = distribution.map(|distribution| distribution.version().clone());
        Ok(Self { version, link: Arc::new(link), named_by: None })
    }
}

fn archive_url(requirement: &Requirement) -> Result<MaskedUrl, Reason> {
    match &requirement.source {
        Source::Url(url) => Ok(url.clone()),
        Source::Archive(path) => {
            let url = Url::from_file_path(path).map(MaskedUrl::new);
            url.map_err(|()| Reason::Unfetchable("its path is not absolute"))
        }
        Source::Project(_) | Source::Repository(_) => Err(Reason::Unfetchable(
            "it has to be built first (python -m pip wheel); then name the wheel's path instead",
        )),
        Source::Index(_) => Err(Reason::Unfetchable("it names no archive")),
    }
}

/// Whether two lines name the same file, by pip's rule (`docs/facts/pip.md` 2.4).
pub(super) fn is_same_file(one: &Source, other: &Source) -> bool {
    match (one, other) {
        (Source::Url(one), Source::Url(other)) => identity(one) == identity(other),
        _ => one == other,
    }
}

/// Returns the parts of a URL that identify a file: without credentials, the order of the query,
/// and a name in the fragment.
fn identity(url: &MaskedUrl) -> (String, Vec<(String, String)>, Vec<String>) {
    let url = url.secret();
    let mut query: Vec<_> = url.query_pairs().into_owned().collect();
    query.sort_unstable();
    let fragment = url.fragment().unwrap_or_default().split('&');
    let mut fragment: Vec<_> = fragment.filter(|part| matters(part)).map(ToOwned::to_owned).collect();
    fragment.sort_unstable();
    let mut bare = without_login(url);
    bare.set_query(None);
    bare.set_fragment(None);
    (bare.into(), query, fragment)
}

/// Whether a part of a fragment matters: the folder within the archive and the digests do.
fn matters(part: &str) -> bool {
    part.split_once('=').is_some_and(|(key, _)| key == "subdirectory" || key.parse::<Algorithm>().is_ok())
}

/// Parses a file name: a wheel must be one of the project; an archive may have any name
/// (`main.zip`).
fn read_name(filename: &str, project: &PackageName) -> Result<Option<DistributionFilename>, Reason> {
    match DistributionFilename::parse(filename, project) {
        Ok(distribution) => Ok(Some(distribution)),
        Err(error) if filename.ends_with(".whl") => Err(Reason::WrongFile(format!("{filename}: {error}"))),
        Err(_) => Ok(None),
    }
}

fn without_fragment(url: &MaskedUrl) -> MaskedUrl {
    let mut url = url.secret().clone();
    url.set_fragment(None);
    MaskedUrl::new(url)
}
