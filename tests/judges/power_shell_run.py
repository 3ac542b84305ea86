#!/usr/bin/env python3
"""Runs the install.ps1 of bundles in a real PowerShell, and install.sh beside it.

    cargo build && PREFETCH_POWER_SHELL=/path/of/pwsh python tests/judges/power_shell_run.py
    … python tests/judges/power_shell_run.py --binary target/release/prefetch --only signed

Each case is a bundle, what is done to it, how the script is called, the exit code, and words that must be told. The
shell's script must end with the same code. It is for a PowerShell on Unix, where a wrapper of Python makes environments
that look as on Windows; no network is asked. Ends with 1 if any case is wrong.
"""
import argparse
import base64
import dataclasses
import ensurepip
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import typing
import zipfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = getattr(sys, "_base_executable", sys.executable)
HERE = "%d.%d" % sys.version_info[:2]
OTHER = "3.12" if HERE != "3.12" else "3.11"
OLD, NEW = "manylinux_2_28_x86_64", "manylinux_2_34_x86_64"
TARGET = f"cp{HERE.replace('.', '')}-{OLD}"
STRANGER = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
SECONDS = 600
COLOURS = re.compile(r"\x1b\[[0-9;]*m")

# A Python of Windows, where the environments are concerned.
WRAPPER = f"""#!/bin/sh
{PYTHON} "$@" || exit
case "$*" in *'-m venv'*)
    for environment; do :; done
    mkdir -p "$environment/Scripts"
    ln -sf ../bin/python "$environment/Scripts/python.exe"
esac
"""
# It warns at every start, and lacks what puts a pip into environments.
WARNING = f"""#!/bin/sh
echo 'a warning' >&2
case "$*" in *without-pip*) ;; *'-m venv'*) exit 1 ;; esac
exec {PYTHON} "$@"
"""
FAILING = f"""#!/bin/sh
case "$*" in *' install '*) echo 'no room' >&2; exit 23 ;; esac
exec {PYTHON} "$@"
"""
GONE = "#!/bin/sh\necho 'No Python at there' >&2\nexit 103\n"
SHOP = "#!/bin/sh\necho 'Python was not found; look into the shop' >&2\nexit 49\n"


@dataclasses.dataclass
class Case:
    name: str
    code: int
    told: str
    bundle: str = "plain"
    arguments: tuple = ("environment",)
    variables: dict = dataclasses.field(default_factory=dict)
    before: typing.Callable = lambda folder: None
    unpacked: str = "bundle"
    cwd: str = "."
    # How PowerShell is asked, where that is not `-File`.
    command: str = ""
    # Whether install.sh has nothing like it.
    alone: bool = False


