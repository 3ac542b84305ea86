"""Writes random version specifiers and what the `packaging` library says of random versions.

    python tests/judges/specifiers.py > testdata/specifiers/expected.txt

Needs `packaging` 26.3 or newer. A line is `SPECIFIER TAB TAKEN TAB REFUSED`, with versions divided
by blanks; pre-releases are judged by the clauses alone (`prereleases=True`). The numbers are
small and the seed is fixed, so that near misses are common and the file does not change.
"""

import random
import sys

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

LINES = 400
VERSIONS_PER_LINE = 12


def version(choose, local=True):
    text = choose(["", "", "", "", "1!"])
    text += ".".join(choose("0112") for _ in range(choose([1, 2, 2, 2, 3, 3, 4])))
    text += choose(["", "", "", "a1", "b2", "rc1", "rc2"])
    text += choose(["", "", "", ".post0", ".post1", ".post2"])
    text += choose(["", "", "", ".dev0", ".dev1"])
    if local:
        text += choose(["", "", "", "+a", "+1", "+a.1"])
    return text


def near(choose, wanted):
    """A version that differs from the wanted one in its tail, more often than not."""
    stem = wanted.split("+")[0]
    tails = ["", ".0", ".0.0", ".1", "a1", "rc1", "rc2", ".post0", ".post1", ".dev0", "+a", "+1", ".post1+a", ".post1.dev0"]
    shorter = stem.rsplit(".", 1)[0]
    text = choose([stem, stem, shorter, wanted]) + choose(tails)
    try:
        return str(Version(text))
    except ValueError:
        return version(choose)


def clause(choose):
    operator = choose(["==", "!=", "==*", "!=*", "<", "<=", ">", ">=", "~=", "==="])
    if operator.endswith("*"):
        epoch = choose(["", "", "", "1!"])
        return operator[:2] + epoch + ".".join(choose("012") for _ in range(choose([1, 2, 3]))) + ".*"
    return operator + version(choose, local=operator in ("==", "!=", "==="))


def specifier(choose):
    while True:
        text = ",".join(clause(choose) for _ in range(choose([1, 1, 1, 2])))
        try:
            return text, SpecifierSet(text)
        except InvalidSpecifier:
            continue


def main():
    choose = random.Random(440).choice
    for _ in range(LINES):
        text, specifiers = specifier(choose)
        wanted = text.split(",")[0].lstrip("=!<>~").replace(".*", "")
        versions = {version(choose) for _ in range(VERSIONS_PER_LINE // 3)}
        while len(versions) < VERSIONS_PER_LINE:
            versions.add(near(choose, wanted) if choose([True, True, False]) else version(choose))
        taken, refused = [], []
        for candidate in sorted(versions):
            verdict = taken if specifiers.contains(Version(candidate), prereleases=True) else refused
            verdict.append(candidate)
        sys.stdout.write("\t".join([text, " ".join(taken), " ".join(refused)]) + "\n")


if __name__ == "__main__":
    main()
