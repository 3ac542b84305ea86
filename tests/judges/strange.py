#!/usr/bin/env python3
"""Fetches from servers that do what servers should not, and looks at how each run ends.

    cargo build && python tests/judges/strange.py
    python tests/judges/strange.py --binary target/release/prefetch --only gzip

Each case is a way to answer, an exit code and words that must be told. Every run must end within
two minutes, tell no panic, keep no file that is not what the index promised, and give no name to
one. Ends with 1 if any case is wrong.
"""
import argparse
import gzip
import hashlib
import io
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
NAME = "demo-1-py3-none-any.whl"
PAGE, FILE, METADATA = "/simple/demo/", f"/files/{NAME}", f"/files/{NAME}.metadata"
MOST_SECONDS = 120


def wheel():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr(zipfile.ZipInfo("demo-1.dist-info/METADATA"), "Metadata-Version: 2.1\nName: demo\nVersion: 1\n")
        members.writestr(zipfile.ZipInfo("demo/data"), os.urandom(300_000))
    return archive.getvalue()


WHEEL = wheel()
DIGEST = hashlib.sha256(WHEEL).hexdigest()
LINK = f'<a href="{FILE}#sha256={DIGEST}">{NAME}</a>'.encode()
SIZED = json.dumps({"meta": {"api-version": "1.1"}, "name": "demo", "versions": ["1"], "files": [
    {"filename": NAME, "url": FILE, "hashes": {"sha256": DIGEST}, "size": len(WHEEL)}]}).encode()
LOGIN = b"<!DOCTYPE html><title>Sign in</title><form method=post><input name=user></form>"


def answer(body, status="200 OK", *headers, length=True):
    lines = [f"HTTP/1.1 {status}", *headers]
    if length and not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def page(body=LINK, *headers, status="200 OK"):
    return answer(body, status, "Content-Type: text/html", *headers)


class Case:
    """A way to answer some path. `act` gets the connection, the request and how often it was asked."""

    def __init__(self, name, path, act, code, told=(), sized=False):
        self.name, self.path, self.act, self.code, self.told, self.sized = name, path, act, code, told, sized


def say(reply):
    """Always the same bytes, then the end."""
    return lambda connection, request, times: connection.sendall(reply)


def first(count, reply, then):
    return lambda connection, request, times: connection.sendall(reply if times <= count else then)


def drip(head, piece, pause, count=10_000):
    def act(connection, request, times):
        connection.sendall(head)
        for _ in range(count):
            connection.sendall(piece)
            time.sleep(pause)
    return act


def silent(connection, request, times):
    time.sleep(MOST_SECONDS)


def reset(connection, request, times):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def in_chunks(*pieces, end=b"0\r\n\r\n"):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def forever(connection, request, times):
    connection.sendall(answer(b"", "200 OK", "Content-Type: text/html", "Transfer-Encoding: chunked"))
    while True:
        connection.sendall(in_chunks(b" " * 65536, end=b""))


def endless_redirects(connection, request, times):
    place = f"Location: {request['path'].split('?')[0]}?{times}"
    connection.sendall(answer(b"", "302 Found", place, "Connection: close"))


def half_then_416(connection, request, times):
    if "range" in request:
        connection.sendall(answer(b"", "416 Range Not Satisfiable", f"Content-Range: bytes */{len(WHEEL)}"))
    elif times == 1:
        connection.sendall(answer(WHEEL[:200_000], "200 OK", f"Content-Length: {len(WHEEL)}", "ETag: \"1\""))
    else:
        connection.sendall(answer(WHEEL))


def multipart(connection, request, times):
    if "range" not in request:
        return connection.sendall(answer(WHEEL[:290_000], "200 OK", f"Content-Length: {len(WHEEL)}", 'ETag: "1"'))
    body = b"--x\r\nContent-Range: bytes 0-1/2\r\n\r\nPK\r\n--x--\r\n"
    return connection.sendall(answer(body, "206 Partial Content", "Content-Type: multipart/byteranges; boundary=x"))


def another_range(connection, request, times):
    """The rest, but of other bytes than it says."""
    if "range" not in request and times == 1:
        return connection.sendall(answer(WHEEL[:290_000], "200 OK", f"Content-Length: {len(WHEEL)}", 'ETag: "1"'))
    if "range" in request:
        start = int(request["range"].split("=")[1].rstrip("-"))
        head = f"Content-Range: bytes {start}-{len(WHEEL) - 1}/{len(WHEEL)}"
        return connection.sendall(answer(b"x" * (len(WHEEL) - start), "206 Partial Content", head, 'ETag: "1"'))
    return connection.sendall(answer(WHEEL))


