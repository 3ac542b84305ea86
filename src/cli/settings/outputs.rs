//! The outputs of a run: folders in their layouts, and the bundle.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::args::{FetchArgs, OutputArgs, STANDARD_OUTPUT, is_folder};
use super::layers::Layers;
use super::locations::refuse_url;
use super::{cache_folder, date, shared_store, table};
use crate::archive::ArchiveFormat;
use crate::cache_folder::CacheLayout;
use crate::cli::commands::keygen::KEY_PASSWORD;
use crate::cli::error::CliError;
use crate::cli::host::environment::Environment;
use crate::layout::{self, Layout, SBOMS, Sboms};
use crate::ops::{BucketOutput, BundleBucket, BundleOutput, DeltaBase, Output, OutputStream, SigningKey};

/// The folder that is written by default.
const DEFAULT_FOLDER: &str = "wheelhouse";

/// Returns the outputs, `bundle` last; with `pins`, folders get a requirements file that pins their content.
///
/// # Errors
/// When a layout is unknown, or the destination is no folder.
pub fn outputs(
    all: &FetchArgs,
    bundle: Option<BundleOutput>,
    pins: bool,
    layers: &Layers<'_>,
) -> Result<Vec<Output>, CliError> {
    let args = &all.outputs;
    let mut outputs = Vec::new();
    let layouts = layouts(&args.layouts);
    let asks_for_folder = args.dest.is_some() || !args.layouts.is_empty() || args.bundle.is_none() && !args.warm_pip;
    let ambient = || layers.one(&table::DEST).map_or_else(|| DEFAULT_FOLDER.into(), PathBuf::from);
    let dest = args.dest.clone().unwrap_or_else(ambient);
    if asks_for_folder {
        let at = |layout: &dyn Layout| if layouts.len() == 1 { dest.clone() } else { below(&dest, layout.name()) };
        let output = |layout: &'static dyn Layout| match shared_store::is_bucket(&dest) {
            true => bucket(layout, &at(layout), pins, all, layers).map(Output::Bucket),
            false => folder(layout, at(layout), pins, args),
        };
        outputs = layouts.iter().map(|layout| output(*layout)).collect::<Result<_, _>>()?;
    }
    let bundle = bundle.map(|bundle| into_bucket(bundle, all, layers)).transpose()?;
    outputs.extend(bundle.map(Output::Bundle));
    Ok(outputs)
}

/// Returns the bundle with its place in a bucket, if it is to go to one.
fn into_bucket(bundle: BundleOutput, args: &FetchArgs, layers: &Layers<'_>) -> Result<BundleOutput, CliError> {
    if !shared_store::is_bucket(&bundle.path) {
        return Ok(bundle);
    }
    if bundle.split.is_some() {
        return Err(CliError::usage("--split does not go with a bucket, which takes files of any size"));
    }
    let text = bundle.path.to_string_lossy();
    let (parent, name) = match bundle.format {
        Some(_) => text.rsplit_once('/').unwrap_or((&text, "")),
        None => (&*text, ""),
    };
    let folder = shared_store::open_folder(parent, args, layers)?;
    let path = if name.is_empty() { folder.location().to_string() } else { format!("{}/{name}", folder.location()) };
    let scratch = CacheLayout::new(cache_folder(args.network.cache_dir.as_deref(), layers.environment)?);
    let (name, scratch) = (name.to_owned(), scratch.incoming().to_owned());
    let bucket = BundleBucket { folder, name, scratch, published: Arc::default() };
    Ok(BundleOutput { path: path.into(), bucket: Some(bucket), ..bundle })
}

fn folder(layout: &'static dyn Layout, path: PathBuf, pins: bool, args: &OutputArgs) -> Result<Output, CliError> {
    refuse_url("--dest", &path)?;
    if args.prune {
        return Err(CliError::usage("--prune removes from a bucket; the files of a folder stay")
            .hint("remove the folder before the run"));
    }
    Ok(Output::Folder { layout, path, pins })
}

