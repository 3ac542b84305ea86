//! The listings of the last minute, from which files are looked up: an installer asks for a page, and then
//! for files that it lists.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::project_listing::ProjectListing;
use crate::domain::PackageName;

/// How long a listing is kept.
const AGE: Duration = Duration::from_secs(60);

/// The number of files in all listings that are kept.
const MOST_FILES: usize = 100_000;

/// Listings, the oldest first.
#[derive(Debug, Default)]
pub struct RecentListings {
    listings: VecDeque<(Instant, PackageName, Arc<ProjectListing>)>,
}

impl RecentListings {
    /// Returns the listing of a project, if there is a recent one.
    pub fn find(&self, name: &PackageName) -> Option<Arc<ProjectListing>> {
        let mut recent = self.listings.iter().filter(|(since, ..)| since.elapsed() < AGE);
        recent.find(|(_, other, _)| other == name).map(|(_, _, listing)| listing.clone())
    }

    /// Keeps a listing, which replaces the former one of the project, and forgets old ones.
    pub fn keep(&mut self, name: PackageName, listing: Arc<ProjectListing>) {
        self.listings.retain(|(since, other, _)| since.elapsed() < AGE && *other != name);
        self.listings.push_back((Instant::now(), name, listing));
        while self.listings.iter().map(|(_, _, listing)| listing.count).sum::<usize>() > MOST_FILES {
            self.listings.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Candidates;

    fn listing(name: &PackageName) -> Arc<ProjectListing> {
        Arc::new(ProjectListing::new(name, Candidates::default()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_listing_is_kept_for_a_while() {
        let [a, b]: [PackageName; 2] = ["a", "b"].map(|name| name.parse().unwrap());
        let mut recent = RecentListings::default();
        recent.keep(a.clone(), listing(&a));
        tokio::time::advance(AGE / 2).await;
        let newer = listing(&a);
        recent.keep(a.clone(), newer.clone());
        assert!(Arc::ptr_eq(&recent.find(&a).unwrap(), &newer) && recent.find(&b).is_none());
        tokio::time::advance(AGE * 3 / 4).await;
        assert!(recent.find(&a).is_some());
        tokio::time::advance(AGE).await;
        assert!(recent.find(&a).is_none());
        recent.keep(b.clone(), listing(&b));
        assert_eq!(recent.listings.len(), 1, "what is old goes");
    }
}
