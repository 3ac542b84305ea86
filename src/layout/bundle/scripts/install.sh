#!/bin/sh
# Installs this bundle without a network.
#
#     sh install.sh                 into the active virtual environment
#     sh install.sh ENVIRONMENT     into that virtual environment, which is made if need be
#
# PYTHON names the interpreter (python3), TARGET the target where markers cannot tell, and
# PREFETCH_PUBLIC_KEY the minisign key by which the bundle must be signed.
set -eu

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit 1
}

case ${1:-} in
    -h | --help)
        sed -n '/^#!/d; /^#/!q; s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    -*) fail "$1 is not understood; see install.sh --help" ;;
esac
[ $# -le 1 ] || fail "$2 is not understood; see install.sh --help"

cd "$(dirname "$0")"
here=$(pwd)
cd - >/dev/null
python=${PYTHON:-python3}

find_base() {
    command -v "$python" >/dev/null || fail "there is no $python; name an interpreter in the variable PYTHON"
}

if [ -n "${PREFETCH_PUBLIC_KEY:-}" ]; then
    command -v minisign >/dev/null || fail "PREFETCH_PUBLIC_KEY is set, and there is no minisign to check it"
    minisign -Vqm "$here/prefetch.json" -P "$PREFETCH_PUBLIC_KEY" >/dev/null ||
        fail "the bundle is not signed by the key in PREFETCH_PUBLIC_KEY; do not install it"
    find_base
    "$python" - "$here" <<'END' || fail "SHA256SUMS was altered: it does not list what the signed manifest says; do not install it"
@AGREES@END
fi
if grep -qv '^[0-9a-f]\{64\}  .' "$here/SHA256SUMS" 2>/dev/null; then
    fail "SHA256SUMS was altered; nothing was installed"
fi
if command -v sha256sum >/dev/null; then
    (cd "$here" && sha256sum -c SHA256SUMS >/dev/null) ||
        fail "a file is missing or altered (run sha256sum -c SHA256SUMS in $here); nothing was installed"
elif command -v shasum >/dev/null; then
    (cd "$here" && shasum -a 256 -c SHA256SUMS >/dev/null) ||
        fail "a file is missing or altered (run shasum -a 256 -c SHA256SUMS in $here); nothing was installed"
elif [ -n "${PREFETCH_PUBLIC_KEY:-}" ]; then
    fail "PREFETCH_PUBLIC_KEY is set, and there is neither sha256sum nor shasum to check the files"
fi

environment=${1:-${VIRTUAL_ENV:-}}
[ -n "$environment" ] || fail "name the virtual environment to install into, or activate one"
if [ ! -e "$environment/bin/python" ]; then
    find_base
    "$python" -m venv "$environment" 2>/dev/null || "$python" -m venv --without-pip "$environment" ||
        fail "$python cannot make $environment"
fi
python="$environment/bin/python"

# The pip that the bundle has for each Python, which runs from its wheel; else the environment's.
pip=
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') ||
    fail "the Python of $environment does not run"
for installer in @INSTALLERS@; do
    case $installer in "$version:"*) pip=$here/wheels/${installer#*:}/pip ;; esac
done
[ -n "$pip" ] || "$python" -m pip --version >/dev/null 2>&1 ||
    fail "$environment has no pip, and the bundle has none for Python $version; bundle with --with-installer"

requirements="$here/requirements.txt"
if [ -n "${TARGET:-}" ]; then
    requirements="$here/requirements-$TARGET.txt"
fi
[ -e "$requirements" ] || fail "there is no $requirements; TARGET must be one that README.txt lists"
if [ -n "$pip" ]; then
    exec "$python" "$pip" install --no-index --disable-pip-version-check @OPTIONS@-r "$requirements"
fi
exec "$python" -m pip install --no-index --disable-pip-version-check @OPTIONS@-r "$requirements"
