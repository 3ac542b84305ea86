//! The world as one search sees it: the facts, read through what is asked, what fits and what
//! is assumed; and what it would have to know besides.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::assumed::{Assumed, Met};
use super::case::{Case, Meanings};
use super::direct::Direct;
use super::lines::Asked;
use super::node::{Node, Set, number, positions};
use super::{Facts, Preferred, Reason, Wants};
use crate::domain::{
    Artifact, Dependency, DependencySource, ExtraName, MaskedUrl, Needs, Offer, PackageName, Specifiers, Unknown,
    Version,
};
use crate::select::{OptIn, Shelf};

/// The version of a project whose listing is not known yet, and of one that is a single file.
pub(super) const ONLY: usize = 0;

/// One search's view.
pub(super) struct View<'v, 'q> {
    pub case: &'v Case<'q>,
    pub facts: &'v Facts,
    pub meanings: &'v Meanings,
    pub preferred: &'v Preferred,
    pub assumed: &'v Assumed,
    pub wants: RefCell<Wants>,
    pub met: RefCell<Met>,
}

/// One thing that a version needs.
pub(super) struct Edge {
    pub name: PackageName,
    pub extras: Vec<ExtraName>,
    pub set: Set,
}

/// Where the versions of a project come from.
pub(super) enum Stock<'v, 'q> {
    /// One file, whatever an index says.
    Direct(&'v Direct),
    Listed(Rc<Shelf<'q>>),
    /// Not known yet.
    Unknown,
}

impl<'v, 'q> View<'v, 'q> {
    pub fn asked(&self, name: &PackageName) -> Option<&'v Asked<'q>> {
        self.case.lines.asked(name)
    }

    /// Where `name` comes from; what is not known is noted as wanted.
    pub fn stock(&self, name: &PackageName) -> Stock<'v, 'q> {
        if let Some(direct) = self.direct(name) {
            return Stock::Direct(direct);
        }
        if let Some(shelf) = self.case.shelf(name, self.facts) {
            return Stock::Listed(shelf);
        }
        if !self.facts.unavailable.contains(name) {
            let is_promised = !self.case.hashes(name).is_empty();
            self.wants.borrow_mut().listings.insert(name.clone(), is_promised);
        }
        Stock::Unknown
    }

    /// The one file that `name` comes from, by the user's lines or by metadata.
    fn direct(&self, name: &PackageName) -> Option<&'v Direct> {
        let named = self.asked(name).and_then(|asked| asked.file.as_ref());
        named.and_then(|file| file.as_ref().ok()).or_else(|| self.assumed.files.get(name))
    }

    /// The versions of `name` that `specifiers` and the constraints allow.
    pub fn allowed(&self, name: &PackageName, specifiers: &Specifiers) -> Set {
        let stock = self.stock(name);
        let own = self.meaning(name, specifiers, &stock);
        match self.asked(name) {
            Some(asked) if !asked.bounds.is_any() => own.intersection(&self.meaning(name, &asked.bounds, &stock)),
            _ => own,
        }
    }

    fn meaning(&self, name: &PackageName, specifiers: &Specifiers, stock: &Stock<'_, '_>) -> Set {
        match stock {
            Stock::Direct(Direct { version: Some(version), .. }) if !specifiers.contains(version) => Set::empty(),
            Stock::Direct(_) | Stock::Unknown => Set::full(),
            Stock::Listed(shelf) => self.meanings.of(name, specifiers, shelf.offers()),
        }
    }

    /// The version to try first among `set`.
    pub fn choose(&self, name: &PackageName, set: &Set) -> Option<usize> {
        let Stock::Listed(shelf) = self.stock(name) else { return set.contains(&number(ONLY)).then_some(ONLY) };
        let versions = shelf.offers().versions();
        let mut among = positions(set, versions.len());
        if self.assumed.strict.contains(name) {
            let eligible = self.eligible_by_lines(name, &shelf);
            among.retain(|position| eligible.contains(position));
        }
        let preferred = self.preferred.get(name).and_then(|version| versions.binary_search(version).ok());
        shelf.choose(&among, self.opt_in(name), preferred)
    }

    /// What the pre-release rule leaves by the user's lines alone.
    fn eligible_by_lines(&self, name: &PackageName, shelf: &Shelf<'_>) -> Vec<usize> {
        let any = Specifiers::any();
        let specifiers = self.asked(name).map_or(&any, |asked| &asked.specifiers);
        let among = positions(&self.allowed(name, specifiers), shelf.offers().versions().len());
        shelf.eligible(&among, self.opt_in(name)).into_owned()
    }

    /// The version at a position, where the file or its name tells.
    pub fn version(&self, name: &PackageName, position: usize) -> Option<Version> {
        match self.stock(name) {
            Stock::Direct(direct) => direct.version.clone(),
            Stock::Listed(shelf) => shelf.offers().versions().get(position).cloned(),
            Stock::Unknown => None,
        }
    }

    /// The file of a version that was chosen.
    pub fn file(&self, name: &PackageName, position: usize) -> Option<Arc<Offer>> {
        match self.stock(name) {
            Stock::Unknown => None,
            Stock::Direct(direct) => Some(direct.offer.clone()),
            Stock::Listed(shelf) => {
                let artifact = shelf.best_of(position, self.opt_in(name))?;
                Some(Arc::new(Offer::of(&artifact, self.case.hashes(name))))
            }
        }
    }

    /// What a version needs; `None` while that is not known.
    pub fn needs(&self, name: &PackageName, position: usize) -> Option<&'v Result<Arc<Needs>, Unknown>> {
        let known = match self.stock(name) {
            Stock::Unknown => return None,
            Stock::Direct(direct) => self.facts.needs.get(&direct.offer.url),
            Stock::Listed(shelf) => self.facts.needs.get(&self.artifact(name, &shelf, position)?.url),
        };
        if known.is_none() {
            let offer = self.file(name, position)?;
            self.wants.borrow_mut().metadata.insert(offer.url.clone(), (name.clone(), offer));
        }
        known
    }

