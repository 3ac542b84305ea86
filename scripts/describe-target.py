"""Prints what this Python is, as JSON, so that prefetch can fetch for it on another machine:

    python3 describe-target.py > server.json      there
    prefetch --target server.json ...             here

Runs on Python 2.7 and 3.3 and later, and needs nothing else. Tags are those that the pip of this
Python takes, markers are told as the `packaging` library finds them. pip is asked through its own
modules, which changed places over its releases, so each question has several ways to ask it.

prefetch itself asks the interpreters that it finds with this script, by `machine` or `pip` as an
argument; the second costs five times as much as the first, since pip has to be imported.
The first tells the index, too, where pip's source does.
"""

import sys

# "-c" puts the current folder first, where a stray json.py would answer for the real one.
sys.path[:] = [path for path in sys.path if path]

import json
import os
import platform
import re
import struct
import sysconfig

# subprocess and glob cost a third of the time that this takes, and are imported where they are needed.


def attempt(*ways):
    """The first answer that is not empty; a way that fails has none."""
    for way in ways:
        try:
            answer = way()
        except Exception:
            continue
        if answer:
            return answer
    return None


def normalized(text):
    return re.sub(r"[-. ]", "_", text.lower())


# -- what extension modules it loads --------------------------------------------------------------


def cpython_abis():
    version = "%d%d" % sys.version_info[:2]
    debug = sysconfig.get_config_var("Py_DEBUG")
    if debug is None:
        debug = hasattr(sys, "gettotalrefcount")
    flags = "d" if debug else ""
    if sys.version_info >= (3, 13) and sysconfig.get_config_var("Py_GIL_DISABLED"):
        flags = "t" + flags
    if sys.version_info >= (3, 8):
        abis = ["cp" + version + flags]
        return abis + ["cp" + version + flags[:-1]] if debug else abis
    if sysconfig.get_config_var("WITH_PYMALLOC") in (None, 1):
        flags += "m"
    if sys.version_info < (3, 3) and sys.maxunicode == 0x10FFFF:
        flags += "u"
    return ["cp" + version + flags]


def other_abis():
    """From a suffix such as `.pypy310-pp73-x86_64-linux-gnu.so`."""
    parts = (sysconfig.get_config_var("EXT_SUFFIX") or "").split(".")
    if len(parts) < 3:
        return []
    words = parts[1].split("-")
    if words[0] == "cpython":
        return ["cp" + words[1]]
    kept = {"pypy": 2, "graalpy": 3}.get(words[0].rstrip("0123456789"), 1 if words[0].startswith("cp") else len(words))
    return [normalized("-".join(words[:kept]))]


# -- where it runs --------------------------------------------------------------------------------


class Elf(object):
    """The header of an executable: enough to know its loader and its floating point."""

    def __init__(self, path):
        with open(path, "rb") as file:
            magic = file.read(16)
            bits, order = struct.unpack("4x2B10x", magic)
            if magic[:4] != b"\x7fELF":
                raise ValueError(path)
            order = "<" if order == 1 else ">"
            header = order + ("HHIIIIIHHH" if bits == 1 else "HHIQQQIHHH")
            fields = struct.unpack(header, file.read(struct.calcsize(header)))
            _, self.machine, _, _, table, _, self.flags, _, size, count = fields
            self.loader = self._loader(file, order, bits, table, size, count)

    @staticmethod
    def _loader(file, order, bits, table, size, count):
        entry, offset, length = ("IIIIIIII", 1, 4) if bits == 1 else ("IIQQQQQQ", 2, 5)
        for number in range(count):
            file.seek(table + number * size)
            fields = struct.unpack(order + entry, file.read(struct.calcsize(order + entry)))
            if fields[0] == 3:
                file.seek(fields[offset])
                return file.read(fields[length]).strip(b"\0").decode()
        return ""

    def has_hard_float(self):
        return self.machine == 40 and self.flags & 0xFF000400 == 0x05000400


def glibc_by_ctypes():
    import ctypes

    function = ctypes.CDLL(None).gnu_get_libc_version
    function.restype = ctypes.c_char_p
    return function().decode("ascii")


def glibc(arch):
    """The release, or an older one where a `_manylinux` module says that wheels do not run."""
    version = attempt(lambda: os.confstr("CS_GNU_LIBC_VERSION").rsplit()[1], glibc_by_ctypes)
    match = re.match(r"(\d+)\.(\d+)", version or "")
    if not match:
        return None
    major, newest = map(int, match.groups())
    for minor in range(newest, -1, -1):
        if manylinux_module_allows(major, minor, arch):
            return major, minor
    return None


