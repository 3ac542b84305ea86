#!/usr/bin/env python3
"""Pushes to real registries, pypiserver and devpi, and compares what they then serve.

    cargo build && python tests/judges/registries.py
    python tests/judges/registries.py --servers VENV --binary target/release/prefetch

The registries are packages of the Python index. `--servers` names a virtual environment that has them;
without it one is made in a temporary folder. They run as processes of this script on free ports of this
machine, and a registry that cannot be installed or started is a failure.
"""
import argparse
import base64
import hashlib
import io
import os
import pathlib
import re
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import venv
import zipfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ["pypiserver", "passlib", "devpi-server", "devpi-client"]
PATIENCE = 60


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", type=pathlib.Path, default=PROJECT / "target" / "debug" / "prefetch")
    arguments.add_argument("--servers", type=pathlib.Path)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="prefetch-registries-") as folder:
        folder = pathlib.Path(folder)
        servers = given.servers or install(folder / "servers")
        for registry in (Pypiserver, Devpi):
            with registry(servers.resolve() / "bin", folder / registry.__name__.lower()) as started:
                judge(given.binary.resolve(), started)


def install(place):
    venv.create(place, with_pip=True)
    subprocess.run([place / "bin" / "pip", "install", "--quiet", *PACKAGES], check=True)
    return place


def judge(binary, registry):
    files = publish(registry.folder / "files")
    push = Push(binary, registry)
    first = push("files")
    check(first.returncode == 0, "everything is pushed", first)
    check(served(registry) == files, "what is served is what was pushed", served(registry))
    again = push("files")
    check(again.returncode == 0 and f"{len(files)} were there already" in again.stderr, "nothing is pushed twice", again)
    fetched = push.run(["demo", "kit", "--index-url", registry.index, "-d", "back", *TARGET])
    newest = {name: files[name] for name in ("demo-1.1-py3-none-any.whl", "kit-2.0.tar.gz")}
    check(fetched.returncode == 0 and digests(registry.folder / "back") == newest, "it is fetched again", fetched)
    others = registry.folder / "others"
    publish(others, salt="other")
    (others / "new-1.0-py3-none-any.whl").write_bytes(wheel("new", "1.0", ""))
    refused = push("others")
    check(refused.returncode == 5 and "with other bytes" in refused.stderr, "other bytes are a conflict", refused)
    check(served(registry) == files, "a conflict changes nothing", served(registry))
    unchecked = push("others", "--check-url", registry.empty_index())
    check(unchecked.returncode == 4, "the registry itself refuses other bytes", unchecked)
    kept = {name: digest for name, digest in served(registry).items() if name in files}
    check(kept == files, "what was there stays", kept)
    (registry.folder / "late").mkdir()
    (registry.folder / "late" / "late-1.0-py3-none-any.whl").write_bytes(wheel("late", "1.0", ""))
    stranger = push("late", to=registry.as_user("me", "wrong"))
    check(stranger.returncode == 4 and "wrong@" not in stranger.stderr, "a wrong password is refused", stranger)


def check(is_right, what, seen):
    print(f"{'ok  ' if is_right else 'FAIL'} {what}", flush=True)
    if not is_right:
        sys.exit(f"{seen}\n{getattr(seen, 'stderr', '')}")


TARGET = ["--python-version", "3.12", "--platform", "linux-x86_64"]


class Push:
    def __init__(self, binary, registry):
        self.binary, self.registry = binary, registry

    def __call__(self, folder, *more, to=None):
        return self.run(["push", folder, "--to", to or self.registry.as_user("me", "sesame"), *more])

    def run(self, arguments):
        folder = self.registry.folder
        environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "PREFETCH_CACHE_DIR": str(folder / "cache")}
        command = [self.binary, *arguments]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