/// Returns the folder of a bucket that gets a layout.
fn bucket(
    layout: &'static dyn Layout,
    dest: &Path,
    pins: bool,
    args: &FetchArgs,
    layers: &Layers<'_>,
) -> Result<BucketOutput, CliError> {
    if !layout.is_served() {
        return Err(CliError::usage(format!("the layout {} is read from a disk, not from a bucket", layout.name())));
    }
    let folder = shared_store::open_folder(&dest.to_string_lossy(), args, layers)?;
    Ok(BucketOutput { layout, folder, pins, prune: args.outputs.prune, published: Arc::default() })
}

/// Returns the path or URL of a folder in another.
fn below(dest: &Path, name: &str) -> PathBuf {
    match shared_store::is_bucket(dest) {
        true => format!("{}/{name}", dest.to_string_lossy().trim_end_matches('/')).into(),
        false => dest.join(name),
    }
}

/// Returns the bundle to write, if any, and reads the base and the key that it needs.
///
/// # Errors
/// When options contradict each other, or the base or the key cannot be read.
pub fn bundle(args: &OutputArgs, environment: &Environment) -> Result<Option<BundleOutput>, CliError> {
    args.bundle.as_deref().map(|path| bundle_at(path, args, environment)).transpose()
}

fn bundle_at(path: &Path, args: &OutputArgs, environment: &Environment) -> Result<BundleOutput, CliError> {
    if !shared_store::is_bucket(path) {
        refuse_url("--bundle", path)?;
    }
    let named = args.bundle_format.as_deref().map(ArchiveFormat::by_name).transpose().map_err(CliError::usage)?;
    let is_stream = path == Path::new(STANDARD_OUTPUT);
    let format = match named {
        Some(format) => Some(format),
        None if is_folder(path) && args.split.is_some() => {
            return Err(CliError::usage("a folder has no volumes; --split wants an archive"));
        }
        None if is_folder(path) => None,
        None if is_stream => {
            return Err(CliError::usage("standard output has no name that tells the format")
                .hint("add --bundle-format tar, tar.gz or tar.zst"));
        }
        None => Some(ArchiveFormat::of(path).map_err(CliError::usage)?),
    };
    if is_stream && format.is_some_and(|format| !format.is_stream()) {
        return Err(CliError::usage("a zip cannot be written to a pipe; use --bundle-format tar, tar.gz or tar.zst"));
    }
    if is_stream && args.report.as_deref() == Some(path) {
        return Err(CliError::usage("the bundle and the report cannot both go to standard output"));
    }
    let stream = is_stream.then(|| Arc::new(Mutex::new(std::io::stdout())) as OutputStream);
    if is_stream && args.split.is_some() {
        return Err(CliError::usage("volumes need names; --split does not go with --bundle -"));
    }
    Ok(BundleOutput {
        stream,
        verify: !args.no_verify,
        force: args.force,
        allow_unprovable: args.allow_unprovable,
        key: args.sign.as_deref().map(|key| signing_key(key, environment)).transpose()?,
        since: args.since.as_deref().map(base).transpose()?,
        split: args.split,
        sboms: sboms(&args.sbom, environment)?,
        ..BundleOutput::new(format, path.to_owned())
    })
}

fn base(path: &Path) -> Result<Arc<DeltaBase>, CliError> {
    DeltaBase::read(path).map(Arc::new).map_err(|error| CliError::of_bundle(&error))
}

fn sboms(names: &[String], environment: &Environment) -> Result<Sboms, CliError> {
    if names.is_empty() {
        return Ok(Sboms::default());
    }
    let formats = SBOMS.iter().filter(|format| names.iter().any(|name| name == format.name));
    Ok(Sboms { formats: formats.collect(), created: date::source_date(environment)? })
}

fn signing_key(path: &Path, environment: &Environment) -> Result<SigningKey, CliError> {
    SigningKey::read(path, environment.variable(KEY_PASSWORD)).map_err(CliError::usage)
}

fn layouts(names: &[String]) -> Vec<&'static dyn Layout> {
    let mut layouts: Vec<&'static dyn Layout> = Vec::new();
    for layout in names.iter().filter_map(|name| layout::find(name)) {
        if !layouts.iter().any(|other| other.name() == layout.name()) {
            layouts.push(layout);
        }
    }
    if layouts.is_empty() {
        layouts.push(layout::LAYOUTS[0]);
    }
    layouts
}
