#!/usr/bin/env python3
"""What pip makes of requirements files, and whether `prefetch parse --json` agrees.

    requirements.py FILE...                        pip's own reading, one JSON object per line
    requirements.py --against COMMAND FILE...      compare with `COMMAND FILE`; exit 1 if any differs

Run it with an interpreter that has pip 26.3. Each file is read on its own, from the current
folder. Where pip raises, only the fact counts: prefetch reads on after an error and pip does
not. Markers are compared by their value in several environments, since both sides print a
canonical form of their own.
"""

import argparse
import contextlib
import io
import json
import logging
import os
import re
import shlex
import subprocess
import sys
import urllib.parse
import urllib.request

from pip._internal.commands import create_command
from pip._internal.models.search_scope import SearchScope
from pip._internal.network.session import PipSession
from pip._internal.req.constructors import install_req_from_parsed_requirement
from pip._internal.req.req_file import parse_requirements
from pip._internal.req.req_install import check_invalid_constraint_type
from pip._internal.vcs import vcs
from pip._vendor.packaging.markers import Marker, default_environment
from pip._vendor.packaging.specifiers import SpecifierSet
from pip._vendor.packaging.utils import canonicalize_name, canonicalize_version

ENVIRONMENTS = [
    {"python_version": version, "python_full_version": f"{version}.1", "implementation_version": f"{version}.1",
     "sys_platform": platform, "os_name": name, "platform_system": system, "platform_machine": machine,
     "platform_python_implementation": implementation, "implementation_name": implementation.lower(), "extra": ""}
    for version in ("2.7", "3.6", "3.8", "3.9", "3.10", "3.11", "3.12", "3.14")
    for platform, name, system, machine in (
        ("linux", "posix", "Linux", "x86_64"),
        ("darwin", "posix", "Darwin", "arm64"),
        ("win32", "nt", "Windows", "AMD64"),
    )
    for implementation in ("CPython", "PyPy")
]


def read(path):
    """pip's reading of one file, in the keys of `prefetch parse --json`."""
    logging.disable(logging.CRITICAL)
    command = create_command("install")
    options, _ = command.parse_args(["--isolated"])
    session = PipSession()
    finder = command._build_package_finder(options=options, session=session)
    finder.search_scope = SearchScope([], [], False)
    report = {"requirements": [], "options": {}, "error": None}
    try:
        for parsed in parse_requirements(path, session=session, finder=finder, options=options):
            report["requirements"].append(requirement(parsed))
        if options.require_hashes and options.no_require_hashes:
            raise ValueError("--require-hashes and --no-require-hashes")
    except (Exception, SystemExit) as error:
        report["error"] = f"{type(error).__name__}: {error}".splitlines()[0]
    scope, formats, releases = finder.search_scope, finder.format_control, finder.release_control
    report["options"] = {
        "index_urls": [location(url) for url in scope.index_urls],
        "find_links": [location(link) for link in scope.find_links],
        "no_index": scope.no_index,
        "only_binary": names(formats.only_binary),
        "no_binary": names(formats.no_binary),
        "prefer_binary": finder.prefer_binary,
        "all_releases": names(releases.all_releases),
        "only_final": names(releases.only_final),
        "require_hashes": bool(options.require_hashes),
        "no_require_hashes": bool(options.no_require_hashes),
        "trusted_hosts": [host if port is None else f"{host}:{port}" for host, port in session.pip_trusted_origins],
    }
    return report


def names(values):
    """Without what is no project name, which pip keeps and never finds."""
    return sorted(value for value in values if re.fullmatch(r":all:|[a-z0-9]([a-z0-9-]*[a-z0-9])?", value))


def requirement(parsed):
    settings = (parsed.options or {}).get("config_settings") or {}
    asked = install_req_from_parsed_requirement(parsed, config_settings=settings)
    if asked.constraint and check_invalid_constraint_type(asked):
        raise ValueError("invalid constraint")
    if asked.markers:
        for environment in ENVIRONMENTS:
            asked.markers.evaluate(environment)
    if asked.link:
        check_usable(asked.link)
    hashes = asked.hash_options
    return {
        "name": canonicalize_name(asked.name) if asked.name else None,
        "extras": sorted({canonicalize_name(extra) for extra in asked.extras}),
        "specifier": None if asked.link else clauses(str(asked.req.specifier)),
        "marker": str(asked.markers) if asked.markers else None,
        "location": location(asked.link.url) if asked.link else None,
        "editable": asked.editable,
        "hashes": sorted(f"{algorithm}:{digest}" for algorithm, digests in hashes.items() for digest in digests),
        "constraint": asked.constraint,
        "config_settings": settings,
        "line": int(parsed.comes_from.rsplit(" ", 1)[1].rstrip(")")),
    }


