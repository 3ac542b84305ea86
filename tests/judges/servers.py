#!/usr/bin/env python3
"""Fetches through real servers: nginx with TLS 1.3, HTTP/2 and a private authority, with passwords,
client certificates and a bandwidth limit; CONNECT proxies (squid, tinyproxy); SOCKS proxies (dante,
microsocks).

    cargo build && python tests/judges/servers.py
    PATH=$PATH:/usr/sbin python tests/judges/servers.py --binary target/release/prefetch

All are packages of Debian (nginx, squid, tinyproxy-bin, dante-server, microsocks), found on PATH, and
run as processes of this script on free ports. The cases of a proxy are left out, and that is said,
where it is missing; that of the platform's trust store, too, where this does not run as root.
"""
import argparse
import hashlib
import io
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PATH = os.environ["PATH"] + ":/usr/sbin"
TARGET = ["--python-version", "3.12", "--platform", "linux-x86_64"]
SIZES = {"small": 5_000, "middle": 900_000, "large": 12_000_000}

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
    log_format judge '$server_port "$request" $status $ssl_protocol $remote_user "$http_range" connection=$connection';
    access_log {folder}/access.log judge;
    types {{ text/html html; }} default_type application/octet-stream;
    gzip on; gzip_types text/html; gzip_min_length 1;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    root {folder}/www; index index.html;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key; ssl_protocols TLSv1.3;
    server {{ listen 127.0.0.1:{plain}; }}
    server {{ listen 127.0.0.1:{tls} ssl http2; }}
    server {{ listen 127.0.0.1:{guarded} ssl http2; auth_basic "index"; auth_basic_user_file {folder}/users; }}
    server {{ listen 127.0.0.1:{mutual} ssl http2; ssl_client_certificate {folder}/ca.pem; ssl_verify_client on; }}
    server {{ listen 127.0.0.1:{slow}; limit_rate 3m; }}
}}
"""


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", type=pathlib.Path, default=PROJECT / "target" / "debug" / "prefetch")
    binary = arguments.parse_args().binary.resolve()
    with tempfile.TemporaryDirectory(prefix="prefetch-servers-") as folder:
        judge = Judge(binary, pathlib.Path(folder))
        try:
            judge.start_nginx()
            judge.judge()
        finally:
            judge.stop()


class Judge:
    def __init__(self, binary, folder):
        self.binary, self.folder, self.processes = binary, folder, []
        names = ["plain", "tls", "guarded", "mutual", "slow", "squid", "tinyproxy", "danted", "microsocks"]
        self.ports = dict(zip(names, free_ports(len(names))))
        self.files = publish(folder / "www")
        make_certificates(folder)
        # user "me", password "sesame", in the form of RFC 2307
        (folder / "users").write_text("me:{PLAIN}sesame\n")
        folder.chmod(0o755)

    def judge(self):
        ca = ["--cert", self.folder / "ca.pem"]
        self.case("plain HTTP", self.run(self.url("plain")))
        secure = self.run(self.url("tls"), *ca)
        self.case("TLS 1.3, HTTP/2, a private authority", secure, log=["HTTP/2.0", "TLSv1.3"])
        connections = set(re.findall("connection=[0-9]+", secure[2]))
        expect(len(connections) <= 2, f"HTTP/2 took {len(connections)} connections")
        self.platform()
        self.case("the authority from SSL_CERT_FILE", self.run(self.url("tls"), SSL_CERT_FILE=self.folder / "ca.pem"))
        self.case("an authority that nobody knows", self.run(self.url("tls")), code=4, told=["certificate", "--cert"])
        self.case("a host that is trusted as it is", self.run(self.url("tls"), "--trusted-host", "127.0.0.1"))
        self.case("no password", self.run(self.url("guarded"), *ca), code=4, told=["401", "netrc"])
        with_password = self.url("guarded").replace("https://", "https://me:sesame@")
        self.case("a password in the URL", self.run(with_password, *ca), log=[" me "])
        (self.folder / "netrc").write_text("machine 127.0.0.1 login me password sesame\n")
        self.case("a password in a netrc", self.run(self.url("guarded"), *ca, NETRC=self.folder / "netrc"), log=[" me "])
        self.case("no client certificate", self.run(self.url("mutual"), *ca), code=4, told=["400"])
        own = [*ca, "--client-cert", self.folder / "client.both"]
        self.case("a client certificate", self.run(self.url("mutual"), *own))
        self.case("slower than the time-out, but never silent", self.run(self.url("slow"), "--timeout", "2"))
        self.resume()
        self.exempt(ca)
        self.connect(ca)
        self.socks(ca)

    def resume(self):
        """Killed in the middle of the large file, the next run asks for the rest."""
        process = self.begin(self.url("slow"), "kept")
        incoming = self.folder / "kept" / "incoming-v1"
        while not any(part.stat().st_size > 2 << 20 for part in incoming.glob("*.partial")):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.case("killed, then gone on with", self.run(self.url("slow"), cache="kept"), log=['206 ', '"bytes='])

    def platform(self):
        """Without a word about certificates, those of the platform count."""
        usual = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
        if os.geteuid() != 0 or not usual.exists():
            return print("left out: the platform's trust store (not root, or not Debian)")
        (self.folder / "usual").write_bytes(usual.read_bytes() + (self.folder / "ca.pem").read_bytes())
        mount = ["unshare", "--mount", "sh", "-c", f'mount --bind "$0" {usual} && exec "$@"', self.folder / "usual"]
        self.case("the platform's trust store", self.run(self.url("tls"), before=mount), log=["HTTP/2.0"])

    def exempt(self, ca):
        """Nobody listens where the proxy is said to be."""
        for exempt in ["127.0.0.1", "*", "127.0.0.0/8", "other.example, 127.0.0.1"]:
            outcome = self.run(self.url("tls"), *ca, HTTPS_PROXY="http://127.0.0.1:9", NO_PROXY=exempt)
            self.case(f"NO_PROXY={exempt}", outcome)

    def connect(self, ca):
        secret = "me:sesame@"
        for program, arguments, user, log in [
            ("squid", ["-N", "-n", f"judge{os.getpid()}", "-f", self.squid_settings()], "", self.folder / "squid.log"),
            ("tinyproxy", ["-d", "-c", self.tinyproxy_settings()], secret, self.folder / "tinyproxy.log"),
        ]:
            if not self.start(program, *arguments):
                continue
            proxy, name = f"http://{user}127.0.0.1:{self.ports[program]}", f"{program}, CONNECT"
            self.case(f"{name}, --proxy", self.run(self.url("tls"), *ca, "--proxy", proxy), log=["CONNECT 127"], place=log)
            for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "PIP_PROXY"]:
                log.write_text("")
                self.case(f"{name}, {variable}", self.run(self.url("tls"), *ca, **{variable: proxy}), log=["CONNECT"], place=log)
            self.case(f"{program}, plain HTTP", self.run(self.url("plain"), http_proxy=proxy), log=["GET http"], place=log)
            if user:
                wrong = proxy.replace("sesame", "wrong")
                self.case(f"{name}, a wrong password", self.run(self.url("tls"), *ca, "--proxy", wrong), code=4, told=["proxy"])
                self.case(f"{name}, no password", self.run(self.url("plain"), "--proxy", proxy.replace(secret, "")), code=4, told=["407"])
            down = self.run("https://127.0.0.1:9/simple/", *ca, "--proxy", proxy, "--retries", "0")
            self.case(f"{name}, to who is down", down, code=4, told=["proxy"])

    def squid_settings(self):
        lines = [f"http_port 127.0.0.1:{self.ports['squid']}", "http_access allow all", "cache deny all", "shutdown_lifetime 0",
                 f"access_log stdio:{self.folder}/squid.log", f"cache_log {self.folder}/squid.cache", "pid_filename none",
                 f"coredump_dir {self.folder}"]
        for log in ["squid.log", "squid.cache"]:
            # as root it writes them as another user
            (self.folder / log).touch(0o666)
            (self.folder / log).chmod(0o666)
        return self.settings("squid.conf", lines)

    def tinyproxy_settings(self):
        lines = [f"Port {self.ports['tinyproxy']}", "Listen 127.0.0.1", "Allow 127.0.0.1", "LogLevel Info",
                 "BasicAuth me sesame", f'LogFile "{self.folder}/tinyproxy.log"']
        return self.settings("tinyproxy.conf", lines)

    def danted_settings(self):
        lines = [f"logoutput: {self.folder}/danted.log", f"internal: 127.0.0.1 port = {self.ports['danted']}", "external: lo",
                 "clientmethod: none", "socksmethod: none", "client pass { from: 0/0 to: 0/0 }", "socks pass { from: 0/0 to: 0/0 }"]
        return self.settings("danted.conf", lines)

    def settings(self, name, lines):
        (self.folder / name).write_text("\n".join(lines) + "\n")
        return self.folder / name

    def socks(self, ca):
        for program, arguments, user in [
            ("danted", ["-f", self.danted_settings(), "-p", self.folder / "danted.pid"], ""),
            ("microsocks", ["-i", "127.0.0.1", "-p", self.ports["microsocks"], "-u", "me", "-P", "sesame"], "me:sesame@"),
        ]:
            if not self.start(program, *arguments):
                continue
            place = f"{user}127.0.0.1:{self.ports[program]}"
            for scheme in ["socks5", "socks5h"]:
                self.case(f"{program}, {scheme}", self.run(self.url("tls"), *ca, "--proxy", f"{scheme}://{place}"))
            self.case(f"{program}, ALL_PROXY", self.run(self.url("tls"), *ca, ALL_PROXY=f"socks5://{place}"))
            self.case(f"{program}, plain HTTP", self.run(self.url("plain"), all_proxy=f"socks5://{place}"))
            if user:
                wrong = self.run(self.url("tls"), *ca, "--proxy", f"socks5://{place.replace('sesame', 'wrong')}")
                self.case(f"{program}, a wrong password", wrong, code=4, told=["could not be reached"])

    def url(self, server):
        scheme = "http" if server in ("plain", "slow") else "https"
        return f"{scheme}://127.0.0.1:{self.ports[server]}/simple/"

    def begin(self, index, cache, *more, before=(), **variables):
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        command = [*before, self.binary, *(f"{name}==1" for name in SIZES), *TARGET, "--index-url", index, "--no-deps",
                   "--cache-dir", self.folder / cache, "-d", self.folder / "out", *more]
        environment = {"HOME": self.folder, "PATH": PATH if before else "", "PIP_CONFIG_FILE": os.devnull, **variables}
        environment = {name: str(value) for name, value in environment.items()}
        return subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)

    def run(self, index, *more, cache=None, **variables):
        """Exit code, words, and what nginx noted."""
        log = self.folder / "access.log"
        log.write_text("")
        if cache is None:
            cache = "fresh"
            shutil.rmtree(self.folder / cache, ignore_errors=True)
        process = self.begin(index, cache, *more, **variables)
        told = process.communicate(timeout=120)[1]
        return process.returncode, told, log.read_text()

    def case(self, name, outcome, code=0, told=(), log=(), place=None):
        got, words, noted = outcome
        noted = place.read_text() if place else noted
        expect(got == code, f"{name}: ended with {got}\n{words}")
        expect("sesame" not in words, f"{name}: tells the password\n{words}")
        for text, whole in [*((text, words) for text in told), *((text, noted) for text in log)]:
            expect(text in whole, f"{name}: `{text}` is not in\n{whole}")
        for file, content in self.files.items() if code == 0 else ():
            expect((self.folder / "out" / file).read_bytes() == content, f"{name}: {file} is damaged")
        print(f"right: {name}", flush=True)

    def start_nginx(self):
        (self.folder / "nginx.conf").write_text(NGINX.format(folder=self.folder, **self.ports))
        if not self.start("nginx", "-c", self.folder / "nginx.conf", "-e", self.folder / "error.log"):
            sys.exit("tests/judges/servers.py: there is no nginx on PATH")
        for port in ["plain", "slow"]:
            wait_for(self.ports[port])

    def start(self, program, *arguments):
        path = shutil.which(program, path=PATH)
        if path is None:
            print(f"left out: {program} is not on PATH")
            return False
        self.processes.append(subprocess.Popen(list(map(str, [path, *arguments])), stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL))
        if program in self.ports:
            wait_for(self.ports[program])
        return True

    def stop(self):
        for process in self.processes:
            process.terminate()
            process.wait()


def publish(www):
    """An index of plain files; returns the distributions by their names."""
    choice, files = random.Random(1), {}
    for name, size in SIZES.items():
        archive, file = io.BytesIO(), f"{name}-1-py3-none-any.whl"
        with zipfile.ZipFile(archive, "w") as members:
            members.writestr(zipfile.ZipInfo(f"{name}/data"), choice.randbytes(size))
            members.writestr(zipfile.ZipInfo(f"{name}-1.dist-info/METADATA"),
                             f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        files[file] = archive.getvalue()
        digest = hashlib.sha256(files[file]).hexdigest()
        write(www / "files" / file, files[file])
        write(www / "simple" / name / "index.html", f'<a href="../../files/{file}#sha256={digest}">{file}</a>'.encode())
    return files


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def make_certificates(folder):
    """An authority, a server of it for 127.0.0.1, and a client of it."""
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=authority")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for name in ["server", "client"]:
        openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={name}")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", "names", "-out", f"{name}.pem")
    (folder / "client.both").write_text((folder / "client.pem").read_text() + (folder / "client.key").read_text())


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [open_socket.getsockname()[1] for open_socket in sockets]
    for open_socket in sockets:
        open_socket.close()
    return ports


def wait_for(port):
    for _ in range(200):
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"tests/judges/servers.py: nobody listens on port {port}")


def expect(is_right, trouble):
    if not is_right:
        sys.exit(f"wrong: {trouble}")


if __name__ == "__main__":
    main()
