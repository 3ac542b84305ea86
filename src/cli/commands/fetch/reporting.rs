//! What a run says at its end: the plan or the summary, and the report.

use super::FetchRun;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::install_hint::HintContext;
use crate::cli::output::report::Report;
use crate::cli::output::source_builds;
use crate::cli::output::{summary, terminal, version_differences};
use crate::domain::{Fetched, Plan};
use crate::layout;
use crate::ops::{self, Finding};

impl FetchRun<'_> {
    /// Prints the plan of a dry run, and writes the report.
    ///
    /// # Errors
    /// When either cannot be written.
    pub(super) fn report_plan(&self, plan: &Plan, unsolved: Option<CliError>) -> Result<Exit, CliError> {
        self.prepared.reporter.finish();
        let report =
            Report::of_plan(plan, self.environment.seconds()).with_arrivals(self.prepared.context.store.arrivals());
        let files = ops::files_to_fetch(plan, &self.prepared.context.store);
        summary::of_plan(&report, &files, &plan.targets, self.version_differences(&report), self.args)
            .map_err(|error| CliError::new(Exit::Disk, error))?;
        self.report(report, unsolved)
    }

    /// Prints the summary of a run, and writes the report.
    ///
    /// # Errors
    /// When the report cannot be written.
    pub(super) fn report_done(
        &self,
        fetched: &Fetched,
        unsolved: Option<CliError>,
        findings: &[Finding],
    ) -> Result<Exit, CliError> {
        self.prepared.reporter.finish();
        let report = Report::of_fetched(fetched, self.environment.seconds())
            .with_arrivals(self.prepared.context.store.arrivals());
        if self.args.outputs.bundle.is_some() {
            let builds = ops::target_builds(fetched, &self.prepared.context.store);
            source_builds::warning(&builds).iter().for_each(terminal::warn);
            self.not_served(fetched).iter().for_each(terminal::warn);
        }
        let differences = self.version_differences(&report);
        let context = HintContext {
            args: self.args,
            working_folder: &self.environment.working_folder,
            // A lock is complete by itself, whatever the metadata of its distributions says.
            no_deps: !self.prepared.question.follow_dependencies || self.prepared.lock.is_some(),
        };
        summary::of_run(&report, fetched, &self.outputs, differences, context, findings.is_empty());
        summary::of_warm_pip(self.prepared.warm.as_ref(), fetched, &self.args.messages);
        let found = (!findings.is_empty()).then(|| CliError::of_bundling(findings));
        self.report(report, unsolved.into_iter().chain(found).reduce(CliError::and))
    }

    /// Returns why the tool of the project cannot install it from the bundle, if it cannot.
    fn not_served(&self, fetched: &Fetched) -> Option<String> {
        Some(layout::project_of(self.project()?, fetched).err()?.to_string())
    }

    fn version_differences(&self, report: &Report) -> Option<String> {
        version_differences::of(report, self.prepared.could_share_versions())
    }

    fn report(&self, report: Report, unsolved: Option<CliError>) -> Result<Exit, CliError> {
        let problems = unsolved.iter().flat_map(|error| error.problems.clone());
        let report = report.with_unsolved(&self.targets, problems.collect());
        if let Some(path) = &self.args.outputs.report {
            report.write(path)?;
        }
        let Some(error) = unsolved else { return Ok(Exit::Done) };
        terminal::show_error(&error);
        Ok(error.exit)
    }
}
