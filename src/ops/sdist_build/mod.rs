//! Builds source archives where that is allowed: for their metadata, or for wheels that are kept.
//!
//! An archive of the store is built in a [`BuildFolder`](crate::interpreter::BuildFolder) with an
//! environment of its own ([`prepare`]). Its build requirements are planned and fetched like
//! anything else ([`requirements`]), and installed from the store. Then the steps of the backend
//! run, each as a [`process`] with no network. The outcome is checked ([`check`]) and cached:
//! metadata in [`MetadataCache`], wheels in [`BuiltWheelCache`]. Processes that want the same build
//! wait for each other ([`LockFile`]).

mod built_wheels;
mod check;
mod config_settings;
mod known_wheels;
mod prepare;
mod process;
mod requirements;
mod tree;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::sleep;

use super::fetch_context::{BuildSource, FetchContext, MetadataBuilder};
use super::fetch_error::FetchError;
use super::{BuildGoal, Event, Listener};
use crate::cache_folder::LockFile;
use crate::domain::{CoreMetadata, MetadataSource, Object, SelectionPolicy, Sha256, Target};
use crate::http::blocking;
use crate::index::{MetadataCache, MetadataFile, MetadataKey, MetadataResult, wheel_linkage};
use crate::interpreter::{BuildError, BuildFrontEnd, BuildProduct, BuildStep};
pub use built_wheels::{BuildKey, BuiltWheel, BuiltWheelCache};
use check::{base_name, check_identity, check_wheel};
pub use config_settings::{BackendSettings, ConfigSettings};
use known_wheels::{held_wheel, known_wheel};
pub(super) use tree::BuildTree;

/// Builds source archives with one interpreter, and keeps the outcomes.
#[derive(Clone)]
pub struct SdistBuilder {
    front_end: Arc<BuildFrontEnd>,
    /// The target of the interpreter.
    target: Arc<Target>,
    /// The policy by which build requirements are chosen.
    policy: SelectionPolicy,
    config_settings: Arc<ConfigSettings>,
    limits: BuildLimits,
    /// The cache of metadata from builds, apart from that in archives: builds with another Python
    /// may state other dependencies.
    known: MetadataCache,
}

/// The limits of all builds of a run.
#[derive(Clone)]
pub struct BuildLimits {
    /// How long each step may take.
    step: Duration,
    permits: Arc<Semaphore>,
}

/// The number of concurrent builds, which use the processor and not the network.
const AT_ONCE: usize = 4;

impl BuildLimits {
    pub fn new(step: Duration) -> Self {
        Self { step, permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Waits until another build may run; it is counted until the permit is dropped.
    async fn turn(&self) -> SemaphorePermit<'_> {
        self.permits.acquire().await.expect("the semaphore is never closed")
    }
}

/// A build, with the context in which its requirements are fetched, and who hears of it.
#[derive(Clone)]
pub(super) struct BuildJob<'a> {
    pub source: BuildSource<'a>,
    pub context: &'a FetchContext,
    pub listener: &'a Listener,
    /// The archives whose builds wait for this one, outermost first.
    pub waiting: Vec<Sha256>,
}

type BoxedBuild<'a, T> = BoxFuture<'a, Result<T, FetchError>>;

/// How often a build that another process runs is looked at.
const LOCK_CHECKS: Duration = Duration::from_millis(100);

impl MetadataBuilder for SdistBuilder {
    fn metadata<'a>(
        &'a self,
        source: BuildSource<'a>,
        context: &'a FetchContext,
        listener: &'a Listener,
    ) -> BoxedBuild<'a, MetadataResult> {
        Box::pin(self.metadata_of(BuildJob { source, context, listener, waiting: Vec::new() }))
    }
}

impl SdistBuilder {
    pub fn new(front_end: BuildFrontEnd, target: Arc<Target>, known: MetadataCache, limits: BuildLimits) -> Self {
        let (policy, config_settings) = (SelectionPolicy::default(), Arc::default());
        Self { front_end: Arc::new(front_end), target, policy, config_settings, limits, known }
    }

    /// Returns the builder with another policy for build requirements, and with config settings.
    #[must_use]
    pub fn configured(self, policy: SelectionPolicy, config_settings: Arc<ConfigSettings>) -> Self {
        Self { policy, config_settings, ..self }
    }

