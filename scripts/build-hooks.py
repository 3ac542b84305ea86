"""Runs one step of a build in the environment that was made for it (PEP 517).

    python build-hooks.py REQUEST ANSWER

REQUEST is a file with a JSON object: the "step" (unpack, requires, metadata, wheel or sdist), the "archive", the folder
"source" that it is unpacked into, the "backend" with its "backend_path" and "config_settings", the "product" for which
requirements are asked (wheel or sdist), and the folder "output". ANSWER is written with what came of the step, as JSON. Whatever a backend prints is the output of the build.
"""

import importlib
import json
import os
import sys
import tarfile
import zipfile


def unpack(request):
    archive, folder = request["archive"], request["source"]
    os.mkdir(folder)
    if archive.endswith(".zip"):
        with zipfile.ZipFile(archive) as members:
            members.extractall(folder)
    else:
        with tarfile.open(archive) as members:
            if hasattr(tarfile, "data_filter"):
                members.extractall(folder, filter="data")
            else:
                for member in members.getmembers():
                    check(member, folder)
                members.extractall(folder)


def check(member, folder):
    folder = os.path.realpath(folder)
    paths = [member.name]
    if member.issym():
        paths.append(os.path.join(os.path.dirname(member.name), member.linkname))
    elif member.islnk():
        paths.append(member.linkname)
    for path in paths:
        inside = os.path.realpath(os.path.join(folder, path))
        if inside != folder and not inside.startswith(folder + os.sep):
            raise ValueError("%s leads out of the archive" % member.name)
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        raise ValueError("%s is no file" % member.name)


def enter(request):
    """Goes into the top folder of the archive, and returns its backend."""
    source = request["source"]
    tops = [name for name in os.listdir(source) if os.path.isdir(os.path.join(source, name))]
    if len(tops) != 1:
        raise ValueError("the archive has %d top folders instead of one" % len(tops))
    os.chdir(os.path.join(source, tops[0]))
    # The first is the folder of this script.
    sys.path[0:1] = [os.path.abspath(path) for path in request["backend_path"]]
    module, _, attributes = request["backend"].partition(":")
    backend = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        backend = getattr(backend, attribute)
    return backend


def settings(request):
    return request["config_settings"] or None


def requires(request):
    hook = getattr(enter(request), "get_requires_for_build_" + request["product"], None)
    return list(hook(settings(request))) if hook else []


def metadata(request):
    backend = enter(request)
    output = request["output"]
    hook = getattr(backend, "prepare_metadata_for_build_wheel", None)
    if hook:
        with open(os.path.join(output, hook(output, settings(request)), "METADATA"), "rb") as file:
            return file.read().decode("utf-8", "replace")
    with zipfile.ZipFile(os.path.join(output, backend.build_wheel(output, settings(request)))) as wheel:
        names = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA") and name.count("/") == 1]
        return wheel.read(names[0]).decode("utf-8", "replace")


def wheel(request):
    return enter(request).build_wheel(request["output"], settings(request))


def sdist(request):
    return enter(request).build_sdist(request["output"], settings(request))


STEPS = {"unpack": unpack, "requires": requires, "metadata": metadata, "wheel": wheel, "sdist": sdist}

if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        request = json.load(file)
    answer_path = os.path.abspath(sys.argv[2])
    # The programs of build requirements come first (PEP 517): meson, maturin, cython.
    programs = os.path.dirname(sys.executable)
    os.environ["PATH"] = os.pathsep.join([programs, os.environ.get("PATH", os.defpath)])
    answer = STEPS[request["step"]](request)
    with open(answer_path, "w") as file:
        json.dump(answer, file)
