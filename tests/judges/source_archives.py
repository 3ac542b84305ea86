#!/usr/bin/env python3
"""What is read of source archives without running them, beside what their builds say.

    source_archives.py PREFETCH REQUIREMENTS [--results FILE] [--number N] [--python PATH] [-- OPTIONS OF PREFETCH]

REQUIREMENTS has a line `name==version` for each release, the most used first. Each is planned from its source archive
alone, twice: as it is read (the default), and as its build says (--strict-metadata --allow-build, with the Python of
--python; this runs code of the packages). Archives whose metadata is reliable are passed over. What builds said is
kept in FILE, and builds are not run again. Prints a line for each archive, and at the end how many could be read, how
many of these agree with their build, and how many are refused.

Exit code 1 where a set is another than the build's and no warning names an archive that was read in a weaker way.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

STRICT = ["--strict-metadata"]


def plan(args, requirement, *options):
    """The set as name → version, or the kinds of what stands in its way; and the warnings."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)[0]
    with tempfile.TemporaryDirectory() as scratch:
        report = pathlib.Path(scratch, "report.json")
        command = [args.prefetch, requirement, "--no-binary", name, "--dry-run", "--report", report, "--progress", "none"]
        command += ["--python", args.python, "--cache-dir", args.cache, *options, *args.options]
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
        told = json.loads(report.read_text()) if report.exists() else {}
    if run.returncode:
        kinds = sorted({f"{problem['kind']}: {problem['message'].splitlines()[0]}" for problem in told.get("problems", [])})
        return {"failed": kinds or [run.stderr[-300:]]}, run.stderr
    return {"set": {package["name"]: package["version"] for package in told["packages"]}}, run.stderr


def needs_build(outcome):
    return any(kind.startswith("needs_build") for kind in outcome.get("failed", []))


def built(args, requirement, known):
    """What the build says; nothing where the metadata is reliable or the archive cannot be had."""
    if requirement not in known:
        strict, _ = plan(args, requirement, *STRICT)
        known[requirement] = plan(args, requirement, *STRICT, "--allow-build")[0] if needs_build(strict) else None
        args.results.write_text(json.dumps(known, indent=1))
    return known[requirement]


def judge(read, wanted, warnings):
    if needs_build(read):
        return "refused"
    if read == wanted:
        return "agrees"
    if "failed" in wanted:
        return "unbuilt"
    return "warned" if "--strict-metadata" in warnings else "WRONG"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prefetch")
    parser.add_argument("requirements", type=pathlib.Path)
    parser.add_argument("--results", type=pathlib.Path, default=pathlib.Path("built.json"))
    parser.add_argument("--number", type=int, default=500)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--cache", default=tempfile.gettempdir() + "/source-archives-cache")
    own, _, options = " ".join(sys.argv[1:]).partition(" -- ")
    args = parser.parse_args(own.split())
    args.options = options.split()
    known = json.loads(args.results.read_text()) if args.results.exists() else {}
    counts = {}
    for requirement in args.requirements.read_text().split()[: args.number]:
        wanted = built(args, requirement, known)
        if wanted is None:
            continue
        read, warnings = plan(args, requirement)
        outcome = judge(read, wanted, warnings)
        counts[outcome] = counts.get(outcome, 0) + 1
        print(f"{outcome:8} {requirement}", flush=True)
        if outcome in ("warned", "WRONG", "unbuilt"):
            print(f"         read  {read}\n         built {wanted}", flush=True)
    print(", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items())))
    wrong = counts.get("WRONG", 0)
    print(f"{sum(counts.values()) - wrong} passed, {wrong} failed")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
