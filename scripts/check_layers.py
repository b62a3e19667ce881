#!/usr/bin/env python3
"""Checks that the tree is built as layers.txt says: who includes whom, and what may appear where.

  scripts/check_layers.py [--root DIR]

Prints one line for each offence, and exits 1 when there is one.
"""
import argparse
import fnmatch
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = {".h", ".hpp", ".c", ".cc", ".def", ".inc", ".S"}
FIRST_FOLDERS = ("allocator", "failpoints", "harness", "fuzz", "tools", "tests", "bench", "soak")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


@dataclass
class ContentRule:
    """`only FOLDERS : PATTERN : MESSAGE`: PATTERN appears under none but these files or folders."""

    scope: str
    allowed: list
    pattern: re.Pattern
    message: str


def read_rules(path):
    layers, content = {}, []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("rule "):
            fields = [field.strip() for field in line[len("rule "):].split(" : ")]
            if len(fields) != 4:
                sys.exit(f"{path}:{number}: a rule has four fields: where, allowed, pattern, message")
            scope, allowed, pattern, message = fields
            content.append(ContentRule(scope, [] if allowed == "-" else allowed.split(), re.compile(pattern), message))
            continue
        if ">" not in line:
            sys.exit(f"{path}:{number}: neither 'FOLDER > FOLDERS' nor a rule")
        left, right = line.split(">", 1)
        layers[left.strip()] = right.split()
    return layers, content


def under(path, folder):
    return path == folder or path.startswith(folder + "/")


def layer_of(path, layers):
    """The nearest listed ancestor of a file, or None."""
    candidates = [folder for folder in layers if under(path, folder)]
    return max(candidates, key=len, default=None)


def strip_comments_and_strings(text):
    """The code alone, line numbers kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def is_test(path):
    return path.endswith(("_test.cc", "_test.c", "_for_test.h"))


def resolve(root, source, target):
    """The file of this tree that an include names, relative to the root, or None."""
    for base in (root, (root / source).parent, root / "allocator/include"):
        candidate = Path(os.path.normpath(base / target))
        if candidate.is_file() and candidate.is_relative_to(root):
            return candidate.relative_to(root).as_posix()
    return None


def check_includes(root, source, lines, layers):
    layer = layer_of(source, layers)
    if layer is None:
        yield 1, "lies in no folder that layers.txt lists"
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        bracket, name = match.groups()
        target = resolve(root, source, name)
        if target is None:
            if bracket == '"' and name.split("/")[0] in FIRST_FOLDERS:
                yield number, f'"{name}" is not in this tree'
            continue
        if is_test(target) and not is_test(source):
            yield number, f"{target} is a test"
        allowed = [layer, *layers[layer]]
        if is_test(source):
            # A test stands beside the code and may also use what lies above it in the allocator, never the harness.
            allowed += [folder for folder in layers if source.startswith("allocator/") and folder.startswith("allocator/")]
        if not any(under(target, folder) for folder in allowed):
            yield number, f"{layer} may not include {target}"


def check_content(source, code_lines, rules):
    for rule in rules:
        if is_test(source) or not under(source, rule.scope):
            continue
        if any(under(source, allowed) or fnmatch.fnmatch(source, allowed) for allowed in rule.allowed):
            continue
        for number, line in enumerate(code_lines, 1):
            if rule.pattern.search(line):
                yield number, rule.message


def source_files(root):
    for folder in FIRST_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                yield path.relative_to(root).as_posix()


def offences(root):
    layers, content = read_rules(root / "layers.txt")
    for source in source_files(root):
        text = (root / source).read_text(errors="replace")
        for number, message in check_includes(root, source, text.splitlines(), layers):
            yield f"{source}:{number}: {message}"
        for number, message in check_content(source, strip_comments_and_strings(text).splitlines(), content):
            yield f"{source}:{number}: {message}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    found = list(offences(parser.parse_args().root.resolve()))
    print("\n".join(found) if found else "layers: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
