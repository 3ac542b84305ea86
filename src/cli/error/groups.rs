//! Groups network failures by their cause, so that an index that is down is one problem and not one
//! for each project.

use super::Exit;
use super::ReportedProblem;
use super::remedy::words;
use crate::cli::plural::count;
use crate::domain::{HasRemedy, MaskedUrl, list_first};
use crate::http::HttpError;

/// The number of names that a message lists; the report has all of them.
const MAX_NAMES: usize = 20;

/// A project or file that could not be fetched, and why.
pub struct FailedItem<'a> {
    pub exit: Exit,
    /// The message to use if nothing else has the same cause.
    pub message: String,
    /// The name of the project or file.
    pub name: Option<String>,
    /// The index that was asked, if it was one.
    pub index: Option<&'a MaskedUrl>,
    /// The cause to group by; failures without one are grouped if their messages are equal.
    pub cause: Option<&'a HttpError>,
}

/// Returns a problem for each cause, in order of first occurrence; `noun` says what the names are.
pub fn group_by_cause<'a>(failed_item: impl IntoIterator<Item = FailedItem<'a>>, noun: &str) -> Vec<ReportedProblem> {
    let mut groups: Vec<FailureGroup<'a>> = Vec::new();
    for one in failed_item {
        let key = one.cause.map(|cause| (index_or_host(one.index, cause), told(cause)));
        let is_same = |group: &FailureGroup<'_>| match &key {
            Some(_) => group.key == key,
            None => group.key.is_none() && group.all[0].message == one.message,
        };
        match groups.iter_mut().find(|group| is_same(group)) {
            Some(group) => group.all.push(one),
            None => groups.push(FailureGroup { key, all: vec![one] }),
        }
    }
    groups.into_iter().map(|group| group.problem(noun)).collect()
}

struct FailureGroup<'a> {
    /// The place and what happened there; `None` if the failures have no cause to group by.
    key: Option<(String, String)>,
    all: Vec<FailedItem<'a>>,
}

impl FailureGroup<'_> {
    fn problem(mut self, noun: &str) -> ReportedProblem {
        self.all.sort_by(|one, other| one.name.cmp(&other.name));
        let mut names: Vec<_> = self.all.iter().filter_map(|one| one.name.clone()).collect();
        names.dedup();
        let first = self.all.swap_remove(0);
        let message = match self.key {
            Some((place, predicate)) if names.len() > 1 => {
                format!("{place}{predicate}\n  {} cannot be had: {}", count(names.len(), noun), listed(&names))
            }
            _ => first.message,
        };
        let affected = if names.len() > 1 { names } else { Vec::new() };
        ReportedProblem { affected, ..ReportedProblem::new(first.exit, message) }
    }
}

/// Returns what happened and the remedy, without the URL.
fn told(cause: &HttpError) -> String {
    match cause.remedy() {
        Some(remedy) => format!("{}; {}", cause.predicate(), words(remedy)),
        None => cause.predicate(),
    }
}

fn listed(names: &[String]) -> String {
    let way = if names.len() > MAX_NAMES { " (--report names all)" } else { "" };
    list_first(names, MAX_NAMES) + way
}

/// Returns the index, or the host if that is another one, followed by a space; empty if no request
/// was sent.
fn index_or_host(index: Option<&MaskedUrl>, cause: &HttpError) -> String {
    let Some(url) = cause.url() else { return String::new() };
    let origin = |url: &MaskedUrl| url.secret().origin();
    match index.filter(|index| origin(index) == origin(url)) {
        Some(index) => format!("{index} "),
        None => format!("{} ", origin(url).ascii_serialization()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::ConnectErrorKind;

    fn refused(url: &str, why: &str) -> HttpError {
        HttpError::Unreachable { url: url.parse().unwrap(), why: why.into(), kind: ConnectErrorKind::Transient }
    }

    #[test]
    fn one_cause_is_told_once_with_all_it_concerns() {
        let index: MaskedUrl = "https://me:hunter2@index.example/simple/".parse().unwrap();
        let mut errors: Vec<_> = (0..22)
            .rev()
            .map(|number| (format!("p{number:02}"), refused("https://me:hunter2@index.example/simple/x/", "refused")))
            .collect();
        errors.push(("other".into(), refused("https://files.example/x", "refused")));
        errors.push(("third".into(), refused("https://index.example/simple/third/", "silent")));
        let items = errors.iter().map(|(name, error)| FailedItem {
            exit: Exit::Unreachable,
            message: format!("{name}: {error}"),
            name: Some(name.clone()),
            index: Some(&index),
            cause: Some(error),
        });
        let problems = group_by_cause(items, "project");
        let told: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        https://****@index.example/simple/ could not be reached: refused
          22 projects cannot be had: p00, p01, p02, p03, p04, p05, p06, p07, p08, p09, p10, p11, p12, p13, p14, p15, p16, p17, p18, p19 and 2 more (--report names all)
        other: https://files.example/x could not be reached: refused
        third: https://index.example/simple/third/ could not be reached: silent
        ");
        assert_eq!((problems[0].affected.len(), problems[1].affected.len()), (22, 0));
    }
}
