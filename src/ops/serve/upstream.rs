//! A pull-through index: answers with what other indexes have, fetched once and kept.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::arriving_body::ArrivingFile;
use super::downloads::Downloads;
use super::index_path::IndexPath;
use super::listings::{ListingError, ListingLog, Listings};
use super::project_listing::ProjectListing;
use super::respond::{HttpBody, HttpRequest, HttpResponse, index_page, not_found, redirect, stored_file, text};
use super::sidecar;
use super::use_records::UseRecords;
use super::wanted_file::WantedFile;
use crate::archive::Extent;
use crate::domain::{Object, PackageName, Timestamp};
use crate::layout::IndexPages;
use crate::ops::FetchContext;
use crate::ops::arrival::{Arrival, ArrivalStage};

/// What a person finds at `/`.
const ABOUT: &str = "This is a package index that fetches what it is asked for: point pip or uv at /simple/.\n";

/// How a pull-through index answers.
pub struct UpstreamSettings {
    /// The projects that may be asked for; `None` is all.
    pub allowed: Option<BTreeSet<PackageName>>,
    pub clock: fn() -> Timestamp,
    pub log: ListingLog,
    /// The folder that the server was started in, for the records of what was passed on.
    pub folder: PathBuf,
}

/// The indexes behind a pull-through index, and what was fetched from them.
pub struct Upstream {
    context: FetchContext,
    allowed: Option<BTreeSet<PackageName>>,
    listings: Arc<Listings>,
    downloads: Arc<Downloads>,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upstream")
    }
}

impl Upstream {
    pub fn new(context: FetchContext, settings: UpstreamSettings) -> Self {
        let UpstreamSettings { allowed, clock, log, folder } = settings;
        let uses = UseRecords::new(folder, clock, context.store.clone(), context.shared.clone());
        let downloads = Arc::new(Downloads::new(context.clone(), uses));
        let listings = Arc::new(Listings::new(context.clone(), clock, log));
        Self { context, allowed, listings, downloads }
    }

    /// Returns the response to a request that only reads.
    pub async fn respond(&self, request: &HttpRequest<'_>) -> HttpResponse {
        let path = match request.path {
            "/" => return text(200, ABOUT),
            "/simple" => return redirect("/simple/"),
            path => path.strip_prefix("/simple/").and_then(IndexPath::parse),
        };
        let answer = match path {
            Some(IndexPath::Root) => Ok(self.root(request)),
            Some(IndexPath::Project(name)) => self.project(&name, request).await,
            Some(IndexPath::Misspelt(name)) => Ok(redirect(&format!("/simple/{name}/"))),
            Some(IndexPath::File { project, filename }) => self.file(&project, &filename, request).await,
            None => Ok(not_found()),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    /// Returns the list of the projects that are allowed; which others the indexes have is not asked.
    fn root(&self, request: &HttpRequest<'_>) -> HttpResponse {
        let names = || self.allowed.iter().flatten();
        index_page(&IndexPages::of_projects(names).into(), request)
    }

    async fn project(&self, name: &PackageName, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpResponse> {
        self.refuse_unlisted(name)?;
        let listing = known(name, self.listings.of(name).await)?;
        Ok(index_page(&listing.pages, request))
    }

    async fn file(
        &self,
        project: &str,
        filename: &str,
        request: &HttpRequest<'_>,
    ) -> Result<HttpResponse, HttpResponse> {
        let name: PackageName = project.parse().map_err(|_| not_found())?;
        self.refuse_unlisted(&name)?;
        let owner = filename.strip_suffix(".metadata").unwrap_or(filename);
        let listing = known(&name, self.listings.with_file(&name, owner).await)?;
        if let Some(file) = listing.find(filename) {
            return self.deliver(WantedFile::distribution(file), request).await;
        }
        let wheel = listing.find(owner).ok_or_else(not_found)?;
        sidecar::store_metadata_of(wheel, &self.context.store).await;
        self.deliver(WantedFile::metadata(wheel).ok_or_else(not_found)?, request).await
    }

    /// Returns a file from the store, or as it arrives.
    async fn deliver(&self, file: WantedFile, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpResponse> {
        let content_type = file.content_type;
        if let Some(object) = self.downloads.find(&file).await {
            return Ok(self.stored(object, content_type, request));
        }
        let mut arrival = self.downloads.join(file);
        let wants_all = request.method == "HEAD" || request.range.is_some();
        // The sender lives as long as the download.
        let _ = arrival.wait_for(|arrival| is_ready(arrival, wants_all)).await;
        let stage = arrival.borrow().stage.clone();
        match (stage, ArrivingFile::of(&arrival)) {
            (ArrivalStage::Stored(object), _) => Ok(self.stored(object, content_type, request)),
            (ArrivalStage::Failed(why), _) => Err(text(502, why.to_string())),
            (_, Some(file)) => Ok(HttpResponse::new(content_type, HttpBody::Arriving(file))),
            (_, None) => Err(text(502, "the download was given up")),
        }
    }

    fn stored(&self, object: Object, content_type: &str, request: &HttpRequest<'_>) -> HttpResponse {
        let extent = Extent { file: self.context.store.path(object.sha256), start: 0, size: object.size };
        stored_file(object.sha256, HttpBody::Extent(extent), content_type, request)
    }

    /// Refuses a project that is not to be served.
    fn refuse_unlisted(&self, name: &PackageName) -> Result<(), HttpResponse> {
        match &self.allowed {
            Some(allowed) if !allowed.contains(name) => {
                Err(text(404, format!("{name} is not among the projects that this index serves")))
            }
            _ => Ok(()),
        }
    }
}

/// Returns what the indexes have of a project, or the response that says why nothing is known.
fn known(
    name: &PackageName,
    answer: Result<Arc<ProjectListing>, ListingError>,
) -> Result<Arc<ProjectListing>, HttpResponse> {
    match answer {
        Ok(listing) if listing.is_unknown() => Err(text(404, format!("no index has {name}"))),
        Ok(listing) => Ok(listing),
        Err(why) => Err(text(502, format!("{name}: {why}"))),
    }
}

/// Whether a download can be answered with; for `wants_all` only once it is at its end, and so without a
/// size, since a client of HTTP/1.0 could not tell then whether it has the whole file.
fn is_ready(arrival: &Arrival, wants_all: bool) -> bool {
    match arrival.stage {
        ArrivalStage::Awaited => false,
        ArrivalStage::Partial { .. } => !wants_all && arrival.size.is_some(),
        ArrivalStage::Stored(_) | ArrivalStage::Failed(_) => true,
    }
}
