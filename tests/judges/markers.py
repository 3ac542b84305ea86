"""Writes what the `packaging` library says of environment markers on a table of machines.

    python tests/judges/markers.py > testdata/markers/expected.txt

Needs `packaging` 26.3 or newer. A machine is a paragraph: the line `target IMPLEMENTATION VERSION
PLATFORM`, a line `variable=value` for each marker variable as such a machine reports it (its
kernel's release and version, which nobody can know, are empty), and a line `yes MARKER` or
`no MARKER` for each expression.
"""

import sys

from packaging.markers import Marker

SYSTEMS = {
    "manylinux": ("posix", "Linux", "linux"),
    "musllinux": ("posix", "Linux", "linux"),
    "macosx": ("posix", "Darwin", "darwin"),
    "win": ("nt", "Windows", "win32"),
    "win32": ("nt", "Windows", "win32"),
}
IMPLEMENTATIONS = {"cp": ("cpython", "CPython"), "pp": ("pypy", "PyPy")}
MACHINES = [
    ("cp", "3.8", "3.8.0", "manylinux_2_28_x86_64", "x86_64"),
    ("cp", "3.9.1", "3.9.1", "manylinux_2_17_i686", "i686"),
    ("cp", "3.10", "3.10.0", "musllinux_1_2_aarch64", "aarch64"),
    ("cp", "3.12.4", "3.12.4", "macosx_13_0_arm64", "arm64"),
    ("cp", "3.12", "3.12.0", "macosx_10_15_x86_64", "x86_64"),
    ("cp", "3.13t", "3.13.0", "win_amd64", "AMD64"),
    ("cp", "3.14", "3.14.0", "win_arm64", "ARM64"),
    ("cp", "3.11", "3.11.0", "win32", "x86"),
    ("cp", "3.15.0b1", "3.15.0b1", "manylinux_2_40_armv7l", "armv7l"),
    ("pp", "3.10", "3.10.0", "manylinux_2_28_x86_64", "x86_64"),
]
MARKERS = """
python_version < '3.9'
python_version >= '3.10'
python_version == '3.12'
python_version != '3.9.*'
python_version ~= '3.9'
python_version in '3.8, 3.9'
python_version not in '3.8 3.9'
'3.10' <= python_version
python_full_version < '3.9.1'
python_full_version >= '3.12.4'
python_full_version == '3.12.*'
python_full_version >= '3.15.0b1'
python_full_version < '3.15'
implementation_version >= '3.9'
implementation_name == 'cpython'
implementation_name != 'pypy'
platform_python_implementation == 'CPython'
platform_python_implementation != 'PyPy' and python_version < '3.12'
os_name == 'nt'
os_name != 'posix'
sys_platform == 'win32'
sys_platform == 'linux' or sys_platform == 'darwin'
sys_platform != 'cygwin'
sys_platform in 'linux linux2'
'linux' in sys_platform
platform_system == 'Windows'
platform_system == 'Darwin' and platform_machine == 'arm64'
platform_machine == 'x86_64' or platform_machine == 'AMD64'
platform_machine == 'amd64'
platform_machine != 'aarch64' and platform_machine != 'ARM64'
platform_machine in 'x86_64 aarch64 ppc64le'
platform_release == ''
platform_version == 'anything'
extra == 'test'
extra != 'test'
(os_name == 'posix' and python_version < '3.10') or implementation_name == 'pypy'
os_name == 'posix' and python_version < '3.10' or implementation_name == 'pypy'
""".strip().splitlines()


def environment(implementation, full, platform, machine):
    os_name, system, sys_platform = SYSTEMS[platform.split("_")[0]]
    name, title = IMPLEMENTATIONS[implementation]
    return {
        "implementation_name": name,
        "implementation_version": "7.3.0" if implementation == "pp" else full,
        "os_name": os_name,
        "platform_machine": machine,
        "platform_python_implementation": title,
        "platform_release": "",
        "platform_system": system,
        "platform_version": "",
        "python_full_version": full,
        "python_version": ".".join(full.split(".")[:2]),
        "sys_platform": sys_platform,
    }


def paragraph(implementation, version, full, platform, machine):
    values = environment(implementation, full, platform, machine)
    lines = [f"target {implementation} {version} {platform}"]
    lines += [f"{name}={value}" for name, value in values.items()]
    for marker in MARKERS:
        holds = Marker(marker).evaluate({**values, "extra": ""})
        lines.append(f"{'yes' if holds else 'no'} {marker}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write("\n\n".join(paragraph(*machine) for machine in MACHINES) + "\n")
