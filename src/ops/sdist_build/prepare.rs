//! Prepares builds: unpacks the archive, and installs what builds it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::check::base_name;
use super::process::{self, LEAST_FREE, Supervision};
use super::requirements::{BuildTool, ToolContext};
use super::tree::BuildTree;
use super::{BuildJob, SdistBuilder};
use crate::archive::TemporaryFolder;
use crate::cache_folder::{CacheLayout, LockFile};
use crate::http::blocking;
use crate::index::sdist_metadata::{self, BuildRequirements, SdistError, TopFiles};
use crate::interpreter::{BuildBackend, BuildError, BuildFolder, BuildProduct, BuildStep};
use crate::ops::Listener;
use crate::ops::fetch_context::FetchContext;
use crate::ops::fetch_error::FetchError;

/// A source archive or tree, beside an environment with all that builds it.
pub(super) struct PreparedBuild {
    pub folder: BuildFolder,
    pub backend: BuildBackend,
    pub tools: Vec<BuildTool>,
    supervision: Supervision,
    // Removed with the build.
    _place: Place,
}

/// The place of a build, which is removed with it.
enum Place {
    /// That of a lock: the same for the same build, since compilers record it in debug information.
    Locked(TempDir),
    Unlocked(TemporaryFolder),
}

impl Place {
    fn path(&self) -> &Path {
        match self {
            Self::Locked(folder) => folder.path(),
            Self::Unlocked(folder) => folder.path(),
        }
    }
}

/// Returns the build requirements that an archive states.
///
/// # Errors
/// When it cannot be read.
pub(super) fn needs(job: &BuildJob<'_>) -> Result<BuildRequirements, FetchError> {
    Ok(top_files(job)?.build_requirements())
}

fn top_files(job: &BuildJob<'_>) -> Result<TopFiles, FetchError> {
    let top = sdist_metadata::top_files(job.context.store.open(job.source.archive)?, job.source.filename);
    top.map_err(|why| refused(&why))
}

fn refused(why: &SdistError) -> FetchError {
    FetchError::Refused(why.to_string())
}

impl SdistBuilder {
    /// Unpacks an archive of the store, and installs what builds it.
    ///
    /// # Errors
    /// When the archive cannot be read or unpacked, or a build requirement cannot be had or installed.
    pub(super) async fn prepare_archive(
        &self,
        job: BuildJob<'_>,
        lock: Option<&LockFile>,
    ) -> Result<PreparedBuild, FetchError> {
        let top = top_files(&job)?;
        let settings = self.config_settings_of(&job);
        let BuildJob { source, context, listener, waiting } = job;
        let place = match lock {
            Some(lock) => Place::Locked(lock.folder().map_err(BuildError::from)?),
            None => unlocked(context.store.layout())?,
        };
        let mut build = self.begin(source.filename, &top, place, listener).await?;
        build.backend.config_settings = settings;
        let (store, place) = (context.store.clone(), build.folder.archive(source.filename));
        let archive = source.archive;
        blocking(move || copy(store.open(archive)?, &place)).await?;
        self.run(&build, &BuildStep::Unpack(source.filename)).await?;
        let waiting = [waiting, vec![source.archive]].concat();
        let tools = ToolContext { context, listener, waiting: &waiting };
        self.install_requirements(&mut build, BuildProduct::Wheel, top.build_requirements().requires, tools).await?;
        Ok(build)
    }

    /// Installs what builds `product` of the project in `tree`.
    ///
    /// # Errors
    /// When the project cannot be read, or a build requirement cannot be had or installed.
    pub(super) async fn prepare_tree(
        &self,
        tree: BuildTree<'_>,
        product: BuildProduct,
        context: &FetchContext,
        listener: &Listener,
    ) -> Result<PreparedBuild, FetchError> {
        let project = tree.project();
        let top = sdist_metadata::top_files_of_folder(&project).map_err(|why| refused(&why))?;
        let subject = project.display().to_string();
        let place = unlocked(context.store.layout())?;
        let mut build = self.begin(&subject, &top, place, listener).await?;
        tree.place(&mut build.folder)?;
        let tools = ToolContext { context, listener, waiting: &[] };
        self.install_requirements(&mut build, product, top.build_requirements().requires, tools).await?;
        Ok(build)
    }

    /// Makes the folder and the environment of a build.
    async fn begin(
        &self,
        subject: &str,
        top: &TopFiles,
        place: Place,
        listener: &Listener,
    ) -> Result<PreparedBuild, FetchError> {
        let folder = self.front_end.prepare(place.path())?;
        let supervision = Supervision {
            limit: self.limits.step,
            folder: folder.root().to_owned(),
            least_free: LEAST_FREE,
            filename: subject.into(),
            listener: listener.clone(),
        };
        process::run(self.front_end.make_environment(&folder), &supervision).await?;
        let (name, path) = top.build_backend();
        let backend = BuildBackend { name, path, config_settings: Default::default() };
        Ok(PreparedBuild { folder, backend, tools: Vec::new(), supervision, _place: place })
    }

    /// Installs `requires`, and then what else the backend asks for.
    async fn install_requirements(
        &self,
        build: &mut PreparedBuild,
        product: BuildProduct,
        requires: Vec<String>,
        tools: ToolContext<'_>,
    ) -> Result<(), FetchError> {
        self.install(build, &requires, tools).await?;
        self.run(build, &BuildStep::Requires(&build.backend, product)).await?;
        let more: Vec<String> = build.folder.read_answer()?;
        if more.is_empty() {
            return Ok(());
        }
        self.install(build, &[requires, more].concat(), tools).await
    }

    /// Installs into the environment of `build` what `lines` ask for, unless it is there already.
    async fn install(
        &self,
        build: &mut PreparedBuild,
        lines: &[String],
        tools: ToolContext<'_>,
    ) -> Result<(), FetchError> {
        let store = tools.context.store.clone();
        let tools = self.build_tools(lines, &build.supervision.filename, tools).await?;
        let new: Vec<_> = tools.iter().filter(|tool| !build.tools.contains(tool)).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let folder = build.folder.tools();
        let wheels = blocking(move || -> Result<Vec<PathBuf>, FetchError> {
            let place = |tool: &BuildTool| {
                let path = folder.join(base_name(&tool.filename));
                copy(store.open(tool.sha256)?, &path).map(|()| path)
            };
            new.iter().map(place).collect()
        })
        .await?;
        process::run(self.front_end.install(&build.folder, &wheels), &build.supervision).await?;
        build.tools = tools;
        Ok(())
    }

    /// Runs a step of a build.
    ///
    /// # Errors
    /// When the step cannot be run, fails, takes too long or fills the disk.
    pub(super) async fn run(&self, build: &PreparedBuild, step: &BuildStep<'_>) -> Result<(), BuildError> {
        process::run(self.front_end.step(&build.folder, step)?, &build.supervision).await
    }
}

fn unlocked(layout: &CacheLayout) -> Result<Place, BuildError> {
    Ok(Place::Unlocked(layout.in_incoming(TemporaryFolder::new_in)?))
}

fn copy(mut stored: File, path: &Path) -> Result<(), FetchError> {
    let copied = File::create(path).and_then(|mut file| io::copy(&mut stored, &mut file));
    copied.map(drop).map_err(|why| BuildError::from(why).into())
}
