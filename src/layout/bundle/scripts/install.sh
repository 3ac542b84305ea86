#!/bin/sh
# Installs this bundle without a network.
#
#     sh install.sh                 into the active virtual environment
#     sh install.sh ENVIRONMENT     into that virtual environment, which is made if need be
#     sh install.sh --for TOOL      by uv, poetry, pdm or pipenv, in the folder of the project whose lock was bundled
#
# PYTHON names the interpreter (python3), TARGET the target where markers cannot tell, and
# PREFETCH_PUBLIC_KEY the minisign key by which the bundle must be signed.
set -eu
unset CDPATH

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit 1
}

tool=pip
case ${1:-} in
    --for)
        [ $# -ge 2 ] || fail "--for wants the name of a tool; see install.sh --help"
        tool=$2
        shift 2
        ;;
    -h | --help)
        sed -n '/^#!/d; /^#/!q; s/^# \{0,1\}//p' -- "$0"
        exit 0
        ;;
    -*) fail "$1 is not understood; see install.sh --help" ;;
esac
[ $# -le 1 ] || fail "$2 is not understood; see install.sh --help"
[ $# -eq 0 ] || [ "$tool" = pip ] || fail "$tool makes the environment itself, and $1 names one"

physical() {
    cd -- "$1" && pwd -P
}

is_inside() {
    case $(physical "$1")/ in "$here"/*) ;; *) return 1 ;; esac
}

is_active() {
    [ -d "${VIRTUAL_ENV:-}" ] && [ "$(physical "$VIRTUAL_ENV")" = "$(physical "$1")" ]
}

# Whether an environment may have come with the bundle: its Python is then no judge of the bundle.
is_doubtful() {
    [ -d "$1" ] && ! is_active "$1" || return 1
    place=$1
    until [ "$place" = . ] || [ "$place" = / ]; do
        parent=$(dirname -- "$place")
        case $(basename -- "$place") in
            . | ..) ;;
            *) ! is_inside "$parent" || return 0 ;;
        esac
        place=$parent
    done
    is_inside "$1"
}

here=$(physical "$(dirname -- "$0")")
environment=${1:-${VIRTUAL_ENV:-}}
[ "$tool" = pip ] || environment=.venv

minisign=-
[ -z "${PREFETCH_PUBLIC_KEY:-}" ] || minisign=$(command -v minisign) ||
    fail "PREFETCH_PUBLIC_KEY is set, and there is no minisign to check it"
[ -n "$environment" ] || fail "name the virtual environment to install into, or activate one"
[ "$tool" = pip ] || ! is_inside . ||
    fail "go into the folder of the project, outside of the bundle, and call this from there"
! is_doubtful "$environment" ||
    fail "$environment is there already, inside the bundle, and may have come with it; activate it if it is yours, or name another"
if [ "$tool" = pip ] && [ -e "$environment/bin/python" ]; then
    python=$environment/bin/python
    whose="the Python of $environment"
else
    python=${PYTHON:-python3}
    whose=$python
    command -v "$python" >/dev/null || fail "there is no $python; name an interpreter in the variable PYTHON"
fi

# Nothing that lies in this folder may be imported. A Python before 3.4 knows no -I.
isolated=-I
"$python" -I -c '' >/dev/null 2>&1 || isolated=-Es
"$python" "$isolated" -c '' || fail "$whose does not run"
program=$(
    cat <<'END'
@PROGRAM@END
)
exec "$python" "$isolated" -c "$program" install.sh "$here" "$environment" "$python" "$tool" "$minisign"
