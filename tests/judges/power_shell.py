"""Judges PowerShell scripts by a grammar of the language, where there is no PowerShell.

    python tests/judges/power_shell.py install.ps1

A script must parse without an error, call no command that Windows PowerShell 5.1 lacks and the script does not define, and
use no syntax of later versions (`&&`, `||`). What is wrong is printed, and the exit code is then 1. The grammar is
`tree-sitter-powershell`; `scripts/setup` installs it.
"""

import sys

import tree_sitter
import tree_sitter_powershell

# Of Microsoft.PowerShell.Core, .Management and .Utility, as far as scripts of ours have use for them.
COMMANDS = {
    "convert-path", "get-command", "get-content", "get-filehash", "join-path", "split-path", "test-path", "write-error"
}
LATER = {"pipeline_chain_tail": "`&&` and `||` came with PowerShell 7"}


def main():
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    faults = [fault for path in sys.argv[1:] for fault in judge(parser, path)]
    print("\n".join(faults), end="\n" if faults else "")
    return bool(faults)


def judge(parser, path):
    with open(path, "rb") as file:
        text = file.read()
    nodes = list(below(parser.parse(text).root_node))
    if not all(byte < 128 for byte in text):
        yield f"{path}: without a byte order mark Windows PowerShell takes what is not ASCII for another encoding"
    defined = {told(node).lower() for node in nodes if node.type == "function_name"}
    for node in nodes:
        line = node.start_point[0] + 1
        if node.type == "ERROR" or node.is_missing:
            yield f"{path}:{line}: `{told(node)}` is no PowerShell"
        elif node.type in LATER:
            yield f"{path}:{line}: {LATER[node.type]}"
        elif node.type == "command_name" and not is_program(node) and told(node).lower() not in COMMANDS | defined:
            yield f"{path}:{line}: nothing tells that Windows PowerShell 5.1 has `{told(node)}`"


def is_program(name):
    """Programs are called by `&`, and are there or not whatever the version."""
    return name.parent.type == "command_name_expr"


def below(node):
    yield node
    for child in node.children:
        yield from below(child)


def told(node):
    return node.text.decode(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
