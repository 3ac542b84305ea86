"""Fills a cache folder of Poetry, the argument, from this bundle: with the answers of indexes, and the files where Poetry keeps
what it has downloaded, as links where the disk has such."""
import os
import sys

# Nothing that lies beside this file may be imported, whether or not -I was typed.
own = os.path.dirname(os.path.realpath(__file__))
sys.path[:] = [place for place in sys.path if os.path.realpath(place) != own]
import json
import pathlib
import shutil

here, cache = pathlib.Path(__file__).resolve().parent, pathlib.Path(sys.argv[1])


def put(source, place):
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, place)
    except OSError:
        part = place.with_name(place.name + '.part')
        shutil.copyfile(source, part)
        os.replace(part, place)


pages = json.loads((here.parent / 'prefetch.json').read_text('utf-8'))['pages']
for page in pages:
    if page['path'].startswith('poetry/cache/'):
        put(here.parent / page['path'], cache / page['path'][len('poetry/'):])
for path, filename in json.loads((here / 'artifacts.json').read_text('utf-8')).items():
    put(here.parent / 'wheels' / filename, cache / 'artifacts' / path)
