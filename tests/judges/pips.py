"""Genuine releases of pip, from 6.0 on, each unpacked with the setuptools that it gets along with.

Releases before 20 run on a Python 2.7, later ones on the Python that imports this. Older ones are
those of old_pip.py.
"""
import pathlib
import shutil
import subprocess
import sys
import zipfile

from old_pip import Setup, find_python


def prepare(pips, version):
    """The folder `pips/VERSION`, made where it is not there yet, or Setup with why it cannot be made.

    `lib` in it is for PYTHONPATH; `python` and `version` hold what to run it with, and its number;
    the version may be `newest`.
    """
    folder = pips / version
    if (folder / "version").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    needs_python_2 = version != "newest" and int(version.split(".")[0]) < 20
    python = python_2() if needs_python_2 else sys.executable
    wheels = folder / "wheels"
    pip = "pip" if version == "newest" else f"pip=={version}"
    setuptools = ["setuptools==44.1.1", "--python-version=2.7"] if needs_python_2 else ["setuptools<70"]
    download(wheels, pip, "wheel<0.38", *setuptools)
    for wheel in wheels.iterdir():
        zipfile.ZipFile(wheel).extractall(folder / "lib")
    (folder / "python").write_text(str(python))
    (folder / "version").write_text(next(wheels.glob("pip-*.whl")).name.split("-")[1])
    return folder


def python_2():
    python, major = find_python("auto")
    if major != 2:
        raise Setup("pips before 20 need a Python 2.7, and there is none")
    return python


def download(folder, *arguments):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--dest", str(folder), *arguments]
    outcome = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if outcome.returncode:
        raise Setup(f"`{' '.join(command)}` failed:\n{outcome.stdout}")
