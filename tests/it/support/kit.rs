//! `kit`, a source archive, and the backend that builds it, which does what a test says.

use super::index::Index;
use super::sdist::Sdist;
use super::wheel::Wheel;

/// A build backend (PEP 517) that makes a wheel of `kit` with its version of `helper` and its config
/// settings in it; `DURING` is done before.
const BACKEND: &str = r#"
import helper, os, socket, subprocess, sys, time, zipfile

def get_requires_for_build_wheel(settings=None):
    return ["late>=1"]

def build_wheel(folder, settings=None, metadata_folder=None):
    import late
    version, tag, needs, members = "3.0", "py3-none-any", "other", {}
    DURING
    name = "kit-" + version + "-" + tag + ".whl"
    info = "kit-" + version + ".dist-info/"
    members["kit.py"] = "built_with = " + repr(helper.__version__) + "\nsettings = " + repr(settings) + "\n"
    metadata = ["Metadata-Version: 2.1", "Name: kit", "Version: " + version, "Requires-Dist: " + needs, ""]
    members[info + "METADATA"] = "\n".join(metadata)
    members[info + "WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: " + tag + "\n"
    members[info + "RECORD"] = "".join(member + ",,\n" for member in members) + info + "RECORD,,\n"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        for member, content in members.items():
            date = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
            wheel.writestr(zipfile.ZipInfo(member, date), content)
    return name
"#;

/// The line about the build of its wheel.
pub const BUILDING_KIT: &str = "Building a wheel of kit-3.0.tar.gz …";

/// An index with `kit`, what it needs, and what builds it: `tiny-backend`, which does this `during`
/// a build, with `helper` and `late`.
pub fn index_with_kit(during: &str) -> Index {
    builders_of_kit(during).with(Sdist::new("kit", "3.0").requires("other").built_by("tiny_backend", "tiny-backend>=1"))
}

/// The same index without `kit` itself.
pub fn builders_of_kit(during: &str) -> Index {
    let backend = BACKEND.replace("DURING", during);
    let backend = Wheel::new("tiny-backend", "1.0").requires("helper>=2").source(&backend);
    let index = Index::new().with(backend).wheel("other", "1.0").wheel("late", "1.0");
    index.wheel("helper", "1.0").wheel("helper", "2.0")
}
