#!/usr/bin/env python3
"""Installs real projects from bundles of their own locks, each by the tool that owns the lock and without a network, and imports
what was installed.

    tests/judges/projects.py PREFETCH FOLDER...

PREFETCH is the program, each FOLDER a checkout of a project with its lock. uv, poetry and pdm must be on PATH, as far as projects
need them. Bundles are made with the network; the tools run on a copy of the checkout, in an empty network namespace
(`unshare -rn`) and with an empty home folder. Projects run their own builds: name none that you would not run.
"""
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

PREFETCH = pathlib.Path(sys.argv[1]).resolve()
FOLDERS = [pathlib.Path(path).resolve() for path in sys.argv[2:]]
# What the owner of each lock is told.
TOOLS = {"uv.lock": ("uv", "uv sync --no-cache --python " + shlex.quote(sys.executable)), "poetry.lock": ("poetry", "poetry install -n"),
         "pdm.lock": ("pdm", "pdm sync --skip :all")}
IMPORTS = """
import importlib, importlib.metadata, json
modules = sorted(name for name in importlib.metadata.packages_distributions() if name.isidentifier() and not name.startswith("_"))
failed = {}
for name in modules:
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed[name] = f"{type(error).__name__}: {error}"
print("\\n" + json.dumps({"distributions": len(list(importlib.metadata.distributions())), "modules": len(modules), "failed": failed}))
"""


def run(command, folder, home, **more):
    environment = {"PATH": f"{PREFETCH.parent}:{os.environ['PATH']}", "HOME": str(home), **more}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def judge(folder):
    """What became of a project, in a line; and whether it is installed."""
    lock = next((name for name in TOOLS if (folder / name).exists()), None)
    if lock is None:
        return f"no lock of {', '.join(TOOLS)}", False
    tool, command = TOOLS[lock]
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        project, home, bundle = scratch / "project", scratch / "home", scratch / "bundle"
        shutil.copytree(folder, project, symlinks=True)
        home.mkdir()
        keep = {name: value for name, value in os.environ.items() if name.startswith(("SSL_CERT_", "PREFETCH_", "PIP_"))}
        started = time.monotonic()
        made = run([PREFETCH, "--python", sys.executable, "--bundle", f"{bundle}/", "--quiet"], project, home, **keep)
        if made.returncode:
            return f"{lock}: no bundle: {made.stderr.strip()[-600:]}", False
        fetched, started = time.monotonic() - started, time.monotonic()
        before = (project / lock).read_bytes()
        line = f'eval "$(prefetch env {shlex.quote(str(bundle))} --for {tool} --shell sh)" && {command}'
        done = run(["unshare", "-rn", "sh", "-c", line], project, home)
        if done.returncode:
            return f"{lock}: {tool} failed: {(done.stdout + done.stderr).strip()[-900:]}", False
        installed = time.monotonic() - started
        imported = run(["unshare", "-rn", project / ".venv/bin/python", "-c", IMPORTS], scratch, home)
        told = json.loads(imported.stdout.strip().splitlines()[-1])
        untouched = "untouched" if (project / lock).read_bytes() == before else "CHANGED"
        return (f"{lock}: fetched in {fetched:.1f} s, {tool} installed {told['distributions']} distributions in {installed:.1f} s, "
                f"lock {untouched}, {told['modules'] - len(told['failed'])} of {told['modules']} modules imported"
                + "".join(f"\n    {name}: {why[:150]}" for name, why in told["failed"].items())), untouched == "untouched"


if __name__ == "__main__":
    failed = 0
    for folder in FOLDERS:
        line, succeeded = judge(folder)
        failed += not succeeded
        print(f"{folder.name}: {line}", flush=True)
    sys.exit(1 if failed else 0)
