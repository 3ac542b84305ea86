//! Hints on what to do when a run cannot be planned.

use std::collections::BTreeSet;

use super::exit::http_error;
use super::well_known_projects;
use crate::cli::shell_word::shell_word;
use crate::http::HttpError;
use crate::index::IndexError;
use crate::ops::{PlanFailure, Unreachable};
use crate::resolve::Reason;

/// Returns the hints for a plan that failed.
pub(super) fn plan_hints(failure: &PlanFailure) -> Vec<String> {
    let unknown = failure.failures.iter().any(|failure| matches!(failure.reason, Reason::UnknownProject { .. }));
    let meant = failure.failures.iter().filter(|failure| matches!(failure.reason, Reason::UnknownProject { .. }));
    let meant = meant.filter_map(|failure| well_known_projects::nearest(failure.package.as_ref()?.as_ref()));
    let meant: BTreeSet<_> = meant.map(|name| format!("did you mean `{name}`?")).collect();
    let http: Vec<_> = failure.unreachable.iter().filter_map(http_error).collect();
    let hints = [
        (unknown, "check the spelling, or name another place to look with --extra-index-url or --find-links"),
        (http.iter().any(|error| is_offline(error)), OFFLINE_HINT),
        (
            failure.unreachable.iter().any(is_index_down),
            "--prefer-cached uses what was last seen of an index that is down",
        ),
    ];
    let others = hints.iter().filter(|(applies, _)| *applies).map(|(_, hint)| (*hint).to_owned());
    let of_index = wrong_root(failure).into_iter().chain(failure.unreachable.iter().find_map(ignorable));
    meant.into_iter().chain(others).chain(of_index).collect()
}

/// Returns a hint if an index knows none of several projects, as its URL may be wrong.
fn wrong_root(failure: &PlanFailure) -> Option<String> {
    let asked = failure.failures.iter().map(|failure| match &failure.reason {
        Reason::UnknownProject { asked } => Some(asked),
        _ => None,
    });
    let asked = asked.collect::<Option<Vec<_>>>()?;
    let [index] = asked.first()?.as_slice() else { return None };
    let is_wrong = asked.len() > 1 && asked.iter().all(|other| *other == asked[0]);
    is_wrong.then(|| {
        format!("none of {} projects was found: is {index} an index? Its URL may lack `/simple/`", asked.len())
    })
}

/// Returns a hint if an index's error status may mean that it does not have the project.
fn ignorable(error: &Unreachable) -> Option<String> {
    let Unreachable::Index(IndexError::Http { index, source, .. }) = error else { return None };
    let status = source.status_code().filter(|status| matches!(status, 204 | 401 | 403 | 405))?;
    Some(format!(
        "if {index} answers so for projects that it does not have, --ignore-error-codes {} goes on with the other \
         indexes",
        shell_word(&format!("{}={status}", index.public()))
    ))
}

pub(super) const OFFLINE_HINT: &str = "run once without --offline: what is fetched then is there for runs with it";

fn is_index_down(error: &Unreachable) -> bool {
    matches!(error, Unreachable::Index(_)) && http_error(error).is_some_and(HttpError::is_outage)
}

pub(super) fn is_offline(error: &HttpError) -> bool {
    matches!(error, HttpError::Offline { .. })
}
