#!/usr/bin/env python3
"""Runs many machines against one real bucket, kills some of them, and compares what they fetched.

    cargo build && AWS_ENDPOINT_URL=http://127.0.0.1:7480 AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… \\
        python tests/judges/shared_store.py --store s3://BUCKET/NEW_PREFIX

The pins are of old releases, so that a machine that finds them in the store asks the index nothing.
The bucket is that of any server that speaks S3 (Ceph's gateway, moto's server), and has to be there. An
index on a free port of this machine serves the files; it counts what it is asked for.
"""
import argparse
import concurrent.futures
import functools
import hashlib
import http.server
import io
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ["--python-version", "3.12", "--platform", "linux-x86_64", "--no-deps"]
SIZES = [20_000] * 6 + [200_000] * 3 + [2_000_000]
LARGE = 25_000_000


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", type=pathlib.Path, default=PROJECT / "target" / "debug" / "prefetch")
    arguments.add_argument("--store", required=True)
    arguments.add_argument("--files", type=int, default=300)
    arguments.add_argument("--runs", type=int, default=20)
    arguments.add_argument("--at-once", type=int, default=5)
    arguments.add_argument("--kills", type=int, default=20)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="prefetch-shared-store-") as folder:
        folder = pathlib.Path(folder)
        with Index(folder / "index", given.files) as index:
            judge(given, Machines(given.binary.resolve(), given.store, folder, index))


def judge(given, machines):
    killed = sum(machines.killed(f"killed-{number}") for number in range(given.kills))
    machines.tell("filled", machines.run("filled"), f"{killed} writers killed before")
    machines.index.requested.clear()
    with concurrent.futures.ThreadPoolExecutor(given.at_once) as pool:
        began = time.monotonic()
        runs = list(pool.map(lambda number: machines.run(f"run-{number}"), range(given.runs)))
        seconds = time.monotonic() - began
    for number, run in enumerate(runs):
        machines.tell(f"run {number}", run)
    asked = machines.index.requested
    print(f"{given.runs} runs of {given.files} files in {seconds:.1f} s; the index was asked {len(asked)} times")
    sys.exit("the index was asked" if asked else 0)


class Machines:
    """Runs of the program, each with a cache of its own."""

    def __init__(self, binary, store, folder, index):
        self.binary, self.store, self.folder, self.index = binary, store, folder, index

    def start(self, name):
        keys = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "AWS_REGION": "us-east-1", **keys}
        place = self.folder / name
        place.mkdir()
        command = [self.binary, "-r", self.index.pins, "--index-url", self.index.url, "--store", self.store, *TARGET]
        command += ["--cache-dir", place / "cache", "-d", place / "out"]
        return subprocess.Popen(command, env=environment, cwd=place, stderr=subprocess.PIPE, text=True)

    def run(self, name):
        process = self.start(name)
        _, told = process.communicate(timeout=600)
        out = self.folder / name / "out"
        found = {path.name: digest(path.read_bytes()) for path in out.iterdir()} if out.is_dir() else {}
        remove(self.folder / name)
        return process.returncode, found == self.index.files, told

    def killed(self, name):
        """Kills a run at a random moment; whether that was before its end."""
        process = self.start(name)
        try:
            process.communicate(timeout=random.uniform(0.2, 1.5))
            return False
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return True
        finally:
            remove(self.folder / name)

    def tell(self, name, run, more=""):
        code, is_right, told = run
        shared = re.findall(r"Shared store: .*|warning: .*", told)
        print(f"{'ok  ' if code == 0 and is_right else 'FAIL'} {name}: {'; '.join(shared)} {more}".rstrip(), flush=True)
        if code != 0 or not is_right or "wrong bytes" in told:
            sys.exit(told)


class Index:
    """An index over files with random content."""

    def __init__(self, folder, count):
        self.requested, self.files = [], {}
        pins = [self.publish(folder, number) for number in range(count)]
        self.pins = folder / "pins.txt"
        self.pins.write_text("".join(pins))
        handler = functools.partial(Handler, self.requested, directory=folder)
        self.server = Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/simple/"

    def publish(self, folder, number):
        name = f"pkg{number:03}"
        size = LARGE if number == 0 else random.choice(SIZES)
        filename, wheel = f"{name}-1.0-py3-none-any.whl", io.BytesIO()
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(f"{name}.bin", random.randbytes(size))
            info = f"{name}-1.0.dist-info"
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\n")
        page, file = folder / "simple" / name / "index.html", folder / "files" / filename
        for path in (page, file):
            path.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(wheel.getvalue())
        self.files[filename] = digest(wheel.getvalue())
        file = {"filename": filename, "url": f"../../files/{filename}", "hashes": {"sha256": self.files[filename]},
                "size": len(wheel.getvalue()), "upload-time": "2020-01-01T00:00:00Z"}
        listing = {"meta": {"api-version": "1.1"}, "name": name, "versions": ["1.0"], "files": [file]}
        page.write_text(json.dumps(listing))
        return f"{name}==1.0\n"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A run that was killed is no error."""


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, requested, *arguments, **options):
        self.requested = requested
        super().__init__(*arguments, **options)

    def guess_type(self, path):
        """Pages are those of PEP 691."""
        return "application/vnd.pypi.simple.v1+json" if str(path).endswith("index.html") else super().guess_type(path)

    def log_message(self, *_):
        self.requested.append(self.path)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def remove(folder):
    subprocess.run(["rm", "-rf", folder], check=True)


if __name__ == "__main__":
    main()