def executable(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def interpreter(text):
    """What puts a program in the place of an environment's Python."""
    def act(folder):
        executable(folder / "environment/bin/python", text)
        executable(folder / "environment/Scripts/python.exe", text)
    return act


def without_pip(folder):
    subprocess.run([folder / "python", "-m", "venv", "--without-pip", folder / "environment"], check=True)


def with_pip(folder):
    subprocess.run([folder / "python", "-m", "venv", folder / "environment"], check=True)


def shop(folder):
    """PYTHON is not set; `python` is there only to tell of a shop, and `py` is right."""
    for name in ("python", "python3"):
        executable(folder / "bin" / name, SHOP)
    (folder / "bin/py").symlink_to(folder / "python")


def program(name, text):
    return lambda folder: executable(folder / name, text)


def sums(change):
    def act(folder):
        path = folder / "bundle/SHA256SUMS"
        path.write_text(change(path.read_text()))
    return act


def damage(name):
    def act(folder):
        with open(folder / "bundle" / name, "ab") as file:
            file.write(b" ")
    return act


def remove(name):
    return lambda folder: (folder / "bundle" / name).unlink()


def counterfeit(folder):
    """Another wheel, and its digest in the list."""
    damage("wheels/demo-1.0-py3-none-any.whl")(folder)
    digest = hashlib.sha256((folder / "bundle/wheels/demo-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    sums(lambda text: re.sub("[0-9a-f]{64}(?=  wheels/demo)", digest, text))(folder)


DONE = "Successfully installed demo-1.0 other-2.0"
SIGNED = {"bundle": "signed", "variables": {"PREFETCH_PUBLIC_KEY": "KEY"}}
ALTERED, REFUSED = "SHA256SUMS was altered", "is not understood; see install.ps1 -Help"
IN_A_SESSION = "& ./bundle/install.ps1 environment; exit $LASTEXITCODE"
CASES = [
    Case("a new environment", 0, DONE),
    Case("an environment that is there", 0, DONE, before=with_pip),
    Case("the active environment", 0, DONE, arguments=(), variables={"VIRTUAL_ENV": "environment"}, before=with_pip),
    Case("no environment", 1, "name the virtual environment", arguments=()),
    Case("an environment that cannot be made", 1, "cannot make file/x", arguments=("file/x",), before=program("file", "")),
    Case("an environment whose Python is gone", 1, "the Python of environment does not run", before=interpreter(GONE)),
    Case("an environment whose Python is none", 1, "the Python of environment does not run", before=interpreter("\0")),
    Case("a Python of Unix", 0, DONE, variables={"PYTHON": PYTHON}),
    Case("a Python that there is not", 1, "there is no nothing", variables={"PYTHON": "nothing"}),
    Case("py, and a python that is none", 0, DONE, variables={"PYTHON": "", "PATH": "bin:PATH"}, before=shop, alone=True),
    Case("an option", 1, "-Unknown is not under", arguments=("-Unknown", "environment")),
    Case("two environments", 1, f"more {REFUSED}", arguments=("environment", "more")),
    Case("help", 0, "Installs this bundle", arguments=("--help",)),
    Case("help by its name", 0, "ENVIRONMENT     into", arguments=("-Help",), alone=True),
    Case("a parameter by its name", 0, DONE, arguments=("-Environment", "environment"), alone=True),
    Case("no pip", 1, "has no pip, and the bundle has none for this Python", before=without_pip),
    Case("the pip of the bundle", 0, DONE, bundle="installer", before=without_pip),
    Case("a pip that fails", 23, "no room", before=interpreter(FAILING)),
    Case("a Python without ensurepip", 0, DONE, bundle="installer", before=program("python", WARNING)),
    Case("the Python of no target", 1, f"and the bundle serves cp{OTHER.replace('.', '')}", bundle="native"),
    Case("one of two targets", 0, "Successfully installed two-1.0", bundle="two", variables={"TARGET": TARGET}),
    Case("none of two targets", 1, "the variable TARGET must name which", bundle="two"),
    Case("a target that there is not", 1, "TARGET is cp11-win32, and the bundle serves", bundle="two", variables={"TARGET": "cp11-win32"}),
    Case("a wheel that is damaged", 1, "demo-1.0-py3-none-any.whl was altered", before=damage("wheels/demo-1.0-py3-none-any.whl")),
    Case("a wheel that is missing", 1, "demo-1.0-py3-none-any.whl is missing", before=remove("wheels/demo-1.0-py3-none-any.whl")),
    Case("a manifest that is altered", 1, "prefetch.json was altered", before=damage("prefetch.json")),
    Case("a list of other digests", 1, "was altered; nothing", before=sums(lambda text: text.replace("0", "1"))),
    Case("a list with a line that is none", 1, ALTERED, before=sums(lambda text: text + "what\n")),
    Case("a list with an empty line", 1, ALTERED, before=sums(lambda text: "\n" + text)),
    Case("an empty list", 1, ALTERED, before=sums(lambda text: "")),
    Case("no list", 1, "SHA256SUMS is missing", before=remove("SHA256SUMS")),
    Case("a file that nobody listed", 1, "json.py does not belong", before=program("bundle/json.py", "raise SystemExit('it ran')")),
    Case("signed", 0, DONE, **SIGNED),
    Case("signed by another", 1, "is not signed by the key", bundle="signed", variables={"PREFETCH_PUBLIC_KEY": STRANGER}),
    Case("signed by nobody", 1, "is not signed by the key", **{**SIGNED, "bundle": "plain"}),
    Case("signed, an altered manifest", 1, "is not signed by the key", **SIGNED, before=damage("prefetch.json")),
    Case("signed, a counterfeit", 1, f"{ALTERED}: it does not list", **SIGNED, before=counterfeit),
    Case("signed, without minisign", 1, "there is no minisign", bundle="signed", variables={"PREFETCH_PUBLIC_KEY": "KEY", "PATH": "TOOLS"}),
    Case("spaces", 0, DONE, arguments=("my environment",), unpacked="my bundle"),
    Case("a quote, a dollar and a backtick", 0, DONE, arguments=("it's $HOME",), unpacked="it's a`b $HOME"),
    Case("brackets", 0, DONE, arguments=("e[1]",), unpacked="b[1]"),
    Case("a folder below others", 0, DONE, arguments=("a/b/c",)),
    Case("another working folder", 0, DONE, arguments=("../e",), cwd="x", before=lambda folder: (folder / "x").mkdir()),
    Case("the folder of the user", 0, DONE, arguments=("~/e",)),
    Case("a separator at the end", 0, DONE, arguments=("my environment/",)),
    Case("in a session", 0, DONE, command=IN_A_SESSION),
    Case("in a strict session", 0, DONE, command=f"Set-StrictMode -Version Latest; {IN_A_SESSION}"),
    Case("in a constrained session", 0, DONE, command=f"$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'; {IN_A_SESSION}"),
    Case("no environment, in a constrained session", 1, "name the virtual environment", arguments=(),
         command="$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'; & ./bundle/install.ps1; exit $LASTEXITCODE"),
    Case("warnings into a file", 0, DONE, bundle="installer", before=program("python", WARNING),
         command="& ./bundle/install.ps1 environment *> log; $code = $LASTEXITCODE; Get-Content log; exit $code"),
]


def wheel(folder, name, version, tags="py3-none-any", needs=""):
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: judge\nRoot-Is-Purelib: true\nTag: {tags}\n",
    }
    digests = {path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()) for path, text in files.items()}
    lines = [f"{path},sha256={digest.decode().rstrip('=')},{len(files[path])}" for path, digest in digests.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,\n"])
    with zipfile.ZipFile(folder / f"{name}-{version}-{tags}.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


def make_bundles(binary, folder):
    """A folder for each bundle, and the public key of the signed one."""
    links = folder / "links"
    links.mkdir()
    wheel(links, "demo", "1.0", needs="Requires-Dist: other\n")
    wheel(links, "other", "2.0")
    wheel(links, "two", "1.0")
    abi, other = (f"cp{version.replace('.', '')}" for version in (HERE, OTHER))
    wheel(links, "two", "2.0", f"{abi}-{abi}-{NEW}")
    wheel(links, "native", "1.0", f"{other}-{other}-{OLD}")
    pips = list((pathlib.Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    for pip in pips:
        shutil.copy(pip, links)

    def prefetch(*arguments):
        variables = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PIP_CONFIG_FILE": os.devnull}
        subprocess.run([binary, *arguments], cwd=folder, env=variables, check=True, capture_output=True)

    def bundle(name, *arguments):
        prefetch("--no-index", "-f", "links", "--bundle", f"{name}/", *arguments)

    one = ["--python-version", HERE, "--platform", OLD]
    prefetch("keygen", "key")
    bundle("plain", "demo", *one)
    bundle("signed", "demo", "--sign", "key", *one)
    bundle("native", "native", "--python-version", OTHER, "--platform", OLD)
    bundle("two", "two", *one[:3], f"{NEW},{OLD}")
    if pips:
        bundle("installer", "demo", "--with-installer", *one)
    return (folder / "key.pub").read_text().splitlines()[-1]


def tools(folder):
    """The programs of this machine that a case needs, without minisign."""
    folder.mkdir()
    for name in ("sh", "dirname", "sed"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def run(case, bundles, key, command):
    """The exit code of a script, and what it tells."""
    with tempfile.TemporaryDirectory(prefix="prefetch-power-shell-", ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        executable(folder / "python", WRAPPER)
        shutil.copytree(bundles / case.bundle, folder / case.unpacked)
        case.before(folder)
        variables = {"PATH": "/usr/bin:/bin", "PYTHON": str(folder / "python"), **case.variables}
        path = variables["PATH"].replace("bin:PATH", f"{folder}/bin:/usr/bin:/bin").replace("TOOLS", str(bundles / "tools"))
        variables.update({"HOME": name, "LANG": "C.UTF-8", "PIP_CONFIG_FILE": os.devnull, "PATH": path})
        if variables.get("PREFETCH_PUBLIC_KEY") == "KEY":
            variables["PREFETCH_PUBLIC_KEY"] = key
        script = os.path.relpath(folder / case.unpacked, folder / case.cwd)
        command = [part.replace("BUNDLE", script) for part in command]
        variables = {name: value for name, value in variables.items() if value}
        try:
            done = subprocess.run(command, cwd=folder / case.cwd, env=variables, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return None, f"still at work after {SECONDS} s"
    return done.returncode, COLOURS.sub("", done.stdout + done.stderr)


def judge(case, power_shell, bundles, key):
    """What is wrong, and what the two scripts tell."""
    how = ["-Command", case.command] if case.command else ["-File", "BUNDLE/install.ps1", *case.arguments]
    code, told = run(case, bundles, key, [power_shell, "-NoProfile", "-NonInteractive", *how])
    wrong = [] if code == case.code else [f"ended with {code}, not {case.code}"]
    if case.told not in told:
        wrong.append(f"does not tell `{case.told}`")
    if not case.alone:
        shell, beside = run(case, bundles, key, ["sh", "BUNDLE/install.sh", *case.arguments])
        wrong += [] if shell == code else [f"install.sh ended with {shell}"]
        told += beside
    return wrong, told


def reason_to_leave_out(case, bundles):
    if not (bundles / case.bundle).exists():
        return "this Python comes with no wheel of pip"
    if case.bundle == "signed" and "PATH" not in case.variables and not shutil.which("minisign", path="/usr/bin:/bin"):
        return "there is no minisign"
    return ""


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", type=pathlib.Path, default=PROJECT / "target" / "debug" / "prefetch")
    arguments.add_argument("--only", default="", help="the cases whose name holds this")
    arguments.add_argument("--verbose", action="store_true", help="show what each run tells")
    options = arguments.parse_args()
    power_shell = os.environ.get("PREFETCH_POWER_SHELL") or sys.exit("name a pwsh in the variable PREFETCH_POWER_SHELL")
    version = subprocess.run([power_shell, "-NoProfile", "-Command", "$PSVersionTable.PSVersion.ToString()"],
                             check=True, capture_output=True, text=True).stdout.strip()
    cases, failed, left_out = [case for case in CASES if options.only in case.name], 0, 0
    with tempfile.TemporaryDirectory(prefix="prefetch-bundles-") as name:
        bundles = pathlib.Path(name)
        key = make_bundles(options.binary.resolve(), bundles)
        tools(bundles / "tools")
        for case in cases:
            reason = reason_to_leave_out(case, bundles)
            if reason:
                left_out += 1
                print(f"left out: {case.name}: {reason}")
                continue
            wrong, told = judge(case, power_shell, bundles, key)
            failed += bool(wrong)
            print(f"{'WRONG' if wrong else 'right'}: {case.name}, {case.code}{': ' + '; '.join(wrong) if wrong else ''}", flush=True)
            if wrong or options.verbose:
                print("    " + told.strip().replace("\n", "\n    "))
    print(f"{len(cases) - left_out} cases in PowerShell {version}, {failed} wrong")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
