#!/usr/bin/env python3
"""Compares what prefetch and pip choose for the real projects of testdata/sets.txt.

    tests/judges/resolve.py                    every set, for this machine
    tests/judges/resolve.py flask torch        these sets
    tests/judges/resolve.py --judge uv --python-version 3.9 --platform x86_64-pc-windows-msvc

uv is the judge for other machines, since pip takes the markers of the one that it runs on; then
both use wheels only. Both ask the index that pip asks by default, one directly after the other, each with an empty cache.
pip runs builds where nothing else tells what an archive needs, so prefetch may do that, too.
Where the index tells upload times, `--cut-off MOMENT` hides what is newer from both. The table
goes to standard output; with `--log FOLDER`, so does all that either said, into files.

Needs `scripts/setup` and a built prefetch. Run by hand: the answers change with the index.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
SETS = PROJECT / "testdata" / "sets.txt"
JUDGES = pathlib.Path(os.environ.get("PREFETCH_JUDGES") or PROJECT / "target" / "judges").resolve()
PYTHON = JUDGES / "current" / "bin" / "python"

# A set on which one of both thinks this many seconds is told as such.
PATIENCE = 900


def main():
    arguments = parse_arguments()
    sets = [each for each in read_sets(SETS) if not arguments.sets or each[0] in arguments.sets]
    print("| set | outcome | packages | prefetch, s | {0}, s | differences (prefetch, {0}) |".format(arguments.judge))
    print("| --- | --- | ---: | ---: | ---: | --- |")
    for name, requirements in sets:
        ours = timed(run_prefetch, requirements, arguments, name)
        theirs = timed(RUNS[arguments.judge], requirements, arguments, name)
        print(row(name, arguments.judge, ours, theirs), flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", help="names of sets; all without any")
    parser.add_argument("--prefetch", default=PROJECT / "target" / "debug" / "prefetch", help="the binary to judge")
    parser.add_argument("--cut-off", metavar="MOMENT", help="ignore what was uploaded later")
    parser.add_argument("--judge", choices=["pip", "uv"], default="pip", help="with whom prefetch is compared")
    parser.add_argument("--python-version", metavar="VERSION", help="for another Python; with uv as the judge")
    parser.add_argument("--platform", metavar="TRIPLE", help="for another platform; with uv as the judge")
    parser.add_argument("--log", metavar="FOLDER", type=pathlib.Path, help="keep what both said")
    return parser.parse_args()


def read_sets(path):
    lines = [line.strip() for line in path.read_text().splitlines()]
    pairs = [line.split(":", 1) for line in lines if line and not line.startswith("#")]
    return [(name, requirements.split()) for name, requirements in pairs]


def timed(run, requirements, arguments, name):
    """What `run` chose (a dictionary, or a line of its error), and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        chosen = run(requirements, arguments, pathlib.Path(folder), name)
        return chosen, time.monotonic() - begin


def run_prefetch(requirements, arguments, folder, name):
    command = [arguments.prefetch, "--dry-run", "--quiet", "--report", folder / "report", "--cache-dir", folder / "cache"]
    command += ["--python", PYTHON]
    command += ["--allow-build"] if arguments.judge == "pip" else ["--only-binary", ":all:"]
    if arguments.python_version:
        command += ["--python-version", arguments.python_version]
    if arguments.platform:
        command += ["--platform", arguments.platform]
    if arguments.cut_off:
        command += ["--exclude-newer", arguments.cut_off]
    report = run([*command, *requirements], folder, arguments.log, name + ".prefetch")
    if isinstance(report, str):
        return report
    return {normalized(package["name"]): package["version"] for package in report["packages"]}


def run_pip(requirements, arguments, folder, name):
    command = [PYTHON, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    command += ["--report", folder / "report", "--cache-dir", folder / "cache"]
    if arguments.cut_off:
        command += ["--uploaded-prior-to", arguments.cut_off]
    report = run([*command, *requirements], folder, arguments.log, name + ".pip")
    if isinstance(report, str):
        return report
    return {normalized(each["metadata"]["name"]): each["metadata"]["version"] for each in report["install"]}


def run_uv(requirements, arguments, folder, name):
    (folder / "in.txt").write_text("\n".join(requirements))
    command = [PYTHON.parent / "uv", "pip", "compile", folder / "in.txt", "--output-file", folder / "report", "--quiet"]
    command += ["--no-header", "--no-annotate", "--only-binary", ":all:", "--cache-dir", folder / "cache"]
    command += ["--python-version", arguments.python_version or "3.11"]
    if arguments.platform:
        command += ["--python-platform", arguments.platform]
    if arguments.cut_off:
        command += ["--exclude-newer", arguments.cut_off]
    report = run(command, folder, arguments.log, name + ".uv", read=str.splitlines)
    if isinstance(report, str):
        return report
    return dict((normalized(line.split("==")[0]), line.split("==")[1]) for line in report if "==" in line)


RUNS = {"pip": run_pip, "uv": run_uv}


def run(command, folder, log, name, read=json.loads):
    """The report that `command` writes, or a line of what it said instead."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PIP_FIND_LINKS", "PIP_REQUIRE_VIRTUALENV")}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return "no answer in %d s" % PATIENCE
    if log:
        log.mkdir(parents=True, exist_ok=True)
        (log / (name + ".txt")).write_text(done.stdout + done.stderr)
        if (folder / "report").exists():
            shutil.copy(folder / "report", log / (name + ".json"))
    if done.returncode == 0:
        return read((folder / "report").read_text())
    errors = [line for line in done.stderr.splitlines() if re.match(r"\s*(error|×)", line, re.IGNORECASE)]
    return (errors or done.stderr.splitlines() or ["failed without a word"])[0].strip()


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def row(name, judge, ours, theirs):
    (ours, our_seconds), (theirs, their_seconds) = ours, theirs
    outcome, packages, details = compare(ours, theirs, judge)
    return "| %s | %s | %s | %.1f | %.1f | %s |" % (name, outcome, packages, our_seconds, their_seconds, details)


def compare(ours, theirs, judge):
    failures = ["%s: %s" % (who, what) for who, what in (("prefetch", ours), (judge, theirs)) if isinstance(what, str)]
    if failures:
        outcome = "both refuse" if len(failures) == 2 else "differs"
        return outcome, "", "; ".join(failures).replace("|", "\\|")
    names = sorted(name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name))
    details = ["%s (%s, %s)" % (name, ours.get(name, "none"), theirs.get(name, "none")) for name in names]
    return "differs" if names else "same", len(ours), ", ".join(details)


if __name__ == "__main__":
    main()
