//! Builds source archives where that is allowed: for their metadata, or for wheels that are kept.
//!
//! An archive of the store is built in a [`BuildFolder`](crate::interpreter::BuildFolder) with an
//! environment of its own. What its build needs is planned and fetched like anything else
//! ([`requirements`]), and installed from the store; then the steps of the backend run, each by
//! [`process::run`], with no network. What they make is checked, and remembered: metadata in
//! [`MetadataCache`], wheels in [`BuiltWheels`].

mod built_wheels;
mod process;
mod requirements;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::Semaphore;

use super::fetch_context::FetchContext;
use super::fetch_error::FetchError;
use super::{Event, Listener};
use crate::archive::TemporaryFolder;
use crate::domain::{
    CoreMetadata, MetadataSource, MetadataUnavailable, Object, PackageName, Sha256, SourceFilename, Target, Version,
    WheelFilename,
};
use crate::http::blocking;
use crate::index::sdist_metadata::{self, BuildRequirements};
use crate::index::{MetadataCache, MetadataFile, MetadataResult, wheel_metadata};
use crate::interpreter::{BuildBackend, BuildError, BuildFolder, BuildFrontEnd, BuildStep};
use crate::select::Policy;
pub use built_wheels::{BuildKey, BuiltWheel, BuiltWheels};
use requirements::BuildTool;

/// Leave to run builds, with all that they take, and what they came to before.
#[derive(Clone)]
pub struct SdistBuilder {
    front_end: Arc<BuildFrontEnd>,
    /// The interpreter that builds.
    target: Arc<Target>,
    /// By which build requirements are chosen.
    policy: Policy,
    /// How long each step of a build may take.
    limit: Duration,
    /// Kept apart from what archives say of themselves: another Python may be told otherwise.
    known: MetadataCache,
    wheels: BuiltWheels,
    permits: Arc<Semaphore>,
}

/// Builds keep the processor busy and not the network.
const AT_ONCE: usize = 4;

/// An archive of the store that is to be built.
#[derive(Clone, Copy, Debug)]
pub(super) struct BuildSource<'a> {
    pub archive: Sha256,
    pub project: &'a PackageName,
    pub filename: &'a str,
}

/// An archive that is unpacked beside an environment with all that builds it.
struct PreparedBuild {
    folder: BuildFolder,
    backend: BuildBackend,
    tools: Vec<BuildTool>,
    // Removed with the build.
    _temporary: TemporaryFolder,
}

/// The archives whose builds wait for the one at hand, outermost first.
type Waiting = Vec<Sha256>;

type BoxedBuild<'a, T> = BoxFuture<'a, Result<T, FetchError>>;

impl SdistBuilder {
    pub fn new(
        front_end: BuildFrontEnd,
        target: Arc<Target>,
        known: MetadataCache,
        wheels: BuiltWheels,
        limit: Duration,
    ) -> Self {
        let (policy, permits) = (Policy::default(), Arc::new(Semaphore::new(AT_ONCE)));
        Self { front_end: Arc::new(front_end), target, policy, limit, known, wheels, permits }
    }

