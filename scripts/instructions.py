"""Counts the instructions of fixed jobs with callgrind, and compares them with the last measure.

The world is made by this file from a seed and served on the loopback: no network, and the same
bytes on every machine. What still differs a little from run to run (threads, hash seeds, ports) is
what the tolerance is for; another compiler may need a new measure.
"""
import base64
import contextlib
import hashlib
import http.server
import io
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib
import zipfile

MEASURE = pathlib.Path(__file__).resolve().parent.parent / "testdata" / "instructions.toml"
TOLERANCE = 0.03
PINS, LONG_PAGE = 300, 20_000
LAYERS, WIDTH, RELEASES = 8, 25, 12
TARGET = ["--python-version", "3.12", "--platform", "linux-x86_64"]
JSON = "application/vnd.pypi.simple.v1+json"


def run(binary, update):
    """Counts every job; 1 where one got dearer than the tolerance allows."""
    if not shutil.which("valgrind"):
        sys.exit("bench: counting instructions needs valgrind")
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="prefetch-count-")))
        counts = Jobs(binary, folder, stack.enter_context(Server(World()))).count()
    if update or not MEASURE.exists():
        MEASURE.write_text(measure(counts))
    return compare(counts, tomllib.loads(MEASURE.read_text()))


def measure(counts):
    lines = [f"{name} = {count:_}\n" for name, count in counts.items()]
    return ("# Instructions of fixed jobs of a release build; `scripts/bench --instructions` counts and compares them.\n"
            f'compiler = "{compiler()}"\ntolerance = {TOLERANCE}\n\n[counts]\n' + "".join(lines))


def compiler():
    told = subprocess.run(["rustc", "-vV"], capture_output=True, text=True).stdout
    return " ".join(re.findall(r"^(?:host|release): (\S+)", told, re.M))


def compare(counts, known):
    if known["compiler"] != compiler():
        print(f"bench: the last measure is of another compiler: {known['compiler']}", file=sys.stderr)
    print(f"{'job':<12} {'instructions':>15} {'before':>15} {'change':>8}")
    worst = 0.0
    for name, count in counts.items():
        before = known["counts"].get(name, count)
        change = count / before - 1
        worst = max(worst, change)
        print(f"{name:<12} {count:>15,} {before:>15,} {change:>+8.1%}")
    if worst > known["tolerance"]:
        print(f"bench: a job costs over {known['tolerance']:.0%} more than before; if it must, use --update", file=sys.stderr)
        return 1
    return 0


