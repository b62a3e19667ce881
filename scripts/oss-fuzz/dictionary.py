"""dictionary.py ops.def: a dictionary of the byte form for the engines' own mutations: the operations' opcodes."""

import re
import sys


def rows(text):
    """Pairs of name and opcode."""
    return re.findall(r'^ASSAY_OP\(\w+,\s*"([\w.]+)",\s*(\d+),', text, re.MULTILINE)


def main():
    with open(sys.argv[1], encoding="utf-8") as source:
        found = rows(source.read())
    if not found:
        sys.exit(f"dictionary.py: {sys.argv[1]}: no operation in it")
    for name, code in found:
        print(f'{name.replace(".", "_")}="\\x{int(code):02x}"')


if __name__ == "__main__":
    main()
