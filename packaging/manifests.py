"""The manifests of scoop, Homebrew and winget, filled in from the files of a release.

A template names {{version}}, {{description}}, {{base-url}} and, of files, {{url FILE}} and {{sha256 FILE}}. A template one
of whose files was not made is left out, and told.
"""
import hashlib
import pathlib
import re

TEMPLATES = ["homebrew/prefetch.rb", "scoop/prefetch.json", "winget/Prefetch.Prefetch.yaml",
             "winget/Prefetch.Prefetch.installer.yaml", "winget/Prefetch.Prefetch.locale.en-US.yaml"]
FOLDER = pathlib.Path(__file__).resolve().parent


def write_manifests(manifest, base_url, out):
    """Fills each template whose files are in `out`; returns those that were left out, with the file they lack."""
    values = {"version": manifest["version"], "description": manifest["description"], "license": manifest["license"],
              "base-url": base_url}
    missing = {}
    for template in TEMPLATES:
        try:
            text = fill((FOLDER / template).read_text(), values, out)
        except FileNotFoundError as error:
            missing[template] = pathlib.Path(error.filename).name
            continue
        path = out / "manifests" / template
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
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
