#!/usr/bin/env python3
"""Compares what `prefetch parse` selects from real lock files, names, versions and files, with small references of each
owner's rules. The files of Poetry and PDM are those of a dry run with an index that offers what the lock lists; a
Pipfile.lock names no files, so that only its names and versions are compared.

    tests/judges/locks.py PREFETCH CORPUS ORACLES [FORMAT...]

PREFETCH is the program; CORPUS has a folder of locks for each format and `FORMAT.projects` with the pyproject.toml (or
Pipfile) of each; ORACLES has ref_uv.py and ref_poetry.py. Needs Python 3.11 with packaging, poetry-core and PyYAML.
Every difference is printed; the last line of each format counts the answers that were compared.
"""
import functools
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.parse

import packaging.tags
import packaging.utils
import yaml

PREFETCH, CORPUS, ORACLES = (pathlib.Path(path).resolve() for path in sys.argv[1:4])
FORMATS = sys.argv[4:]
sys.path.insert(0, str(ORACLES))
sys.argv = [sys.argv[0], str(ORACLES)]
import ref_uv  # noqa: E402
from packaging.specifiers import SpecifierSet  # noqa: E402
from packaging.version import Version  # noqa: E402

PYTHONS = {"3.10": "3.10.0", "3.12": "3.12.0", "3.13": "3.13.0"}
ref_uv.PV.update(PYTHONS)
PLATFORMS = {"linux": "linux-x86_64", "windows": "windows-x86_64", "macos": "macos-arm64"}
GLIBC = 28
MACOS = (13, 0)
CASES = [(python, platform) for python in PYTHONS for platform in PLATFORMS]
NAMES = {"uv": "uv.lock", "pylock": "pylock.toml", "poetry": "poetry.lock", "pdm": "pdm.lock",
         "pipfile": "Pipfile.lock", "pixi": "pixi.lock"}


def norm(name):
    return ref_uv.norm(name)


def projects(kind):
    """(label, folder, lock file) of each lock, laid out as its project has it."""
    for lock in sorted((CORPUS / kind).iterdir()):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="locks-"))
        name = lock.name.rsplit("@", 1)[-1] if kind == "script" else NAMES[kind]
        if kind == "script" and not name.endswith(".lock"):
            continue
        if kind == "script":
            name = re.sub(r".*__", "", name)
        shutil.copyfile(lock, folder / name)
        stem = lock.name[: -len(name)] if lock.name.endswith(name) else lock.name
        for project in (CORPUS / f"{kind}.projects").glob("*") if (CORPUS / f"{kind}.projects").is_dir() else []:
            for beside in ("pyproject.toml", "Pipfile"):
                if project.name == stem + beside:
                    shutil.copyfile(project, folder / beside)
        yield lock.name, folder, folder / name
        shutil.rmtree(folder)


def ours(lock, *options):
    """The report of `prefetch parse`, with what each case gets."""
    command = [PREFETCH, "parse", lock, "--json", *options]
    for python in PYTHONS:
        command += ["--python-version", python]
    for platform in PLATFORMS.values():
        command += ["--platform", platform]
    done = subprocess.run(command, capture_output=True, text=True, cwd=lock.parent)
    report = json.loads(done.stdout)
    problems = [problem["message"] for problem in report["problems"] if problem["severity"] == "error"]
    if problems:
        return {"refused": problems}
    # Targets come in the order of the product.
    return {"cases": dict(zip(CASES, report["lock"]["targets"])), "lock": report["lock"]}


def taken(target, with_files=False):
    """What a target gets, or `None` where the lock is not for it."""
    if not target["packages"] and target["problems"]:
        return None
    if with_files and target["problems"]:
        return "no file"
    return {(package["name"], package["version"] or "", *([package["file"] or ""] if with_files else []))
            for package in target["packages"]}


def platform_tags(platform):
    """The platform tags of a case, best first, as the packaging library has them on such a machine."""
    if platform == "windows":
        yield "win_amd64"
        return
    if platform == "macos":
        yield from packaging.tags.mac_platforms(MACOS, "arm64")
        return
    legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    for minor in range(GLIBC, 4, -1):
        yield f"manylinux_2_{minor}_x86_64"
        if minor in legacy:
            yield f"{legacy[minor]}_x86_64"
    yield "linux_x86_64"


