"""Fills a cache folder of Poetry, the argument, from this bundle: with the answers of indexes, and the files where Poetry keeps
what it has downloaded, as links where the disk has such."""
import json
import os
import pathlib
import shutil
import sys

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


for answer in (here / 'cache').rglob('*'):
    if answer.is_file():
        put(answer, cache / answer.relative_to(here))
for path, filename in json.loads((here / 'artifacts.json').read_text('utf-8')).items():
    put(here.parent / 'wheels' / filename, cache / 'artifacts' / path)