def check_usable(link):
    """What pip accepts while it reads and cannot use afterwards is an error for prefetch at once."""
    if link.scheme == "file" and not os.path.exists(link.file_path):
        raise ValueError(f"no such file: {link.file_path}")
    if link.scheme not in {"http", "https", "ftp", "file", *vcs.all_schemes}:
        raise ValueError(f"no such scheme: {link.url}")


def clauses(text):
    """Clauses with normalized versions, each once; those of `===` are no versions."""
    found = set()
    for clause in SpecifierSet(text or ""):
        version, star, _ = clause.version.partition(".*")
        if clause.operator != "===":
            version = str(canonicalize_version(version, strip_trailing_zero=clause.operator != "~=" and not star))
        found.add(f"{clause.operator}{version}{star}")
    return sorted(found) or None


def location(text):
    """A URL in normal form without secrets, or the path that a `file:` URL names."""
    if text is None or not text:
        return text
    scheme, colon, rest = text.partition(":")
    if scheme.lower() == "file":
        path = urllib.request.url2pathname(urllib.parse.urlsplit(text).path)
        return os.path.normpath(os.path.abspath(path))
    if not rest.startswith("//"):
        return os.path.normpath(text) if os.path.isabs(text) else text
    authority, slash, path = rest[2:].partition("/")
    host = authority.rpartition("@")[2]
    masked = f"****@{host}" if "@" in authority else host
    return f"{scheme.lower()}://{masked}/{urllib.parse.unquote(path)}"


def understood(command, path):
    """prefetch's reading, brought to the same form."""
    result = subprocess.run([*shlex.split(command), path], capture_output=True, text=True)
    if not result.stdout:
        return {"crash": result.stderr}
    report = json.loads(result.stdout)
    for item in report["requirements"]:
        item["location"] = location(item.pop("url") or item.pop("path"))
        item.pop("path", None)
        item["line"] = item.pop("source")["line"]
        item["hashes"].sort()
        is_index = item["location"] is None
        item["specifier"] = clauses(item["specifier"]) if is_index else None
    options = report["options"]
    index = options.pop("index_url")
    options["index_urls"] = [location(url) for url in [index, *options.pop("extra_index_urls")] if url]
    options["find_links"] = [location(link) for link in options["find_links"]]
    options.pop("pre")
    errors = [problem["message"] for problem in report["problems"] if problem["severity"] == "error"]
    return {"requirements": report["requirements"], "options": options, "error": errors[0] if errors else None}


def truths(marker):
    """The value of a marker in every environment."""
    if marker is None:
        return [True] * len(ENVIRONMENTS)
    try:
        return [Marker(marker).evaluate({**default_environment(), **environment}) for environment in ENVIRONMENTS]
    except ValueError as error:
        return str(error)


def differences(pip, ours):
    if "crash" in ours:
        return [f"crash: {ours['crash']}"]
    if bool(pip["error"]) != bool(ours["error"]):
        return [f"pip: {pip['error'] or 'no error'}; prefetch: {ours['error'] or 'no error'}"]
    if pip["error"]:
        return []
    found = []
    if len(pip["requirements"]) != len(ours["requirements"]):
        found.append(f"{len(pip['requirements'])} requirements != {len(ours['requirements'])}")
    for theirs, mine in zip(pip["requirements"], ours["requirements"]):
        theirs, mine = dict(theirs), dict(mine)
        markers = theirs.pop("marker"), mine.pop("marker")
        if truths(markers[0]) != truths(markers[1]):
            found.append(f"marker: {markers[0]!r} != {markers[1]!r}")
        found += [f"{key}: {theirs[key]!r} != {mine[key]!r}" for key in theirs if theirs[key] != mine[key]]
    for key, value in pip["options"].items():
        if value != ours["options"][key]:
            found.append(f"{key}: {value!r} != {ours['options'][key]!r}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", metavar="COMMAND")
    parser.add_argument("files", nargs="+", metavar="FILE")
    arguments = parser.parse_args()
    differing = 0
    for path in arguments.files:
        with contextlib.redirect_stderr(io.StringIO()):
            pip = read(path)
        if arguments.against is None:
            print(json.dumps({"file": path, **pip}))
            continue
        found = differences(pip, understood(arguments.against, path))
        differing += bool(found)
        for difference in found:
            print(f"{path}: {difference}")
    if arguments.against is not None:
        print(f"{len(arguments.files)} files, {differing} differ", file=sys.stderr)
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