@functools.cache
def ranks(case):
    """The rank of each tag of a case."""
    python, platform = case
    version, platforms = tuple(map(int, python.split("."))), list(platform_tags(platform))
    tags = itertools.chain(packaging.tags.cpython_tags(version, platforms=platforms),
                           packaging.tags.compatible_tags(version, f"cp{python.replace('.', '')}", platforms))
    ranks = {}
    for rank, tag in enumerate(tags):
        ranks.setdefault(tag, rank)
    return ranks


def by_tag(rank, build):
    """How uv, pip and PDM prefer a wheel: by its best tag, then by the higher build tag."""
    return -rank, build


def by_build_tag(rank, build):
    """How Poetry prefers a wheel."""
    return build, -rank


def chosen(wheels, sdist, case, preference=by_tag):
    """The file that a tool takes: the preferred wheel, of equal ones the first; without one, the sdist."""
    best = None
    for name in wheels:
        try:
            _, _, build, tags = packaging.utils.parse_wheel_filename(name)
        except packaging.utils.InvalidWheelFilename:
            continue
        rank = min((ranks(case)[tag] for tag in tags if tag in ranks(case)), default=None)
        if rank is not None and (best is None or preference(rank, build) > best[0]):
            best = (preference(rank, build), name)
    return best[1] if best else sdist


def last_part(file):
    """The name of a file of a lock."""
    text = file.get("name") or file.get("filename") or file.get("url") or file.get("path") or ""
    return urllib.parse.unquote(text.split("#")[0].split("?")[0].rsplit("/", 1)[-1])


def file_of(package, case):
    """The file of a package of uv.lock or pylock.toml; empty where it is a repository or a folder, `None` without one."""
    if any(key in package.get("source", {}) for key in ("git", "editable", "directory", "virtual")):
        return ""
    if "vcs" in package or "directory" in package:
        return ""
    if "archive" in package:
        return last_part(package["archive"])
    wheels = [last_part(wheel) if "url" in wheel or "path" in wheel or "name" in wheel or "filename" in wheel
              else last_part(package["source"]) for wheel in package.get("wheels", [])]
    sdist = package.get("sdist")
    if sdist is not None and not any(key in sdist for key in ("url", "path", "name")):
        sdist = package.get("source", {})
    return chosen(wheels, last_part(sdist) if sdist is not None else None, case)


def with_files(packages, case):
    """Names, versions and files, or `no file` where a package has none for the case."""
    files = [(norm(package["name"]), package.get("version", ""), file_of(package, case)) for package in packages]
    return "no file" if any(file is None for _, _, file in files) else set(files)


def listed(document):
    """The names and digests of the files that a lock of Poetry or PDM lists, by project."""
    files = {}
    for package in document["package"]:
        if not {"url", "path", "git"} & set(package) and package.get("source", {}).get("type", "legacy") == "legacy":
            files.setdefault(norm(package["name"]), []).extend(package.get("files", []))
    for key, entries in document.get("metadata", {}).get("files", {}).items():
        if norm(key.split()[0]) in files:
            files[norm(key.split()[0])].extend(entries)
    return {name: {last_part(entry) if "url" in entry else entry["file"]: entry["hash"] for entry in entries}
            for name, entries in files.items()}


def dry_run(path, files):
    """The report of a run that asks an index with just these files."""
    folder = path.parent
    for name, entries in files.items():
        page = folder / "simple" / name / "index.html"
        page.parent.mkdir(parents=True)
        links = (f'<a href="{urllib.parse.quote(file)}#{digest.replace(":", "=")}">{file}</a>' for file, digest in entries.items())
        page.write_text("<!DOCTYPE html>\n" + "\n".join(links))
    index = (folder / "simple").as_uri()
    path.write_text(re.sub(r'(\ntype = "legacy"\nurl = )".*"', rf'\1"{index}"', path.read_text()))
    command = [PREFETCH, "-r", path, "--index-url", index, "--dry-run", "--keep-going", "--skip-source-trees", "--quiet",
               "--report", folder / "report.json", "--cache-dir", folder / "cache"]
    for python in PYTHONS:
        command += ["--python-version", python]
    for platform in PLATFORMS.values():
        command += ["--platform", platform]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env={"PATH": os.environ["PATH"]})
    try:
        return json.loads((folder / "report.json").read_text())
    except FileNotFoundError:
        return {"targets": [], "packages": [], "why": done.stderr}


