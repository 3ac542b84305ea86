#!/bin/sh
# The steps of a CI job that installs from what prefetch fetched; one word names the step:
#
#   install       puts the program into .prefetch/venv, unless PATH has it: PREFETCH_FROM is what pip is asked for
#                 (pip-prefetch, pip-prefetch==0.1.0, or a wheel)
#   key           prints the key of the cache: it changes with the lock and requirements files
#   fetch [ARG…]  fetches into .prefetch/wheelhouse; without arguments what the project's lock says
#   env           prints the lines that point pip and uv there and nowhere else
#   save          removes from the cache what this job did not need, before it is saved
#
# On a forge with files for it (GITHUB_ENV, GITHUB_PATH, GITHUB_OUTPUT) later steps get variables, PATH and key.
set -eu
PREFETCH_CACHE_DIR=${PREFETCH_CACHE_DIR:-"$PWD/.prefetch/cache"}
export PREFETCH_CACHE_DIR
wheelhouse=.prefetch/wheelhouse
# One line for each run of this job.
fetches=.prefetch/fetches
venv=.prefetch/venv
python=$(command -v python3 || command -v python)

# Where a virtual environment has its programs.
programs() {
    if [ -d "$venv/Scripts" ]; then echo "$PWD/$venv/Scripts"; else echo "$PWD/$venv/bin"; fi
}

install() {
    if ! command -v prefetch >/dev/null; then
        "$python" -m venv "$venv"
        "$(programs)/python" -m pip install --disable-pip-version-check --quiet "${PREFETCH_FROM:-pip-prefetch}"
        programs >> "${GITHUB_PATH:-/dev/null}"
        PATH=$(programs):$PATH
    fi
    prefetch --version
}

key() {
    digest=$("$python" -c '
import glob, hashlib
patterns = ["requirements*.txt", "pylock*.toml", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"]
files = sorted(name for pattern in patterns for name in glob.glob(pattern))
print(hashlib.sha256(b"".join(open(name, "rb").read() for name in files)).hexdigest()[:32])')
    # As the action calls the system where it restores the cache of another lock.
    key=prefetch-${RUNNER_OS:-$(uname -s)}-$digest
    echo "$key"
    echo "key=$key" >> "${GITHUB_OUTPUT:-/dev/null}"
}

fetch() {
    prefetch --dest "$wheelhouse" --progress plain "$@"
    echo "$*" >> "$fetches"
    prefetch env "$wheelhouse" --shell sh |
        sed -n "s/^export \([A-Z_]*\)='\(.*\)'$/\1=\2/p" >> "${GITHUB_ENV:-/dev/null}"
}

step=${1:-}
[ -z "$step" ] || shift
[ -d "$venv" ] && PATH=$(programs):$PATH
case $step in
    install) install ;;
    key) key ;;
    fetch) fetch "$@" ;;
    env) prefetch env "$wheelhouse" --shell sh ;;
    save) prefetch cache prune --keep-last-runs "$(wc -l < "$fetches" | tr -d ' ')" --linked ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
