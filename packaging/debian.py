"""The Debian package: the program where Debian looks for programs, completions and man pages."""
import gzip
import os
import shutil
import subprocess
import tempfile
import pathlib

from archive import EPOCH, EXECUTABLE, PLAIN, PROJECT, accompaniments

# `prefetch` is a program of other packages, too: the package has the name of the wheel.
NAME = "pip-prefetch"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
PLACES = {
    "completions/prefetch.bash": "usr/share/bash-completion/completions/prefetch",
    "completions/_prefetch": "usr/share/zsh/vendor-completions/_prefetch",
    "completions/prefetch.fish": "usr/share/fish/vendor_completions.d/prefetch.fish",
}
CONTROL = """\
Package: {name}
Version: {version}
Architecture: {architecture}
Maintainer: The prefetch developers <packages@prefetch.example>
Installed-Size: {kibibytes}
Depends: libc6 (>= 2.17)
Recommends: ca-certificates
Suggests: python3
Section: python
Priority: optional
Description: {description}
 It reads a project's requirements or its lock file, decides which wheels and
 source archives satisfy them on every machine that is named, fetches each file
 once, checks it, and lays everything out in the shape that pip and uv read.
"""
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: prefetch

Files: *
Copyright: the prefetch developers
License: Expat or Apache-2.0

License: Apache-2.0
 On Debian systems, the full text is in /usr/share/common-licenses/Apache-2.0.

License: Expat
{mit}"""


def write_package(binary, program, manifest, target, out):
    """Writes the package for `target`, one with glibc, and returns its path."""
    version, architecture = manifest["version"], ARCHITECTURES[target.split("-")[0]]
    files = contents(binary, program)
    kibibytes = sum(-(-len(content) // 1024) for content in files.values())
    files["DEBIAN/control"] = CONTROL.format(
        name=NAME, version=version, architecture=architecture, kibibytes=kibibytes, description=manifest["description"]
    ).encode()
    path = out / f"{NAME}_{version}_{architecture}.deb"
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder).chmod(EXECUTABLE)
        for name, content in files.items():
            place(pathlib.Path(folder, name), content)
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)}
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", folder, path]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return path


def contents(binary, program):
    """Path to bytes of what is installed."""
    files = {"usr/bin/prefetch": binary.read_bytes()}
    for name, content in accompaniments(program).items():
        if name.startswith("man/"):
            files[f"usr/share/{name}.gz"] = gzip.compress(content, mtime=0)
        elif name in PLACES:
            files[PLACES[name]] = content
    documents = f"usr/share/doc/{NAME}"
    mit = (PROJECT / "LICENSE-MIT").read_text().rstrip().splitlines()
    license = "".join(f" {line}\n" if line else " .\n" for line in mit)
    files[f"{documents}/copyright"] = COPYRIGHT.format(mit=license).encode()
    files[f"{documents}/changelog.gz"] = gzip.compress((PROJECT / "CHANGELOG.md").read_bytes(), mtime=0)
    return files


def place(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(EXECUTABLE if path.parent.name == "bin" else PLAIN)
    for folder in path.parents:
        folder.chmod(EXECUTABLE)
        if folder.name in ("DEBIAN", "usr"):
            break


def is_possible(target):
    return target.endswith("-linux-gnu") and shutil.which("dpkg-deb") is not None