def judge_files(count, label, path, first, preference):
    """Compares the file of each package that each case gets without options."""
    files = listed(load(path))
    report = dry_run(path, files)
    if not report["targets"]:
        return count.refuse(label, [report["why"]])
    for case, target in zip(CASES, report["targets"]):
        selection = taken(first["cases"][case])
        if selection is None:
            continue
        mine = {(package["name"], file["filename"]) for package in report["packages"] for file in package["files"]
                if target["id"] in file["targets"]}
        theirs = set()
        for name, version in selection:
            if files.get(name):
                theirs.add((name, file_by_tags(files[name], version, case, preference)))
        is_gap = not target["solved"]
        lacks = any(file is None for _, file in theirs)
        mine = {pair for pair in mine if files.get(pair[0])}
        count.compare(label, (case, "files"), "no file" if is_gap else mine, "no file" if lacks else theirs)


def file_by_tags(files, version, case, preference):
    """The file of a version that the tool of a lock takes."""
    wheels, sdist = [], None
    for file in files:
        try:
            if file.endswith(".whl"):
                of = packaging.utils.parse_wheel_filename(file)[1]
                wheels += [file] if of == Version(version) else []
            elif packaging.utils.parse_sdist_filename(file)[1] == Version(version):
                sdist = file
        except (packaging.utils.InvalidWheelFilename, packaging.utils.InvalidSdistFilename):
            continue
    return chosen(wheels, sdist, case, preference)


class Count:
    """Answers that were compared, and those that differ."""

    def __init__(self, kind):
        self.kind, self.locks, self.answers, self.different, self.refused = kind, 0, 0, 0, []

    def compare(self, label, case, mine, theirs):
        self.answers += 1
        if mine != theirs:
            self.different += 1
            mine, theirs = ({(answer or "-", "")} if answer is None or isinstance(answer, str) else answer
                            for answer in (mine, theirs))
            print(f"  {label} {case}: too many {sorted(mine - theirs)[:4]}, missing {sorted(theirs - mine)[:4]}")

    def refuse(self, label, why):
        self.refused.append(label)
        print(f"  {label}: refused: {why[:2]}")

    def close(self):
        print(f"{self.kind}: {self.locks} locks, {self.answers} answers, {self.different} different, "
              f"{len(self.refused)} refused")
        return self.different


def load(path):
    with open(path, "rb") as file:
        return tomllib.load(file)


def project_of(folder):
    try:
        return load(folder / "pyproject.toml")
    except (FileNotFoundError, tomllib.TOMLDecodeError):
        return {}


def allows(text, python):
    return not text or SpecifierSet(text).contains(PYTHONS[python], prereleases=True)


def choices(extras, groups):
    """Options with what they ask: nothing, everything, and each name by itself."""
    yield [], {}
    if extras:
        yield ["--all-extras"], {"extras": set(extras)}
    if groups:
        yield ["--all-groups"], {"groups": set(groups)}
        yield ["--no-default-groups"], {"default": False}
    for extra in sorted(extras)[:3]:
        yield ["--extra", extra], {"extras": {extra}}
    for group in sorted(groups)[:3]:
        yield ["--group", group], {"groups": {group}}
        yield ["--only-group", group], {"groups": {group}, "default": False, "project": False}


def judge_uv(kind="uv"):
    count = Count(kind)
    for label, folder, path in projects(kind):
        count.locks += 1
        document, project = load(path), project_of(folder)
        lock, manifest = ref_uv.Lock(path), document.get("manifest", {})
        first = ours(path)
        if "refused" in first:
            count.refuse(label, first["refused"])
            continue
        name = project.get("project", {}).get("name")
        members = manifest.get("members", [])
        top = [p["name"] for p in lock.pk if "." in [p["source"].get(k) for k in ("editable", "virtual", "directory")]]
        roots = [] if kind == "script" else [norm(name)] if name else (top or members) if not project else members
        roots = [root for root in roots if root in lock.by]
        default = project.get("tool", {}).get("uv", {}).get("default-groups", ["dev"])
        extras, groups = set(first["lock"]["extras"]), set(first["lock"]["groups"])
        default = set(groups) if default == "all" else {norm(group) for group in default}
        for options, asked in choices(extras, groups):
            mine = ours(path, *options)
            if "refused" in mine:
                count.refuse(f"{label} {options}", mine["refused"])
                continue
            wanted = asked.get("groups", set()) | (default if asked.get("default", True) else set())
            for case, target in mine["cases"].items():
                env = ref_uv.env(*case)
                supported = document.get("supported-markers")
                theirs = None
                if allows(document.get("requires-python"), case[0]) and (
                        not supported or any(ref_uv.ev(marker, env) for marker in supported)):
                    selected = lock.select(env, roots, extras=asked.get("extras", set()), groups=wanted,
                                           prod=asked.get("project", True))
                    theirs = with_files([p for p in selected if "virtual" not in p["source"]], case)
                    if not asked.get("project", True):
                        script = {r["name"] for r in manifest.get("requirements", [])}
                        theirs = theirs if not script else None
                conflict = any("cannot be had together" in problem for problem in target["problems"])
                if not conflict:
                    count.compare(label, (case, options), taken(target, with_files=True), theirs)
    return count.close()