    fn artifact(&self, name: &PackageName, shelf: &Shelf<'_>, position: usize) -> Option<Arc<Artifact>> {
        shelf.best_of(position, self.opt_in(name))
    }

    /// Whether no search before this one learned of a URL in metadata.
    pub fn assumes_no_file(&self) -> bool {
        self.assumed.files.is_empty() && self.assumed.refused.is_empty()
    }

    /// Whether the versions of a node are those of a listing that is known.
    pub fn is_listed(&self, node: &Node) -> bool {
        node.project().is_none_or(|name| matches!(self.stock(name), Stock::Listed(_)))
    }

    /// Whether a line of metadata holds with one of `extras` on.
    pub fn holds(&self, dependency: &Dependency, extras: &[ExtraName]) -> bool {
        dependency.marker.evaluate(self.case.target.markers(), extras)
    }

    /// A line of the metadata of the version at `position` of `own` as an edge.
    ///
    /// # Errors
    /// When the project must come from a file that cannot be taken.
    pub fn edge(&self, dependency: &Dependency, own: &PackageName, position: usize) -> Result<Edge, String> {
        let name = &dependency.name;
        if let Some(Err(reason)) = self.asked(name).and_then(|asked| asked.file.as_ref()) {
            return Err(format!("the file that is asked for as {name} cannot be used: {reason}"));
        }
        let set = match &dependency.source {
            DependencySource::Versions(specifiers) => self.allowed(name, specifiers),
            DependencySource::Url(url) => {
                let version = self.version(own, position).map(|version| format!(" {version}"));
                self.take_url(name, url, format!("{own}{}", version.unwrap_or_default()))?;
                Set::full()
            }
        };
        Ok(Edge { name: name.clone(), extras: dependency.extras.clone(), set })
    }

    /// Notes what lines opt in to, where that makes a difference among the versions of `set`.
    pub fn note_opt_in(&self, name: &PackageName, asks: OptIn, set: &Set) {
        let known = self.opt_in(name);
        if known.or(asks) == known || self.assumed.strict.contains(name) {
            return;
        }
        let Stock::Listed(shelf) = self.stock(name) else { return };
        let versions = shelf.offers().versions();
        let among = positions(set, versions.len());
        let is_hidden = |position: &usize| {
            asks.pre_releases && versions[*position].any_prerelease() || asks.yanked && shelf.is_withdrawn(*position)
        };
        if among.iter().any(is_hidden) {
            let mut met = self.met.borrow_mut();
            let known = met.opt_ins.entry(name.clone()).or_default();
            *known = known.or(asks);
        }
    }

    /// What the specifiers of `name` opt in to, as far as is known or assumed.
    pub fn opt_in(&self, name: &PackageName) -> OptIn {
        let own = self.asked(name).map(|asked| asked.opt_in).unwrap_or_default();
        if self.assumed.strict.contains(name) { own } else { own.or(self.assumed.opt_in(name)) }
    }

    /// A URL in metadata decides where the project comes from, unless another one did before.
    fn take_url(&self, name: &PackageName, text: &str, named_by: String) -> Result<(), String> {
        let found = self.file_at(name, text)?;
        if self.assumed.refused.contains(&found.offer.url) {
            return Err(format!("{name} cannot come from {}", found.offer.url));
        }
        match self.direct(name) {
            Some(known) if known.offer.url == found.offer.url => Ok(()),
            Some(known) => Err(format!("{name} comes from {} already", known.offer.url)),
            None => {
                let found = Direct { named_by: Some(named_by), ..found };
                self.met.borrow_mut().files.entry(name.clone()).or_insert(found);
                Ok(())
            }
        }
    }

    /// The file of `name` at a URL that metadata names.
    pub fn file_at(&self, name: &PackageName, text: &str) -> Result<Direct, String> {
        let url: MaskedUrl = text.parse().map_err(|error| format!("its URL `{text}` is none: {error}"))?;
        let found = Direct::of_url(name, &url, self.case.hashes(name), self.case.target);
        found.map_err(|reason: Reason| reason.to_string())
    }
}