    /// Returns the target of the interpreter that builds.
    pub fn target(&self) -> &Target {
        &self.target
    }

    async fn metadata_of(&self, job: BuildJob<'_>) -> Result<MetadataResult, FetchError> {
        let source = job.source;
        // Config settings may change what a build states.
        let is_usual = self.config_settings.of(source.project).is_empty();
        let BuildSource { archive: sha256, project, filename } = source;
        let key = MetadataKey { sha256, project, filename, tools_of: Some(job.context.indexes.digest()) };
        let known = || self.known.read(key).filter(|_| is_usual);
        if let Some(known) = known() {
            return Ok(known);
        }
        let _turn = self.limits.turn().await;
        let lock = self.lock(&format!("metadata-{}-{}", source.archive, self.target.id()), &job).await?;
        if let Some(known) = known() {
            return Ok(known);
        }
        let metadata = self.build_metadata(job, &lock).await?;
        let known = check_identity(metadata, source.project, source.filename);
        if is_usual {
            self.known.write(key, &known);
        }
        Ok(known)
    }

    async fn build_metadata(&self, job: BuildJob<'_>, lock: &LockFile) -> Result<CoreMetadata, FetchError> {
        self.announce(job.source.filename, BuildGoal::Metadata, job.listener);
        let build = self.prepare_archive(job, Some(lock)).await?;
        self.run(&build, &BuildStep::Metadata(&build.backend)).await?;
        let text: String = build.folder.read_answer()?;
        let metadata = MetadataFile::new(text.into_bytes()).metadata;
        Ok(CoreMetadata { source: MetadataSource::Built, dynamic: Vec::new(), ..metadata })
    }

    /// Returns the metadata that the build of the project in `tree` states.
    ///
    /// # Errors
    /// When the build fails.
    pub(super) async fn tree_metadata(
        &self,
        tree: BuildTree<'_>,
        context: &FetchContext,
        listener: &Listener,
    ) -> Result<CoreMetadata, FetchError> {
        let _turn = self.limits.turn().await;
        self.announce(&tree.project().display().to_string(), BuildGoal::Metadata, listener);
        let build = self.prepare_tree(tree, BuildProduct::Wheel, context, listener).await?;
        self.run(&build, &BuildStep::Metadata(&build.backend)).await?;
        let text: String = build.folder.read_answer()?;
        Ok(MetadataFile::new(text.into_bytes()).metadata)
    }

    /// Builds the source distribution of the project in the folder `tree`, and writes it to `output`;
    /// returns its file name.
    ///
    /// The build runs in the folder itself, as [`SdistBuilder::tree_metadata`] does.
    ///
    /// # Errors
    /// When the build fails, or makes nothing.
    pub(super) async fn tree_sdist(
        &self,
        tree: &Path,
        output: File,
        context: &FetchContext,
        listener: &Listener,
    ) -> Result<String, FetchError> {
        let _turn = self.limits.turn().await;
        self.announce(&tree.display().to_string(), BuildGoal::Sdist, listener);
        let build = self.prepare_tree(BuildTree::Own(tree), BuildProduct::Sdist, context, listener).await?;
        self.run(&build, &BuildStep::Sdist(&build.backend)).await?;
        let made: String = build.folder.read_answer()?;
        let made = base_name(&made).to_owned();
        let (folder, name) = (build.folder.clone(), made.clone());
        blocking(move || folder.open_output(&name).and_then(|mut sdist| io::copy(&mut sdist, &mut &output)))
            .await
            .map_err(BuildError::from)?;
        Ok(made.to_string_lossy().into_owned())
    }