class Registry:
    """A server on a free port that is ended with the block."""

    def __init__(self, programs, folder):
        self.programs, self.folder, self.port = programs, folder, free_port()
        self.root = f"http://127.0.0.1:{self.port}"
        folder.mkdir(parents=True)

    def __enter__(self):
        print(f"-- {type(self).__name__}", flush=True)
        log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(self.command(), stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        try:
            self.wait()
            self.prepare()
        except BaseException:
            self.__exit__()
            print((self.folder / "log").read_text()[-3000:], file=sys.stderr)
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)

    def wait(self):
        for _ in range(PATIENCE * 10):
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended with {self.process.returncode}")
            try:
                return urllib.request.urlopen(self.root, timeout=PATIENCE).close()
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("it does not answer")

    def prepare(self):
        pass

    def as_user(self, user, password):
        return self.upload.replace("://", f"://{user}:{password}@")

    def empty_index(self):
        """The index of a folder, as a URL without any project."""
        empty = self.folder / "empty"
        empty.mkdir(exist_ok=True)
        return empty.as_uri() + "/"


class Pypiserver(Registry):
    @property
    def upload(self):
        return f"{self.root}/"

    @property
    def index(self):
        return f"{self.root}/simple/"

    def command(self):
        users, packages = self.folder / "users", self.folder / "packages"
        packages.mkdir()
        # as htpasswd -s writes it
        password = base64.b64encode(hashlib.sha1(b"sesame").digest()).decode()
        users.write_text(f"me:{{SHA}}{password}\n")
        run = [self.programs / "pypi-server", "run", "-i", "127.0.0.1", "-p", str(self.port)]
        return [*run, "-P", users, "-a", "update", "--disable-fallback", packages]


class Devpi(Registry):
    upload = property(lambda self: f"{self.root}/me/stable/")
    index = property(lambda self: f"{self.root}/me/stable/+simple/")

    def command(self):
        data = self.folder / "data"
        subprocess.run([self.programs / "devpi-init", "--serverdir", data], check=True, capture_output=True)
        return [self.programs / "devpi-server", "--serverdir", data, "--host", "127.0.0.1", "--port", str(self.port)]

    def prepare(self):
        client = self.folder / "client"
        for words in (
            ["use", self.root],
            ["user", "-c", "me", "password=sesame"],
            ["login", "me", "--password=sesame"],
            ["index", "-c", "stable", "bases=", "volatile=False"],
        ):
            command = [self.programs / "devpi", words[0], "--clientdir", client, *words[1:]]
            subprocess.run(command, check=True, capture_output=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def publish(folder, salt=""):
    """Writes wheels and source archives; returns their digests by name."""
    folder.mkdir()
    (folder / "demo-1.0-py3-none-any.whl").write_bytes(wheel("demo", "1.0", salt))
    (folder / "demo-1.1-py3-none-any.whl").write_bytes(wheel("demo", "1.1", salt))
    (folder / "kit-2.0.tar.gz").write_bytes(source("kit", "2.0", salt))
    (folder / "large_one-3.0-cp312-cp312-manylinux_2_17_x86_64.whl").write_bytes(wheel("large_one", "3.0", salt, 5_000_000))
    return digests(folder) if not salt else None


def metadata(name, version):
    return (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: a {name}\nAuthor: Zo\u00eb\n"
        "Classifier: Programming Language :: Python :: 3\nRequires-Python: >=3.8\n"
        f"Description-Content-Type: text/markdown\n\n# {name}\n\ntext\n"
    )


def wheel(name, version, salt, size=0):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{name}.py", f"# {salt}\n" + "x" * size)
        archive.writestr(f"{name}-{version}.dist-info/METADATA", metadata(name, version))
        archive.writestr(f"{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        archive.writestr(f"{name}-{version}.dist-info/RECORD", "")
    return packed.getvalue()


def source(name, version, salt):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, text in [("PKG-INFO", metadata(name, version).replace("2.1", "2.2")), ("setup.py", f"# {salt}\n")]:
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def served(registry):
    """The digests of what the registry serves, by name."""
    found = {}
    for project in ("demo", "kit", "large-one", "new"):
        page_url = f"{registry.index}{project}/"
        try:
            with urllib.request.urlopen(page_url) as answer:
                page = answer.read().decode()
        except urllib.error.HTTPError:
            continue
        for href in re.findall(r'href="([^"#]+)', page):
            if href.endswith((".whl", ".tar.gz")):
                with urllib.request.urlopen(urllib.parse.urljoin(page_url, href)) as answer:
                    found[href.rsplit("/", 1)[1]] = hashlib.sha256(answer.read()).hexdigest()
    return found


if __name__ == "__main__":
    main()