def judge_pylock():
    count = Count("pylock")
    for label, folder, path in projects("pylock"):
        count.locks += 1
        first = ours(path)
        if "refused" in first:
            count.refuse(label, first["refused"])
            continue
        document = load(path)
        for options, asked in choices(document.get("extras", []), document.get("dependency-groups", [])):
            mine = ours(path, *options)
            wanted = asked.get("groups", set()) | (
                set(document.get("default-groups", [])) if asked.get("default", True) else set())
            for case, target in mine["cases"].items():
                env = ref_uv.env(*case)
                environments = document.get("environments")
                fits = environments is None or any(ref_uv.ev(marker, env) for marker in environments)
                theirs = None
                if allows(document.get("requires-python"), case[0]) and fits:
                    theirs = with_files(
                        [p for p in document["packages"]
                         if list_marker(p.get("marker"), env, asked.get("extras", set()), wanted)], case)
                count.compare(label, (case, options), taken(target, with_files=True), theirs)
    return count.close()


def list_marker(text, env, extras, groups):
    """A marker whose `extras` and `dependency_groups` are sets."""
    if not text:
        return True
    from packaging.markers import Marker
    return Marker(text).evaluate({**env, "extras": set(extras), "dependency_groups": set(groups)}, "lock_file")


def judge_poetry():
    import ref_poetry
    ref_poetry.U.PV.update(PYTHONS)
    import types
    sys.modules["judge_poetry"] = types.SimpleNamespace(
        PV={key: tuple(map(int, value.split("."))) for key, value in PYTHONS.items()})
    count, stale = Count("poetry"), set()
    for label, folder, path in projects("poetry"):
        count.locks += 1
        document, project = load(path), project_of(folder)
        first = ours(path)
        if "refused" in first:
            count.refuse(label, first["refused"])
            continue
        poetry = project.get("tool", {}).get("poetry", {})
        groups = {norm(g) for g in poetry.get("group", {})} | {norm(g) for g in project.get("dependency-groups", {})}
        groups |= {"dev"} if poetry.get("dev-dependencies") else set()
        optional = {norm(g) for g, v in poetry.get("group", {}).items() if v.get("optional")}
        extras = {norm(x) for x in document.get("extras", {})}
        is_new = document["metadata"].get("lock-version", "1.0") == "2.1"
        for options, asked in choices(extras, groups):
            mine = ours(path, *options)
            if "refused" in mine:
                count.refuse(f"{label} {options}", mine["refused"])
                continue
            wanted = asked.get("groups", set()) | (groups - optional if asked.get("default", True) else set())
            wanted |= {"main"} if asked.get("project", True) else set()
            for case, target in mine["cases"].items():
                env = ref_poetry.env(*case)
                ex = asked.get("extras", set())
                selected = ref_poetry.select21(document, env, wanted, ex) if is_new else ref_poetry.select_old(
                    document, project, env, wanted, ex)
                theirs = {(norm(p["name"]), p["version"]) for p in selected}
                wants = document["metadata"].get("python-versions", "*")
                if not ref_poetry.parse_constraint(wants).allows(ref_poetry.PVn.parse(PYTHONS[case[0]])):
                    theirs = None
                elif any("does not have it" in problem for problem in target["problems"]):
                    stale.add(label)
                    continue
                count.compare(label, (case, options), taken(target), theirs)
        judge_files(count, label, path, first, by_build_tag)
    print(f"  older than their pyproject.toml: {sorted(stale)}")
    return count.close()