def date(seconds):
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))


BOMB = gzip.compress(b" " * (300 << 20), 9)
GOOD_FILE = answer(WHEEL)
PACKED = gzip.compress(LINK)
CUT_CODE = 4
CASES = [
    # pages
    Case("headers that drip for ever", PAGE, drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", 0.3), 4, ["--timeout"]),
    Case("a body that drips, but ends", PAGE, drip(page(b"", f"Content-Length: {len(LINK)}"), b"", 0, 0), 4, ["broke off"]),
    Case("a silent server", PAGE, silent, 4, ["silent", "--timeout"]),
    Case("a reset at once", PAGE, reset, 4, ["could not be reached"]),
    Case("an end without a word", PAGE, say(b""), 4, ["could not be reached"]),
    Case("a greeting of another protocol", PAGE, say(b"SSH-2.0-OpenSSH_9.2\r\n"), 4, ["could not be reached"]),
    Case("redirects without end", PAGE, endless_redirects, 4, ["more than 20 redirects"]),
    Case("a redirect to nowhere", PAGE, say(answer(b"", "302 Found", "Location: http://[")), 4, ["no URL"]),
    Case("a redirect without a place", PAGE, say(answer(b"", "302 Found")), 4, ["302"]),
    Case("a redirect to javascript", PAGE, say(answer(b"", "302 Found", "Location: javascript:alert(1)")), 4, ["javascript:"]),
    Case("a page without end", PAGE, forever, 4, ["no page"]),
    Case("chunks whose size is none", PAGE, say(page(b"xyz\r\nabc", "Transfer-Encoding: chunked")), 4, ["broke off"]),
    Case("chunks that end early", PAGE, say(page(in_chunks(LINK, end=b""), "Transfer-Encoding: chunked")), 4, ["broke off"]),
    Case("length and chunks at once", PAGE,
         say(page(in_chunks(LINK), "Transfer-Encoding: chunked", "Content-Length: 5")), None),
    Case("two lengths", PAGE, say(page(LINK, "Content-Length: 5", f"Content-Length: {len(LINK)}")), 4),
    Case("a length below zero", PAGE, say(page(LINK, "Content-Length: -1")), 4),
    Case("a length beyond all bounds", PAGE, say(page(LINK, "Content-Length: 18446744073709551615")), 4),
    Case("a length that is too long", PAGE, say(page(LINK, f"Content-Length: {len(LINK) + 9}")), 4, ["broke off"]),
    Case("gzip with the length of what is unpacked", PAGE,
         say(page(PACKED, "Content-Encoding: gzip", f"Content-Length: {len(LINK) + 200}")), 4, ["broke off"]),
    Case("gzip that is right", PAGE, say(page(PACKED, "Content-Encoding: gzip")), 0),
    Case("gzip that is none", PAGE, say(page(LINK, "Content-Encoding: gzip")), 4, ["unpacked"]),
    Case("gzip that nobody asked for, cut", PAGE, say(page(PACKED[:-9], "Content-Encoding: gzip")), 4, ["unpacked"]),
    Case("300 MB in 300 KB", PAGE, say(page(BOMB, "Content-Encoding: gzip")), 4, ["no page"]),
    Case("an encoding that nobody knows", PAGE, say(page(LINK, "Content-Encoding: br")), None, ["demo"]),
    Case("206 to a plain request for a page", PAGE,
         say(page(LINK, f"Content-Range: bytes 0-{len(LINK) - 1}/999", status="206 Partial Content")), None, ["demo"]),
    Case("204", PAGE, say(b"HTTP/1.1 204 No Content\r\n\r\n"), None, ["demo"]),
    Case("304 to who has nothing", PAGE, say(b"HTTP/1.1 304 Not Modified\r\n\r\n"), 4, ["304"]),
    Case("200 with nothing", PAGE, say(page(b"")), 3, ["demo"]),
    Case("100 before it all", PAGE, say(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + page()), 0),
    Case("103 before it all", PAGE, say(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + page()), 0),
    Case("status 999", PAGE, say(answer(b"", "999 No")), 4, ["999"]),
    Case("status 000", PAGE, say(answer(b"", "000 No")), 4),
    Case("HTTP/1.0 until the end", PAGE, say(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + LINK), 0),
    Case("HTTP/0.9", PAGE, say(LINK), 4),
    Case("a giant header", PAGE, say(page(LINK, "X-Giant: " + "x" * 2_000_000)), 4, ["could not be reached"]),
    Case("a thousand headers", PAGE, say(page(LINK, *[f"X-{n}: y" for n in range(1000)])), None),
    Case("headers that are no text", PAGE, say(page(LINK, "ETag: \"\xff\xfe\"", "X: \x01".replace("\x01", "\x7f"))), None),
    Case("a header without a colon", PAGE, say(page(LINK, "nonsense")), 4),
    Case("a login page", PAGE, say(page(LOGIN)), None, ["demo"]),
    Case("JSON that is HTML", PAGE, say(answer(LINK, "200 OK", "Content-Type: application/vnd.pypi.simple.v1+json")), 4, ["demo"]),
    Case("an image", PAGE, say(answer(b"\x89PNG", "200 OK", "Content-Type: image/png")), None, ["demo"]),
    Case("Retry-After in the past", PAGE, first(1, answer(b"", "503 Later", f"Retry-After: {date(-9999)}", f"Date: {date(0)}"), page()), 0),
    Case("Retry-After by a clock that is a year ahead", PAGE,
         first(1, answer(b"", "503 Later", f"Retry-After: {date(366 * 86400 + 1)}", f"Date: {date(366 * 86400)}"), page()), 0),
    Case("Retry-After of a year", PAGE, say(answer(b"", "429 Slow", "Retry-After: 31536000")), 4, ["429", "31536000"]),
    Case("Retry-After that is nonsense", PAGE, first(1, answer(b"", "503 Later", "Retry-After: soon"), page()), 0),
    Case("401 of a kind that is not spoken", PAGE, say(answer(b"", "401 No", "WWW-Authenticate: Negotiate")), 4, ["401"]),
    Case("407 from a server", PAGE, say(answer(b"", "407 No")), 4, ["407", "proxy"]),
    Case("421", PAGE, say(answer(b"", "421 Misdirected")), 4, ["421"]),
    Case("451", PAGE, say(answer(b"", "451 Unavailable For Legal Reasons")), 4, ["451"]),
    # metadata files
    Case("metadata in pieces of nothing", METADATA, say(answer(b"")), 0),
    Case("metadata that is a login page", METADATA, say(answer(LOGIN)), 0),
    Case("metadata gone", METADATA, say(answer(b"", "410 Gone")), 0),
    # files
    Case("a login page in place of a wheel", FILE, say(page(LOGIN)), 5, ["promised", FILE]),
    Case("nothing in place of a wheel", FILE, say(answer(b"")), 5, [FILE]),
    Case("204 in place of a wheel", FILE, say(b"HTTP/1.1 204 No Content\r\n\r\n"), 4, ["204"]),
    Case("206 to a plain request", FILE,
         say(answer(WHEEL, "206 Partial Content", f"Content-Range: bytes 0-{len(WHEEL) - 1}/{len(WHEEL)}")), None, [FILE]),
    Case("416 to a plain request", FILE, say(answer(b"", "416 No")), 4, ["416"]),
    Case("416 to the rest", FILE, half_then_416, 0),
    Case("several ranges to one", FILE, multipart, 4, ["broke off"]),
    Case("a rest that is not", FILE, another_range, 0),
    Case("HTTP/1.0 until the end, cut", FILE, say(b"HTTP/1.0 200 OK\r\n\r\n" + WHEEL[:1000]), 5, ["promised"]),
    Case("HTTP/1.0 until the end, whole", FILE, say(b"HTTP/1.0 200 OK\r\n\r\n" + WHEEL), 0),
    Case("gzip with a wrong length", FILE,
         say(answer(gzip.compress(WHEEL), "200 OK", "Content-Encoding: gzip", f"Content-Length: {len(WHEEL) * 2}")), 4, ["broke off"]),
    Case("gzip that nobody asked for", FILE, say(answer(gzip.compress(WHEEL), "200 OK", "Content-Encoding: gzip")), 5, ["promised"]),
    Case("more than was said", FILE, say(answer(WHEEL + b"x" * 999, "200 OK", f"Content-Length: {len(WHEEL)}")), 0),
    Case("more than was promised", FILE, say(answer(WHEEL + b"x" * 999)), 5, ["promised"]),
    Case("a file without end", FILE, forever, 5, ["expected"], sized=True),
    Case("a file that drips, but steadily", FILE,
         drip(answer(b"", "200 OK", f"Content-Length: {len(WHEEL)}"), b"", 0.1, 3), 4, ["broke off"]),
    Case("a file on another scheme", FILE, say(answer(b"", "302 Found", "Location: ftp://127.0.0.1/x")), 4, ["ftp:"]),
    Case("a file by way of a redirect with a password", FILE,
         say(answer(b"", "307 There", "Location: http://me:sesame@127.0.0.1:9/x")), 4, ["****@127.0.0.1:9"]),
    Case("HTML with status 500, then the file", FILE, first(2, page(LOGIN, status="500 Oops"), GOOD_FILE), 0),
    Case("wrong bytes, then the file", FILE, first(1, answer(b"x" * len(WHEEL)), GOOD_FILE), 0),
    Case("wrong bytes for ever", FILE, say(answer(b"x" * len(WHEEL))), 5, ["promised", DIGEST]),
]


class Server:
    def __init__(self):
        self.socket, self.case, self.times = socket.create_server(("127.0.0.1", 0)), None, 0
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=[connection, self.case], daemon=True).start()

    def serve(self, connection, case):
        try:
            with connection:
                request = read_request(connection)
                if request and request["path"].split("?")[0] == case.path:
                    self.times += 1
                    case.act(connection, request, self.times)
                elif request:
                    connection.sendall(self.right(request["path"]))
        except OSError:
            """A client that goes away is no news."""

    def right(self, path):
        if path == PAGE:
            attribute = b'data-core-metadata="true" ' if self.case.path == METADATA else b""
            if self.case.sized:
                return answer(SIZED, "200 OK", "Content-Type: application/vnd.pypi.simple.v1+json", "Connection: close")
            return page(LINK.replace(b"<a ", b"<a " + attribute), "Connection: close")
        if path == FILE:
            return answer(WHEEL, "200 OK", "Connection: close")
        return answer(b"", "404 Not Found", "Connection: close")


