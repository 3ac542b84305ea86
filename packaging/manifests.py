"""The manifests of scoop, Homebrew and winget, filled in from the files of a release.

A template names {{version}}, {{description}}, {{license}}, {{base-url}} and, of files, {{url FILE}} and {{sha256 FILE}}. The
manifests of a tool that needs a file which was not made are left out, and that is told.
"""
import hashlib
import pathlib
import re

TOOLS = {
    "homebrew": ["prefetch.rb"],
    "scoop": ["prefetch.json"],
    "winget": [
        "Prefetch.Prefetch.yaml",
        "Prefetch.Prefetch.installer.yaml",
        "Prefetch.Prefetch.locale.en-US.yaml",
    ],
}
FOLDER = pathlib.Path(__file__).resolve().parent


def write_manifests(manifest, base_url, out):
    """Fills the templates of each tool whose files are in `out`; returns the other tools, with the file they lack."""
    values = {"version": manifest["version"], "description": manifest["description"], "license": manifest["license"],
              "base-url": base_url}
    missing = {}
    for tool, templates in TOOLS.items():
        try:
            texts = {name: fill((FOLDER / tool / name).read_text(), values, out) for name in templates}
        except FileNotFoundError as error:
            missing[tool] = pathlib.Path(error.filename).name
            continue
        folder = out / "manifests" / tool
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text)
    return missing


def fill(text, values, out):
    """The text with each {{…}} in it replaced."""
    def value(found):
        words = found[1].split()
        if len(words) == 1:
            return values[words[0]]
        kind, name = words[0], words[1].replace("VERSION", values["version"])
        content = (out / name).read_bytes()
        return f"{values['base-url']}/{name}" if kind == "url" else hashlib.sha256(content).hexdigest()

    return re.sub(r"\{\{(.*?)\}\}", value, text)
