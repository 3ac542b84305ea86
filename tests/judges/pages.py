"""What pip's own readers make of the pages in testdata/index.

    python tests/judges/pages.py            # writes testdata/index/pip.json, which the tests read
    python tests/judges/pages.py --check    # fails where it is not what this pip says

Run it with the Python of an environment that has the pip to judge by (26.3 wrote the file).
"""

import json
import sys
from pathlib import Path
from urllib.parse import unquote

from pip._internal.index.collector import IndexContent, _get_encoding_from_headers, parse_links

FOLDER = Path(__file__).parents[2] / "testdata" / "index"
PAGE_URL = "https://index.example/root/simple/demo/"
HTML = "text/html; charset=utf-8"
JSON = "application/vnd.pypi.simple.v1+json"
PAGES = {
    "warehouse.html": HTML,
    "devpi.html": HTML,
    "artifactory.html": "text/html",
    "unclosed.html": "Text/HTML;charset=UTF-8",
    "find-links.html": HTML,
    "latin-1.html": 'text/html; charset="ISO-8859-1"',
    "warehouse.json": JSON,
}
STRONGEST_FIRST = ("sha512", "sha384", "sha256", "sha224", "sha1", "md5")


def known(hashes):
    return {name: hashes[name] for name in STRONGEST_FIRST if name in hashes}


def metadata(link):
    """None, or what is promised of the metadata file: one digest, the strongest, or nothing."""
    if link.metadata_file_data is None:
        return None
    return dict(list(known(link.metadata_file_data.hashes or {}).items())[:1])


def filename(link):
    """The name as pip's link evaluator takes it: `#egg=` goes before the path, save for wheels."""
    return link.egg_fragment + link.ext if link.egg_fragment and link.ext != ".whl" else link.filename


def describe(link):
    return {
        "filename": filename(link),
        "url": unquote(link.url_without_fragment),
        "hashes": known(link._hashes),
        "requires_python": link.requires_python,
        "yanked": link.yanked_reason,
        "metadata": metadata(link),
        "uploaded": link.upload_time and int(link.upload_time.timestamp() // 1),
    }


def links(name, content_type):
    encoding = _get_encoding_from_headers({"Content-Type": content_type})
    content = IndexContent((FOLDER / name).read_bytes(), content_type, encoding, PAGE_URL, cache_link_parsing=False)
    return [describe(link) for link in parse_links(content) if link.ext and link.path.strip("/")]


def main():
    pages = [
        {"page": name, "content_type": content_type, "url": PAGE_URL, "files": links(name, content_type)}
        for name, content_type in PAGES.items()
    ]
    text = json.dumps(pages, indent=1, ensure_ascii=False) + "\n"
    golden = FOLDER / "pip.json"
    if "--check" not in sys.argv:
        golden.write_text(text, encoding="utf-8")
    elif golden.read_text(encoding="utf-8") != text:
        sys.exit(f"{golden} is not what this pip says; write it again and look at the difference")


if __name__ == "__main__":
    main()