def judge_pdm():
    count = Count("pdm")
    for label, folder, path in projects("pdm"):
        count.locks += 1
        document = load(path)
        first = ours(path)
        if "refused" in first:
            count.refuse(label, first["refused"])
            continue
        metadata = document.get("metadata", {})
        if "inherit_metadata" not in metadata.get("strategy", []):
            continue
        groups = {norm(g) for g in metadata.get("groups", ["default"])}
        for options, asked in choices([], groups - {"default"}):
            mine = ours(path, *options)
            if "refused" in mine:
                count.refuse(f"{label} {options}", mine["refused"])
                continue
            wanted = asked.get("groups", set()) | (groups if asked.get("default", True) else set())
            wanted |= {"default"} if asked.get("project", True) else set()
            for case, target in mine["cases"].items():
                env = ref_uv.env(*case)
                theirs = {(norm(p["name"]), p.get("version", "")) for p in document["package"]
                          if wanted & {norm(g) for g in p.get("groups", [])} and ref_uv.ev(p.get("marker"), env)}
                mine_here = taken(target)
                if mine_here is None and not fits_pdm(metadata, case[0]):
                    theirs = None
                count.compare(label, (case, options), mine_here, theirs)
        judge_files(count, label, path, first, by_tag)
    return count.close()


def fits_pdm(metadata, python):
    targets = metadata.get("targets")
    return not targets or any(allows(target.get("requires_python"), python) for target in targets)


def judge_pipfile():
    count = Count("pipfile")
    for label, folder, path in projects("pipfile"):
        count.locks += 1
        document = json.loads(path.read_text())
        for options, wanted in ([], ["default"]), (["--group", "develop"], ["default", "develop"]), (
                ["--only-group", "develop"], ["develop"]):
            mine = ours(path, *options)
            if "refused" in mine:
                count.refuse(f"{label} {options}", mine["refused"])
                continue
            for case, target in mine["cases"].items():
                env = ref_uv.env(*case)
                theirs = {}
                for section in wanted:
                    for name, entry in document.get(section, {}).items():
                        if list_marker(entry.get("markers"), env, set(), wanted):
                            version = entry.get("version", "").removeprefix("==")
                            theirs[norm(name)] = "" if version == "*" else version
                count.compare(label, (case, options), taken(target), set(theirs.items()))
    return count.close()


SUBDIRS = {"linux": "linux-64", "windows": "win-64", "macos": "osx-arm64"}


def judge_pixi():
    count = Count("pixi")
    for label, folder, path in projects("pixi"):
        count.locks += 1
        document = yaml.safe_load(path.read_text())
        known = {package.get("pypi") or package.get("url") or package.get("path"): package
                 for package in document.get("packages", []) if "pypi" in package or package.get("kind") == "pypi"}
        for name, environment in document.get("environments", {}).items():
            mine = ours(path, *([] if name == "default" else ["--only-group", name]))
            if "refused" in mine:
                count.refuse(f"{label} {name}", mine["refused"])
                continue
            for case, target in mine["cases"].items():
                references = environment["packages"].get(SUBDIRS[case[1]])
                python = [match[1] for reference in references or [] if (match := re.search(
                    r"/python-(\d+\.\d+)[^/]*$", reference.get("conda", "")))]
                theirs = None
                if references is not None and (not python or python[0] == case[0]):
                    files = [known[reference["pypi"]] for reference in references if "pypi" in reference]
                    theirs = {(norm(p["name"]), p.get("version") or "", pixi_file(p)) for p in files}
                got = taken(target, with_files=True)
                count.compare(label, (case, name), got if got or theirs else None, theirs or None)
    return count.close()


def pixi_file(package):
    """The file of a package; empty where it is a repository or a folder."""
    reference = (package.get("pypi") or package.get("url") or package.get("path")).removeprefix("direct+")
    name = urllib.parse.unquote(reference.split("#")[0].rsplit("/", 1)[-1])
    return name if name.endswith((".whl", ".tar.gz", ".zip")) and not reference.startswith("git+") else ""


JUDGES = {"uv": judge_uv, "script": lambda: judge_uv("script"), "pylock": judge_pylock, "poetry": judge_poetry,
          "pdm": judge_pdm, "pipfile": judge_pipfile, "pixi": judge_pixi}

if __name__ == "__main__":
    found = sum(JUDGES[kind]() for kind in FORMATS or JUDGES)
    sys.exit(1 if found else 0)
