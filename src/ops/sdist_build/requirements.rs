//! Build requirements as wheels of the store: planned and fetched like anything else, and built if
//! there is only a source archive.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::{BuildJob, SdistBuilder};
use crate::domain::{FetchedFile, FetchedPackage, Plan, Question, Sha256, Timestamp};
use crate::http::blocking;
use crate::interpreter::BuildError;
use crate::ops::build_tools::{build_origin, needs_wheel, tool_question};
use crate::ops::fetch::{FetchSettings, fetch};
use crate::ops::fetch_context::{BuildSource, FetchContext};
use crate::ops::fetch_error::FetchError;
use crate::ops::{Listener, MetadataProvider, PlanFailure, plan};

/// The number of concurrent requests for build requirements.
const REQUESTS_AT_ONCE: usize = 16;

/// The context of a build's requirements, with the archives whose builds wait for them.
#[derive(Clone, Copy)]
pub(super) struct ToolContext<'a> {
    pub context: &'a FetchContext,
    pub listener: &'a Listener,
    pub waiting: &'a [Sha256],
}

/// A wheel that is installed for a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BuildTool {
    pub filename: String,
    pub sha256: Sha256,
    /// `setuptools==80.9.0`.
    pub pin: String,
}

impl SdistBuilder {
    /// Returns the wheels that `lines`, which the build of `filename` needs, are resolved to on the
    /// interpreter that builds.
    ///
    /// # Errors
    /// When they cannot be had.
    pub(super) async fn build_tools(
        &self,
        lines: &[String],
        filename: &str,
        tools: ToolContext<'_>,
    ) -> Result<Vec<BuildTool>, FetchError> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let silent: Listener = Arc::new(|_| ());
        // The dependencies of a build requirement are not found out by a build, too.
        let context = FetchContext { builds: None, ..tools.context.clone() };
        let tools = ToolContext { context: &context, ..tools };
        let mut plan = self.plan(lines, filename, &context, &silent).await?;
        if plan.packages.iter().any(|package| needs_wheel(&package.name, &package.version)) {
            let lines = [lines, &["wheel".to_owned()]].concat();
            plan = self.plan(&lines, filename, &context, &silent).await?;
        }
        let settings = FetchSettings { metadata: false, now: Timestamp(0) };
        let fetched = fetch(plan, &context, settings, &silent).await.map_err(|failures| {
            let all: Vec<_> = failures.iter().map(ToString::to_string).collect();
            BuildError::Requirements(all.join("; "))
        })?;
        let mut wheels = Vec::new();
        for (package, file) in fetched.files() {
            wheels.push(self.tool(package, file, tools).await?);
        }
        Ok(wheels)
    }

    async fn plan(
        &self,
        lines: &[String],
        filename: &str,
        context: &FetchContext,
        silent: &Listener,
    ) -> Result<Plan, FetchError> {
        let base = Question { policy: self.policy.clone(), ..Question::default() };
        let question = tool_question(&base, lines, &build_origin(filename));
        let (targets, runtime) = ([self.target.clone()], Handle::current());
        let provider = MetadataProvider::new(&question, context, REQUESTS_AT_ONCE, silent);
        // The resolver stays on one thread, and builds do not.
        let planned = blocking(move || runtime.block_on(plan(&question, &targets, provider)).map_err(unplanned)).await;
        Ok(planned?)
    }

    /// Returns the wheel of a build requirement.
    async fn tool(
        &self,
        package: &FetchedPackage,
        file: &FetchedFile,
        tools: ToolContext<'_>,
    ) -> Result<BuildTool, FetchError> {
        let (filename, sha256) = (file.link.filename.to_string(), file.object.sha256);
        let pin = match &package.version {
            Some(version) => format!("{}=={version}", package.name),
            None => package.name.to_string(),
        };
        if filename.ends_with(".whl") {
            return Ok(BuildTool { filename, sha256, pin });
        }
        let source = BuildSource { archive: sha256, project: &package.name, filename: &filename };
        let ToolContext { context, listener, waiting } = tools;
        let wheel = self.wheel(BuildJob { source, context, listener, waiting: waiting.to_vec() }).await?;
        Ok(BuildTool { filename: wheel.filename.into(), sha256: wheel.sha256, pin })
    }
}

fn unplanned(failure: PlanFailure) -> BuildError {
    let failures = failure.failures.iter().map(ToString::to_string);
    let unreachable = failure.unreachable.iter().map(ToString::to_string);
    BuildError::Requirements(failures.chain(unreachable).collect::<Vec<_>>().join("; "))
}
