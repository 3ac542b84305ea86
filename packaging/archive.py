"""The archive of a release: the program, its completions and man pages, and what tells about them."""
import gzip
import io
import pathlib
import subprocess
import tarfile
import tempfile
import zipfile

PROJECT = pathlib.Path(__file__).resolve().parent.parent
TEXTS = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"]
# As the shells look for them.
COMPLETIONS = {"bash": "prefetch.bash", "zsh": "_prefetch", "fish": "prefetch.fish", "powershell": "_prefetch.ps1"}
# 1980-01-01, the first that a zip archive can hold: bytes follow from contents alone.
EPOCH = 315532800
EXECUTABLE, PLAIN = 0o755, 0o644


def accompaniments(program):
    """Path to bytes of the completions and man pages, which `program`, one that runs here, prints."""
    files = {}
    for shell, name in COMPLETIONS.items():
        script = subprocess.run([program, "completions", shell], check=True, stdout=subprocess.PIPE).stdout
        files[f"completions/{name}"] = script
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "man-pages", folder], check=True)
        for page in sorted(pathlib.Path(folder, "man1").iterdir()):
            files[f"man/man1/{page.name}"] = page.read_bytes()
    return files


def write_archive(binary, program, version, target, out):
    """Writes the archive for `target` into the folder `out`, and returns its path."""
    root = f"prefetch-{version}-{target}"
    files = {binary.name: binary.read_bytes(), **accompaniments(program)}
    files.update((name, (PROJECT / name).read_bytes()) for name in TEXTS)
    files = {f"{root}/{name}": content for name, content in sorted(files.items())}
    if "windows" in target:
        return write_zip(files, out / f"{root}.zip")
    return write_tar_gz(files, f"{root}/{binary.name}", out / f"{root}.tar.gz")


def write_zip(files, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return path


def write_tar_gz(files, executable, path):
    with path.open("wb") as output, gzip.GzipFile("", "wb", mtime=0, fileobj=output) as compressed:
        with tarfile.open(mode="w", fileobj=compressed, format=tarfile.USTAR_FORMAT) as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size, member.mtime = len(content), EPOCH
                member.mode = EXECUTABLE if name == executable else PLAIN
                archive.addfile(member, io.BytesIO(content))
    return path