class Jobs:
    """What is counted, in folders that each start from a copy of the same cache."""

    def __init__(self, binary, folder, server):
        self.binary, self.folder, self.url = binary, folder, server.url
        pins = server.world.pins
        self.pins = self.requirements("pins", [f"{name}==1.0" for name in pins])
        self.tops = self.requirements("tops", server.world.tops)
        self.cache = folder / "cache"

    def requirements(self, name, lines):
        path = self.folder / f"{name}.txt"
        path.write_text("\n".join(lines) + "\n")
        return ["-r", path]

    def count(self):
        self.call([*self.pins, "--no-deps", "--dest", self.folder / "first"])
        self.call([*self.tops, "--dry-run"])
        bundle = ["--offline", "--no-deps", "--bundle", self.folder / "bundle.tar"]
        jobs = {
            "warm-300": [*self.pins, "--no-deps", "--dest", self.folder / "second"],
            "there-300": [*self.pins, "--no-deps", "--dest", self.folder / "second"],
            "resolve": [*self.tops, "--dry-run"],
            "page-20000": ["long==1.0", "--no-deps", "--dry-run", "--refresh"],
            "pack": [*self.pins, *bundle],
        }
        return {name: self.instructions(words) for name, words in jobs.items()}

    def call(self, words, under=()):
        words = [*under, self.binary, *words, *TARGET, "--index-url", self.url, "--cache-dir", self.cache]
        # Sleeping threads wake for nothing: as many as needed, the same on every machine.
        environment = {"PATH": os.defpath, "HOME": str(self.folder), "TOKIO_WORKER_THREADS": "2", "PIP_CONFIG_FILE": os.devnull}
        done = subprocess.run(list(map(str, words)), env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"bench: {' '.join(map(str, words))}\n{done.stderr}")
        return done.stderr

    def instructions(self, words):
        told = self.call(words, ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"])
        return int(re.search(r"Collected : (\d+)", told)[1])


class World:
    """Everything that is served: paths to bytes."""

    def __init__(self, seed=1):
        self.choice = random.Random(seed)
        self.paths = {}
        self.pins = [f"pin-{number}" for number in range(PINS)]
        for name in self.pins:
            self.publish(name, {"1.0": self.wheel(name, "1.0", [])}, listed=self.choice.randrange(5, 120))
        self.publish("long", {"1.0": self.wheel("long", "1.0", [])}, listed=LONG_PAGE)
        self.tops = [f"layer-0-{number}" for number in range(WIDTH)]
        for layer in reversed(range(LAYERS)):
            for number in range(WIDTH):
                self.graph(layer, number)

    def graph(self, layer, number):
        """A project whose releases need some of the next layer, and not always its newest."""
        name = f"layer-{layer}-{number}"
        wheels = {}
        for release in range(RELEASES):
            needs = self.choice.sample(range(WIDTH), 3) if layer + 1 < LAYERS else []
            bounds = [f"layer-{layer + 1}-{need}{self.bound()}" for need in needs]
            markers = [f"absent-{number}; sys_platform == 'win32'", f"extra-{number}; extra == 'test'"]
            wheels[f"1.{release}"] = self.wheel(name, f"1.{release}", [*bounds, *markers])
        self.publish(name, wheels)

    def bound(self):
        kind = self.choice.random()
        if kind < 0.3:
            return f"<1.{self.choice.randrange(RELEASES // 2, RELEASES)}"
        return f">=1.{self.choice.randrange(RELEASES // 2)}" + (f",!=1.{RELEASES - 1}" if kind < 0.4 else "")

    def wheel(self, name, version, needs):
        stem = f"{name.replace('-', '_')}-{version}"
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", "Provides-Extra: test"]
        metadata = "\n".join([*lines, *(f"Requires-Dist: {need}" for need in needs), "", "A description.", ""]).encode()
        archive = io.BytesIO()
        contents = {
            f"{stem}.dist-info/METADATA": metadata,
            f"{stem}.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
            f"{stem}/data": self.choice.randbytes(self.choice.randrange(1_000, 20_000)),
        }
        record = f"{stem}.dist-info/RECORD"
        lines = [f"{path},sha256={digest(content)},{len(content)}\n" for path, content in contents.items()]
        contents[record] = "".join([*lines, f"{record},,\n"]).encode()
        with zipfile.ZipFile(archive, "w") as members:
            for path, content in contents.items():
                members.writestr(zipfile.ZipInfo(path), content)
        return archive.getvalue(), metadata

    def publish(self, name, wheels, listed=0):
        """The wheels, and as many more files that are only listed, of versions below 1."""
        stem = name.replace("-", "_")
        files = [self.entry(f"{stem}-0.{older}-py3-none-any.whl", f"{name}{older}".encode(), b"") for older in range(listed)]
        for version, (wheel, metadata) in wheels.items():
            filename = f"{stem}-{version}-py3-none-any.whl"
            self.paths[f"/files/{filename}"] = wheel
            self.paths[f"/files/{filename}.metadata"] = metadata
            files.append(self.entry(filename, wheel, metadata))
        page = {"meta": {"api-version": "1.1"}, "name": name, "files": files}
        self.paths[f"/simple/{name}/"] = json.dumps(page).encode()

    def entry(self, filename, wheel, metadata):
        digest = {"sha256": hashlib.sha256(metadata).hexdigest()}
        return {"filename": filename, "url": f"../../files/{filename}", "hashes": {"sha256": hashlib.sha256(wheel).hexdigest()},
                "requires-python": ">=3.8", "size": len(wheel), "yanked": False, "core-metadata": digest,
                "data-dist-info-metadata": digest, "upload-time": "2024-01-01T00:00:00.000000Z"}


def digest(content):
    """As a RECORD has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, world):
        super().__init__(("127.0.0.1", 0), Answer)
        self.world = world
        self.url = f"http://127.0.0.1:{self.server_address[1]}/simple/"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.server.world.paths.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", JSON if self.path.startswith("/simple/") else "application/octet-stream")
        self.send_header("Content-Length", str(len(body or b"")))
        self.send_header("Cache-Control", "max-age=31536000")
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_):
        """Nobody reads it."""
