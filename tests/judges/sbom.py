"""Judges bills of materials by the published tools of their formats.

    python tests/judges/sbom.py sbom.cdx.json sbom.spdx.json
    python tests/judges/sbom.py --schema spdx-schema.json sbom.spdx.json
    python tests/judges/sbom.py --licenses < identifiers

CycloneDX is held against its JSON schema, strictly, by `cyclonedx-python-lib`, which carries the schema; SPDX against the
whole specification by `spdx-tools`, and with --schema against the JSON schema in that file too. Every package URL
must be as `packageurl-python` would write it. --licenses prints which of the identifiers on standard input the schema of
CycloneDX does not know. What is wrong is printed, and the exit code is then 1. `scripts/setup` installs the tools.
"""

import argparse
import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.spdx import is_supported_id
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("documents", nargs="*")
    arguments.add_argument("--schema")
    arguments.add_argument("--licenses", action="store_true")
    arguments = arguments.parse_args()
    faults = [name for name in sys.stdin.read().split() if not is_supported_id(name)] if arguments.licenses else []
    for path in arguments.documents:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        faults += [f"{path}: {fault}" for fault in judge(path, text, arguments.schema)]
    print("\n".join(faults))
    sys.exit(bool(faults))


def judge(path, text, schema):
    document = json.loads(text)
    if document.get("bomFormat") == "CycloneDX":
        yield from cyclonedx(text)
    else:
        yield from spdx(path)
        yield from by_schema(document, schema) if schema else ()
    yield from wrong_purls(document)


def cyclonedx(text):
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error:
        yield repr(error)


def spdx(path):
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    for message in validate_full_spdx_document(parse_file(path), "SPDX-2.3"):
        yield f"{message.validation_message} ({message.context})"


def by_schema(document, path):
    import jsonschema

    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    for error in jsonschema.validators.validator_for(schema)(schema).iter_errors(document):
        yield f"{error.json_path}: {error.message}"


def wrong_purls(value):
    """Every text in `value` that looks like a package URL and is not in canonical form."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from wrong_purls(each)
    elif isinstance(value, str) and value.startswith("pkg:"):
        canonical = PackageURL.from_string(value).to_string()
        if canonical != value:
            yield f"{value} should be {canonical}"


if __name__ == "__main__":
    main()