    /// The same, choosing build requirements by `policy`.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// The interpreter that builds.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What the build of an archive says, remembered or asked for.
    ///
    /// # Errors
    /// When the build fails.
    pub(super) fn metadata<'a>(
        &'a self,
        source: BuildSource<'a>,
        context: &'a FetchContext,
        listener: &'a Listener,
    ) -> BoxedBuild<'a, MetadataResult> {
        Box::pin(async move {
            if let Some(known) = self.known.read(source.archive) {
                return Ok(known);
            }
            let _turn = self.permits.acquire().await.expect("the semaphore is never closed");
            listener(Event::Building { filename: source.filename.into(), is_wheel: false });
            let build = self.prepare(source, context, Vec::new()).await?;
            self.run(&build.folder, &BuildStep::Metadata(&build.backend)).await?;
            let text: String = build.folder.read_answer()?;
            let metadata = MetadataFile::new(text.into_bytes()).metadata;
            let metadata = CoreMetadata { source: MetadataSource::Built, dynamic: Vec::new(), ..metadata };
            let known = check_identity(metadata, source.project, source.filename);
            self.known.write(source.archive, &known);
            Ok(known)
        })
    }

    /// Returns the metadata that the build of the project in the folder `tree` makes. The build runs in
    /// the folder itself, as pip's does, so that it can ask the history of a repository.
    ///
    /// # Errors
    /// When the build fails.
    pub(super) async fn tree_metadata(&self, tree: &Path, context: &FetchContext) -> Result<CoreMetadata, FetchError> {
        let top = sdist_metadata::top_files_of_folder(tree).map_err(|why| FetchError::Refused(why.to_string()))?;
        let (name, path) = top.build_backend();
        let _turn = self.permits.acquire().await.expect("the semaphore is never closed");
        let (layout, front_end, linked) = (context.store.layout().clone(), self.front_end.clone(), tree.to_owned());
        let (temporary, folder) = blocking(move || -> Result<_, FetchError> {
            let temporary = layout.in_incoming(TemporaryFolder::new_in).map_err(BuildError::from)?;
            let folder = front_end.prepare(temporary.path())?;
            folder.link_source(&linked)?;
            Ok((temporary, folder))
        })
        .await?;
        process::run(self.front_end.make_environment(&folder), self.limit).await?;
        let backend = BuildBackend { name, path };
        let mut build = PreparedBuild { folder, backend, tools: Vec::new(), _temporary: temporary };
        let shown = tree.display().to_string();
        self.install_requirements(&mut build, top.build_requirements().requires, &shown, (context, &Vec::new()))
            .await?;
        self.run(&build.folder, &BuildStep::Metadata(&build.backend)).await?;
        let text: String = build.folder.read_answer()?;
        Ok(MetadataFile::new(text.into_bytes()).metadata)
    }

    /// The wheel of an archive, built before or now.
    ///
    /// # Errors
    /// When the build fails, or makes something else than a wheel of this release.
    pub(super) fn wheel<'a>(
        &'a self,
        source: BuildSource<'a>,
        context: &'a FetchContext,
        waiting: Waiting,
        listener: &'a Listener,
    ) -> BoxedBuild<'a, BuiltWheel> {
        Box::pin(async move {
            if waiting.contains(&source.archive) {
                return Err(BuildError::Circle(source.project.to_string()).into());
            }
            let (needs, _) = read_needs(source, context)?;
            let (python, platform) = (self.target.python().to_string(), self.target.platform().to_string());
            let key = BuildKey {
                archive: source.archive,
                interpreter: [self.target.id(), &platform, &python],
                requires: &needs.requires,
                exclude_newer: self.policy.exclude_newer,
            };
            if let Some(known) = self.wheels.read(&key)
                && context.store.find(known.sha256).is_some()
            {
                return Ok(known);
            }
            // A build of a build requirement has the turn of the one that waits for it.
            let _turn = match waiting.is_empty() {
                true => Some(self.permits.acquire().await.expect("the semaphore is never closed")),
                false => None,
            };
            listener(Event::Building { filename: source.filename.into(), is_wheel: true });
            let wheel = self.build(source, context, waiting).await?;
            self.wheels.write(&key, &wheel);
            Ok(wheel)
        })
    }

    async fn build(
        &self,
        source: BuildSource<'_>,
        context: &FetchContext,
        waiting: Waiting,
    ) -> Result<BuiltWheel, FetchError> {
        let build = self.prepare(source, context, waiting).await?;
        self.run(&build.folder, &BuildStep::Wheel(&build.backend)).await?;
        let filename: String = build.folder.read_answer()?;
        let (store, path) = (context.store.clone(), build.folder.output().join(base_name(&filename)));
        let (project, archive) = (source.project.clone(), source.filename.to_owned());
        let object = blocking(move || -> Result<Object, FetchError> {
            check_wheel(&path, &project, &archive)?;
            Ok(store.take(File::open(&path).map_err(BuildError::from)?, &[])?.0)
        });
        let object = object.await?;
        let requires: BTreeSet<_> = build.tools.iter().map(|tool| tool.pin.clone()).collect();
        Ok(BuiltWheel {
            filename: base_name(&filename).to_string_lossy().into(),
            sha256: object.sha256,
            size: object.size,
            requires: requires.into_iter().collect(),
        })
    }

    /// Unpacks the archive, and installs what builds it.
    async fn prepare(
        &self,
        source: BuildSource<'_>,
        context: &FetchContext,
        waiting: Waiting,
    ) -> Result<PreparedBuild, FetchError> {
        let (needs, backend) = read_needs(source, context)?;
        let (layout, front_end) = (context.store.layout().clone(), self.front_end.clone());
        let (store, filename, archive) = (context.store.clone(), source.filename.to_owned(), source.archive);
        let (temporary, folder) = blocking(move || -> Result<_, FetchError> {
            let temporary = layout.in_incoming(TemporaryFolder::new_in).map_err(BuildError::from)?;
            let folder = front_end.prepare(temporary.path())?;
            copy(store.open(archive)?, &folder.archive(&filename))?;
            Ok((temporary, folder))
        })
        .await?;
        process::run(self.front_end.make_environment(&folder), self.limit).await?;
        self.run(&folder, &BuildStep::Unpack(source.filename)).await?;
        let waiting = [waiting, vec![source.archive]].concat();
        let mut build = PreparedBuild { folder, backend, tools: Vec::new(), _temporary: temporary };
        self.install_requirements(&mut build, needs.requires, source.filename, (context, &waiting)).await?;
        Ok(build)
    }

    /// Installs `requires`, and then what the backend needs beyond that.
    async fn install_requirements(
        &self,
        build: &mut PreparedBuild,
        requires: Vec<String>,
        filename: &str,
        (context, waiting): (&FetchContext, &Waiting),
    ) -> Result<(), FetchError> {
        self.install(build, &requires, filename, (context, waiting)).await?;
        self.run(&build.folder, &BuildStep::Requires(&build.backend)).await?;
        let more: Vec<String> = build.folder.read_answer()?;
        if more.is_empty() {
            return Ok(());
        }
        self.install(build, &[requires, more].concat(), filename, (context, waiting)).await
    }

    /// Installs into the environment of `build` what `lines` ask for, and is not there yet.
    async fn install(
        &self,
        build: &mut PreparedBuild,
        lines: &[String],
        filename: &str,
        (context, waiting): (&FetchContext, &Waiting),
    ) -> Result<(), FetchError> {
        let tools = self.build_tools(lines, filename, context, waiting.clone()).await?;
        let new: Vec<_> = tools.iter().filter(|tool| !build.tools.contains(tool)).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let (store, folder) = (context.store.clone(), build.folder.tools());
        let wheels = blocking(move || -> Result<Vec<PathBuf>, FetchError> {
            let place = |tool: &BuildTool| {
                let path = folder.join(base_name(&tool.filename));
                copy(store.open(tool.sha256)?, &path).map(|()| path)
            };
            new.iter().map(place).collect()
        })
        .await?;
        process::run(self.front_end.install(&build.folder, &wheels), self.limit).await?;
        build.tools = tools;
        Ok(())
    }

    async fn run(&self, folder: &BuildFolder, step: &BuildStep<'_>) -> Result<(), BuildError> {
        process::run(self.front_end.step(folder, step)?, self.limit).await
    }
}

