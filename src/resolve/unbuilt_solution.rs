//! Solutions with source archives whose dependencies only a build can tell.
//!
//! Such a version ends the run if the solution prefers it, since its dependencies could change
//! everything. If it is there only because the search went back to it, a solution without it is
//! used, provided that it is as good.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Failure, Reason};
use crate::domain::{PackageName, Solution, Version};

/// The solution under the assumption that versions which need a build have no dependencies.
pub(super) struct UnbuiltSolution {
    /// A failure for each version that needs a build; never empty.
    pub failures: Vec<Failure>,
    pub with_builds: Solution,
    /// Whether the version is what the user asked for, so that no other solution is searched.
    pub is_first_choice: bool,
}

impl UnbuiltSolution {
    /// Returns the solution without any build, if it is not worse.
    ///
    /// # Errors
    /// When it is older in something and newer in nothing; the failures.
    pub fn or(self, mut without_builds: Solution) -> Result<Solution, Vec<Failure>> {
        let with_builds = versions(&self.with_builds);
        let orders = without_builds.packages.iter().filter_map(|package| {
            let other = with_builds.get(&package.name)?;
            Some(package.version.as_ref()?.cmp(other))
        });
        let orders: Vec<_> = orders.collect();
        if orders.contains(&Ordering::Less) && !orders.contains(&Ordering::Greater) {
            return Err(self.failures);
        }
        without_builds.notes.extend(self.failures.iter().filter_map(|failure| passed_over(&failure.reason)));
        Ok(without_builds)
    }
}

fn passed_over(reason: &Reason) -> Option<String> {
    let Reason::NeedsBuild { file } = reason else { return None };
    Some(format!("passed over {file}: what it needs is only known by running its build"))
}

fn versions(solution: &Solution) -> BTreeMap<&PackageName, &Version> {
    solution.packages.iter().filter_map(|package| Some((&package.name, package.version.as_ref()?))).collect()
}