    /// Returns the wheel of an archive, from the cache if possible.
    ///
    /// # Errors
    /// When the build fails, or makes something else than a wheel of this release.
    pub(super) fn wheel<'a>(&'a self, job: BuildJob<'a>) -> BoxedBuild<'a, BuiltWheel> {
        Box::pin(async move {
            let source = job.source;
            if job.waiting.contains(&source.archive) {
                return Err(BuildError::Circle(source.project.to_string()).into());
            }
            let key = self.key(&job)?;
            if let Some(known) = known_wheel(key, &job).await? {
                return Ok(known);
            }
            // The build of a build requirement has the turn of the one that waits for it, and waits
            // for nobody: two builds that need each other's archive would wait for ever.
            let is_outermost = job.waiting.is_empty();
            let _turn = match is_outermost {
                true => Some(self.limits.turn().await),
                false => None,
            };
            let lock = match is_outermost {
                true => Some(self.lock(&format!("wheel-{key}"), &job).await?),
                false => None,
            };
            let context = job.context;
            if let Some(known) = held_wheel(key, context) {
                return Ok(known);
            }
            let wheel = self.build_wheel(job, lock.as_ref()).await?;
            if let Some(shared) = &context.shared {
                let object = Object { sha256: wheel.sha256, size: wheel.size };
                shared.upload(context.store.path(wheel.sha256), object);
            }
            BuiltWheelCache::new(&context.entries).write(key, &wheel);
            Ok(wheel)
        })
    }

    fn key(&self, job: &BuildJob<'_>) -> Result<Sha256, FetchError> {
        let needs = prepare::needs(job)?;
        let (python, platform) = (self.target.python().to_string(), self.target.platform().to_string());
        let key = BuildKey {
            archive: job.source.archive,
            project: job.source.project,
            filename: job.source.filename,
            interpreter: [self.target.id(), &platform, &python],
            requires: &needs.requires,
            tools_of: job.context.indexes.digest(),
            config_settings: &self.config_settings_of(job),
            exclude_newer: self.policy.exclude_newer,
        };
        Ok(key.digest())
    }

    /// Returns the config settings of a build; those of a run are not meant for what builds its
    /// archives.
    fn config_settings_of(&self, job: &BuildJob<'_>) -> BackendSettings {
        match job.waiting.is_empty() {
            true => self.config_settings.of(job.source.project),
            false => BackendSettings::new(),
        }
    }

    async fn build_wheel(&self, job: BuildJob<'_>, lock: Option<&LockFile>) -> Result<BuiltWheel, FetchError> {
        let BuildSource { project, filename, .. } = job.source;
        self.announce(filename, BuildGoal::Wheel, job.listener);
        let store = job.context.store.clone();
        let build = self.prepare_archive(job, lock).await?;
        self.run(&build, &BuildStep::Wheel(&build.backend)).await?;
        let made: String = build.folder.read_answer()?;
        let made = base_name(&made).to_owned();
        let (folder, name) = (build.folder.clone(), made.clone());
        let (project, archive) = (project.clone(), filename.to_owned());
        let taken = blocking(move || -> Result<_, FetchError> {
            let filename = name.to_string_lossy();
            let open = || {
                let missing = |why| BuildError::Answer(format!("`{filename}` is no wheel: {why}"));
                folder.open_output(&name).map_err(missing)
            };
            check_wheel(open()?, &filename, &project, &archive)?;
            let linkage = wheel_linkage::read(open()?)?;
            let (object, _): (Object, _) = store.take(open()?, &[])?;
            Ok((object, linkage))
        });
        let (object, linkage) = taken.await?;
        let requires: BTreeSet<_> = build.tools.iter().map(|tool| tool.pin.clone()).collect();
        Ok(BuiltWheel {
            filename: made.to_string_lossy().into(),
            sha256: object.sha256,
            size: object.size,
            requires: requires.into_iter().collect(),
            linkage,
        })
    }

    fn announce(&self, subject: &str, goal: BuildGoal, listener: &Listener) {
        let isolation = self.front_end.isolation();
        listener(Event::Building { subject: subject.into(), goal, isolation });
    }

    /// Takes the lock of this name, once no other process builds the same.
    async fn lock(&self, name: &str, job: &BuildJob<'_>) -> Result<LockFile, BuildError> {
        let layout = job.context.store.layout();
        let mut is_told = false;
        loop {
            if let Some(lock) = LockFile::try_acquire(layout, name)? {
                return Ok(lock);
            }
            if !std::mem::replace(&mut is_told, true) {
                (job.listener)(Event::AwaitingBuild(job.source.filename.into()));
            }
            sleep(LOCK_CHECKS).await;
        }
    }
}