def read_request(connection):
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(65536)
        if not piece:
            return None
        head += piece
    lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    return {**fields, "path": lines[0].split(" ")[1]}


def judge(server, binary, case, folder):
    """What is wrong with how a run ended; nothing where nothing is."""
    server.case, server.times = case, 0
    command = [binary, "demo", "--python-version", "3.12", "--platform", "linux-x86_64", "-i", f"{server.url}/simple/",
               "--cache-dir", folder / "cache", "-d", folder / "out", "--retries", "2", "--timeout", "1"]
    environment = {"PATH": "", "HOME": str(folder), "PIP_CONFIG_FILE": os.devnull}
    began = time.monotonic()
    try:
        run = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired:
        return f"it is still at work after {MOST_SECONDS} s", "", 0
    wrong, told = [], run.stdout + run.stderr
    if run.returncode != case.code and (case.code is not None or run.returncode not in (0, 3, 4, 5)):
        wrong.append(f"ended with {run.returncode}, not {case.code}")
    if run.returncode != 0:
        wrong += [f"does not tell `{words}`" for words in case.told if words not in told]
    wrong += [f"tells `{words}`" for words in ("panicked", "sesame") if words in told]
    kept = [path for path in (folder / "cache" / "objects-v1").glob("*/*") if path.is_file()]
    wrong += [f"{path.name} is damaged" for path in kept
              if hashlib.sha256(path.read_bytes()).hexdigest() != path.parent.name + path.name]
    out = list((folder / "out").glob("*")) if run.returncode else []
    wrong += [f"{path.name} was written" for path in out]
    if run.returncode == 0 and (folder / "out" / NAME).read_bytes() != WHEEL:
        wrong.append("the wheel is another")
    return "; ".join(wrong), told, time.monotonic() - began


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", type=pathlib.Path, default=PROJECT / "target" / "debug" / "prefetch")
    arguments.add_argument("--only", default="", help="the cases whose name holds this")
    arguments.add_argument("--verbose", action="store_true", help="show what each run tells")
    options = arguments.parse_args()
    server, failed, cases = Server(), 0, [case for case in CASES if options.only in case.name]
    for case in cases:
        with tempfile.TemporaryDirectory(prefix="prefetch-strange-") as folder:
            wrong, told, seconds = judge(server, options.binary.resolve(), case, pathlib.Path(folder))
        failed += bool(wrong)
        print(f"{'WRONG' if wrong else 'right'}: {case.path.split('/')[1]}, {case.name} ({seconds:.1f} s){': ' + wrong if wrong else ''}")
        if wrong or options.verbose:
            print("    " + told.strip().replace("\n", "\n    "))
    print(f"{len(cases)} cases, {failed} wrong")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