/// What the archive says that builds it, and with what.
fn read_needs(
    source: BuildSource<'_>,
    context: &FetchContext,
) -> Result<(BuildRequirements, BuildBackend), FetchError> {
    let top = sdist_metadata::top_files(context.store.open(source.archive)?, source.filename);
    let top = top.map_err(|why| FetchError::Refused(why.to_string()))?;
    let (name, path) = top.build_backend();
    Ok((top.build_requirements(), BuildBackend { name, path }))
}

fn copy(mut stored: File, path: &Path) -> Result<(), FetchError> {
    let copied = File::create(path).and_then(|mut file| std::io::copy(&mut stored, &mut file));
    copied.map(drop).map_err(|why| BuildError::from(why).into())
}

/// The name alone, whatever folders somebody put before it.
fn base_name(filename: &str) -> &Path {
    Path::new(Path::new(filename).file_name().unwrap_or_default())
}

/// Refuses what is no wheel of the release that the archive's name says.
fn check_wheel(path: &Path, project: &PackageName, archive: &str) -> Result<(), FetchError> {
    let filename = path.file_name().unwrap_or_default().to_string_lossy();
    let answer = |why: String| BuildError::Answer(format!("`{filename}` is no wheel: {why}"));
    let wheel: WheelFilename = filename.parse().map_err(|why| answer(format!("{why}")))?;
    let stored = File::open(path).map_err(|why| answer(why.to_string()))?;
    let file = wheel_metadata::read(stored, &wheel);
    let file = file.map_err(|why| answer(why.to_string()))?;
    match check_identity(file.metadata, project, archive) {
        Err(MetadataUnavailable::Refused(why)) => Err(FetchError::Refused(why)),
        _ => Ok(()),
    }
}

/// Refuses metadata of another release than the archive's name says.
fn check_identity(metadata: CoreMetadata, project: &PackageName, filename: &str) -> MetadataResult {
    let is_project = metadata.name.parse().is_ok_and(|name: PackageName| name == *project);
    let is_version = SourceFilename::parse(filename, project)
        .map_or(true, |source| metadata.version.parse().is_ok_and(|version: Version| version == source.version));
    if is_project && is_version {
        return Ok(metadata);
    }
    let CoreMetadata { name, version, .. } = metadata;
    Err(MetadataUnavailable::Refused(format!(
        "its build says that it is `{name} {version}`, which its file name does not"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_of_another_release_is_refused() {
        let is_accepted = |name: &str, version: &str| {
            let metadata = CoreMetadata { name: name.into(), version: version.into(), ..CoreMetadata::default() };
            check_identity(metadata, &"demo-pkg".parse().unwrap(), "Demo_Pkg-1.0.tar.gz").is_ok()
        };
        assert!(is_accepted("demo.pkg", "1.0") && is_accepted("Demo-Pkg", "1.0.0"));
        assert!(!is_accepted("demo-pkg", "1.1") && !is_accepted("other", "1.0") && !is_accepted("demo-pkg", ""));
    }
}