def manylinux_module_allows(major, minor, arch):
    try:
        import _manylinux
    except ImportError:
        return True
    if hasattr(_manylinux, "manylinux_compatible"):
        answer = _manylinux.manylinux_compatible(major, minor, arch)
        return True if answer is None else bool(answer)
    name = {(2, 5): "manylinux1", (2, 12): "manylinux2010", (2, 17): "manylinux2014"}.get((major, minor))
    return bool(getattr(_manylinux, "%s_compatible" % name, True))


def musl():
    loader = attempt(lambda: Elf(sys.executable).loader)
    if "musl" not in (loader or ""):
        return None
    import subprocess

    process = subprocess.Popen([loader], stderr=subprocess.PIPE)
    match = re.search(r"Version (\d+)\.(\d+)", process.communicate()[1].decode("ascii", "replace"))
    return match and tuple(map(int, match.groups()))


def linux():
    name = normalized(sysconfig.get_platform())
    if not name.startswith("linux_"):
        return name
    arch = name[len("linux_") :]
    if struct.calcsize("P") == 4:
        arch = {"x86_64": "i686", "aarch64": "armv8l"}.get(arch, arch)
    has_manylinux = arch in ("x86_64", "i686", "aarch64", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64")
    if arch in ("armv7l", "armv8l"):
        has_manylinux = attempt(lambda: Elf(sys.executable).has_hard_float())
    release = glibc(arch) if has_manylinux else None
    if release:
        return "manylinux_%d_%d_%s" % (release + (arch,))
    release = attempt(musl)
    return "musllinux_%d_%d_%s" % (release + (arch,)) if release else "linux_" + arch


def macos():
    version, _, arch = platform.mac_ver()
    if version.startswith("10.16"):
        # Pythons built for an older SDK are told this for every later release.
        import subprocess

        command = [sys.executable, "-sS", "-c", "import platform; print(platform.mac_ver()[0])"]
        version = subprocess.check_output(command, env={"SYSTEM_VERSION_COMPAT": "0"}).decode().strip()
    if struct.calcsize("P") == 4:
        arch = "ppc" if arch.startswith("ppc") else "i386"
    numbers = (version + ".0").split(".")
    return "macosx_%s_%s_%s" % (numbers[0], numbers[1], arch)


def ios():
    numbers = platform.ios_ver().release.split(".")
    return "ios_%s_%s_%s" % (numbers[0], numbers[1], normalized(sys.implementation._multiarch))


def android():
    abi = sysconfig.get_platform().split("-")[-1]
    return "android_%d_%s" % (platform.android_ver().api_level, normalized(abi))


def platform_tag():
    known = {"Linux": linux, "Darwin": macos, "iOS": ios, "Android": android}
    return known.get(platform.system(), lambda: normalized(sysconfig.get_platform()))()


# -- what its markers say -------------------------------------------------------------------------


def implementation_version(info):
    version = "%d.%d.%d" % (info.major, info.minor, info.micro)
    return version if info.releaselevel == "final" else "%s%s%d" % (version, info.releaselevel[0], info.serial)


def python_full_version():
    # A Python built from a working copy says "3.13.0+".
    return platform.python_version().rstrip("+")


def markers():
    implementation = getattr(sys, "implementation", None)
    return {
        "implementation_name": implementation.name if implementation else "",
        "implementation_version": implementation_version(implementation.version) if implementation else "0",
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": python_full_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


# -- what its pip would do ------------------------------------------------------------------------


def import_pip():
    """Imports pip; one that is borrowed answers as the missing one would."""
    try:
        import pip

        return pip, True
    except Exception:
        base = getattr(sys, "base_prefix", sys.prefix)
        folders = [sysconfig.get_path("purelib", vars={"base": base})]
        folders.append(sysconfig.get_config_var("WHEEL_PKG_DIR") or "")
        folders.append(os.path.join(os.path.dirname(os.__file__), "ensurepip", "_bundled"))
        sys.path.append(folders[0])
        for folder in folders[1:]:
            import glob

            sys.path += glob.glob(os.path.join(folder, "pip-*.whl"))
        try:
            import pip

            return pip, False
        except Exception:
            return None, False


def default_index():
    def by_internal_model():
        from pip._internal.models.index import PyPI

        return PyPI.simple_url

    def by_model():
        from pip.models import PyPI

        return PyPI.simple_url

    def by_option():
        from pip.cmdoptions import index_url

        return (index_url() if callable(index_url) else index_url.make()).default

    def by_parser():
        from pip import cmdoptions

        return cmdoptions.index_url.kwargs["default"]

    return attempt(by_internal_model, by_model, by_option, by_parser)


def pip_folders(search_path):
    """Where its pip is, then where the one is that it would borrow."""
    base = getattr(sys, "base_prefix", sys.prefix)
    return search_path + [sysconfig.get_path("purelib", vars={"base": base})]


def index_sources(search_path):
    """The files that could tell the default index, up to those of the first pip there is."""
    for folder in pip_folders(search_path):
        pip = os.path.join(folder, "pip")
        yield os.path.join(pip, "__init__.py")
        if os.path.exists(os.path.join(pip, "__init__.py")):
            yield os.path.join(pip, "_internal", "models", "index.py")
            yield os.path.join(pip, "models", "index.py")
            return


def default_index_by_source(search_path):
    """The default index as pip's source tells it, so that pip need not be imported."""
    for path in index_sources(search_path):
        if os.path.basename(path) == "index.py" and os.path.exists(path):
            with open(path) as file:
                match = re.search(r"^PyPI = \w+\(\s*['\"](https?://[^'\"]+/)['\"]", file.read(), re.MULTILINE)
            return match and match.group(1) + "simple"
    return None


def cache_folder():
    def by_internal_locations():
        from pip._internal.locations import USER_CACHE_DIR

        return USER_CACHE_DIR

    def by_locations():
        from pip.locations import USER_CACHE_DIR

        return USER_CACHE_DIR

    return attempt(by_internal_locations, by_locations)


def pip_tags():
    """Every tag that its pip takes, best first; None without a pip that tells."""
    import_pip()

    def by_compatibility_tags():
        from pip._internal.utils.compatibility_tags import get_supported

        return get_supported()

    def by_internal_pep425tags():
        from pip._internal.pep425tags import get_supported

        return get_supported()

    def by_pep425tags():
        from pip.pep425tags import get_supported

        return get_supported()

    tags = attempt(by_compatibility_tags, by_internal_pep425tags, by_pep425tags)
    return tags and ["-".join(tag) if isinstance(tag, tuple) else str(tag) for tag in tags]


def describe_pip():
    pip, is_own = import_pip()
    if pip is None:
        return None
    return {
        "version": pip.__version__,
        "is_own": is_own,
        "default_index": default_index(),
        "cache_dir": cache_folder(),
    }


# -- what this answer rests on --------------------------------------------------------------------


def loaded_libc():
    with open("/proc/self/maps") as file:
        names = set(line.split()[-1] for line in file if "/" in line)
    return [name for name in names if re.match(r"(libc[-.]|ld-musl)", os.path.basename(name))]


def pip_rests_on(search_path):
    """Where a pip is or would be; as long as that stays, so does its answer."""
    paths = [os.path.join(folder, "pip") for folder in search_path]
    return paths + [getattr(sys.modules.get("pip"), "__file__", None) or ""]


def machine_rests_on():
    # On a Mac its version, elsewhere the C library.
    return ["/System/Library/CoreServices/SystemVersion.plist"] + (attempt(loaded_libc) or [])


def printable(value):
    """JSON cannot hold what Python makes of file names that are not Unicode."""
    if isinstance(value, dict):
        return dict((key, printable(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return [printable(item) for item in value]
    if isinstance(value, bytes):
        return value.decode(sys.getfilesystemencoding() or "utf-8", "replace")
    if isinstance(value, type(u"")) and sys.version_info >= (3,):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value


def describe_machine():
    implementation = getattr(getattr(sys, "implementation", None), "name", "cpython")
    return {
        "version": python_full_version(),
        "implementation": implementation,
        "abis": cpython_abis() if implementation == "cpython" else other_abis(),
        "platform": platform_tag(),
        "markers": markers(),
    }


def describe_interpreter(search_path):
    index = attempt(lambda: default_index_by_source(search_path))
    return dict(describe_machine(), executable=sys.executable, prefix=sys.prefix, default_index=index)


def describe_target():
    return dict(describe_machine(), schema=1, tags=pip_tags())


def answer(question):
    search_path = list(sys.path)
    if question == "pip":
        said, paths = describe_pip(), pip_rests_on(search_path)
    else:
        said, paths = describe_interpreter(search_path), machine_rests_on() + list(index_sources(search_path))
    return {"answer": said, "rests_on": sorted(set(path for path in paths if path))}


if len(sys.argv) > 1:
    print("\n" + json.dumps(printable(answer(sys.argv[1]))))
else:
    print(json.dumps(printable(describe_target()), indent=1, separators=(",", ": "), sort_keys=True))
