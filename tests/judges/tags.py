"""Writes the compatibility tags that the `packaging` library lists for a table of targets.

    python tests/judges/tags.py > testdata/tags/expected.txt

Needs `packaging` 26.3, that of pip 26.3, into whose insides it reaches. A target is a paragraph:
the line `target IMPLEMENTATION VERSION PLATFORM`, the line `platforms …` with the platform tags in
order, and then the list itself, best first, each run of one Python and ABI tag on a line of its own: `cp312-abi3 *` stands for that
pair with every platform, `cp312-none any` for the one tag.
"""

import contextlib
import itertools
import sys
import sysconfig
from unittest import mock

from packaging import _manylinux, _musllinux, tags

GLIBC = [(2, minor) for minor in (5, 12, 17, 24, 28, 31, 34, 35, 39, 40)]
ALIASES = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}


def linux(kind, version, arch):
    """The platform tags of a Linux machine, by the code that runs on one."""
    glibc = version if kind == "manylinux" else (-1, -1)
    musl = _musllinux._MuslVersion(*version) if kind == "musllinux" else None
    with contextlib.ExitStack() as stack:
        for target, name, value in [
            (sysconfig, "get_platform", "linux-" + arch),
            (_manylinux, "_get_glibc_version", _manylinux._GLibCVersion(*glibc)),
            (_manylinux, "_have_compatible_abi", True),
            (_manylinux, "_get_manylinux_module", None),
            (_musllinux, "_get_musl_version", musl),
        ]:
            stack.enter_context(mock.patch.object(target, name, return_value=value))
        return list(tags._linux_platforms(is_32bit=False))


def platforms(platform):
    kind, _, rest = platform.partition("_")
    if kind in ALIASES:
        return linux("manylinux", ALIASES[kind], rest)
    if kind in ("manylinux", "musllinux"):
        major, minor, arch = rest.split("_", 2)
        return linux(kind, (int(major), int(minor)), arch)
    if kind == "linux":
        return linux(kind, (-1, -1), rest)
    if kind == "macosx":
        major, minor, arch = rest.split("_", 2)
        return list(tags.mac_platforms((int(major), int(minor)), arch))
    if kind == "ios":
        major, minor, arch = rest.split("_", 2)
        return list(tags.ios_platforms((int(major), int(minor)), arch))
    if kind == "android":
        level, abi = rest.split("_", 1)
        return list(tags.android_platforms(int(level), abi))
    return [platform]


def cpython_abis(version, flags, platform):
    """The ABIs of the usual build, by the code that runs in one."""
    wide = not platform.startswith(("win", "macosx"))
    config = {
        "Py_DEBUG": "d" in flags,
        "Py_GIL_DISABLED": "t" in flags,
        "WITH_PYMALLOC": True,
        "Py_UNICODE_SIZE": 4 if wide else 2,
    }
    with mock.patch.object(tags, "_get_config_var", lambda name, warn=False: config[name]):
        return tags._cpython_abis(version)


def reference(implementation, version, platform):
    """What pip lists on such a machine: `sys_tags`, but that an interpreter other than CPython, too, takes the wheels
    of its own version for any platform (`pp310-none-any`), and PyPy none for `pp3`."""
    numbers, flags = version.rstrip("td"), version.lstrip("0123456789.")
    version = tuple(map(int, numbers.split(".")))
    names = platforms(platform)
    if implementation == "cp":
        abis = cpython_abis(version, flags, platform)
        interpreter = "cp" + tags._version_nodot(version)
        yield from tags.cpython_tags(version, abis, names)
    else:
        interpreter = implementation + tags._version_nodot(version)
        suffix = {"pp": ".pypy{}-pp73-x86_64-linux-gnu.so", "graalpy": ".graalpy242-{}-native-x86_64-linux.so"}
        suffix = suffix[implementation].format(tags._version_nodot(version))
        with mock.patch.object(tags, "_get_config_var", return_value=suffix):
            abis = tags._generic_abi()
        yield from tags.generic_tags(interpreter, abis, names)
    yield from tags.compatible_tags(version, interpreter, names)


def paragraph(target):
    names = platforms(target[2])
    wanted = list(dict.fromkeys(reference(*target)))
    lines, told = [], []
    for (python, abi), run in itertools.groupby(wanted, lambda tag: (tag.interpreter, tag.abi)):
        # A Python's tags without platform may follow straight on those with one.
        run = [tag.platform for tag in run]
        bound, free = [name for name in run if name != "any"], [name for name in run if name == "any"]
        assert run == bound + free and bound in ([], names)
        for short, full in (("*", bound), ("any", free)):
            if full:
                lines.append(f"{python}-{abi} {short}")
                told += [tags.Tag(python, abi, name) for name in full]
    assert told == wanted
    return "\n".join(["target " + " ".join(target), "platforms " + " ".join(names), *lines])


def table():
    cpythons = ["2.7", "3.2", "3.3", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15"]
    threads = ["3.13t", "3.14t", "3.15t"]
    for version in cpythons + threads:
        for platform in ("manylinux_2_28_x86_64", "macosx_13_0_arm64", "win_amd64"):
            yield "cp", version, platform
    for version in ("3.12d", "3.13td", "3.7d"):
        yield "cp", version, "manylinux_2_28_x86_64"
    linuxes = [f"manylinux_{major}_{minor}_x86_64" for major, minor in GLIBC]
    linuxes += [f"{alias}_{arch}" for alias in ALIASES for arch in ("x86_64", "i686")]
    linuxes += ["manylinux2014_aarch64", "manylinux_2_12_aarch64", "manylinux_2_31_armv7l", "manylinux_2_35_armv8l"]
    linuxes += [f"manylinux_2_36_{arch}" for arch in ("aarch64", "ppc64le", "s390x", "riscv64", "loongarch64", "i686")]
    linuxes += ["musllinux_1_1_x86_64", "musllinux_1_2_aarch64", "musllinux_1_2_armv7l", "linux_x86_64", "linux_armv6l"]
    macs = ["10_9_x86_64", "10_15_x86_64", "10_16_x86_64", "11_0_x86_64", "14_3_x86_64", "11_0_arm64"]
    macs += ["15_0_arm64", "26_0_arm64", "11_0_universal2", "10_9_universal2", "10_9_intel", "10_6_i386"]
    macs = ["macosx_" + mac for mac in macs]
    others = ["win32", "win_arm64", "ios_13_4_arm64_iphoneos", "ios_12_0_x86_64_iphonesimulator"]
    for platform in linuxes + macs + others + ["android_24_arm64_v8a"]:
        yield "cp", "3.11", platform
    for version in ("3.8", "3.9", "3.10", "3.11"):
        yield "pp", version, "manylinux_2_28_x86_64"
    yield "pp", "3.10", "macosx_12_0_arm64"
    yield "pp", "3.10", "win_amd64"
    yield "graalpy", "3.11", "manylinux_2_28_x86_64"


if __name__ == "__main__":
    sys.stdout.write("\n\n".join(map(paragraph, dict.fromkeys(table()))) + "\n")
