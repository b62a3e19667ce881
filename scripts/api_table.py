#!/usr/bin/env python3
"""docs/api.md: every function of ximalloc's public header, and the tests of allocator/ that call it.

  scripts/api_table.py            writes the page
  scripts/api_table.py --check    says what is wrong and exits 1: a function that no test calls, one that the header and
                                  libximalloc.so do not have in common, a page that is not up to date, a test that
                                  docs/semantics.md or docs/differences.md names and that is not there
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = ROOT / "allocator/include/ximalloc.h"
PAGE = ROOT / "docs/api.md"
LIBRARIES = [ROOT / "build" / flavour / "lib/libximalloc.so" for flavour in ("release", "dev")]
DOCUMENTS = ["docs/semantics.md", "docs/differences.md", "docs/options.md"]
MOST_TESTS = 3

TITLE = """# ximalloc's functions

Made by `scripts/api_table.py`, checked by the test `house.api`: what the header declares is what the library exports, and each
function is called by a test. What each promises stands in `allocator/include/ximalloc.h`; [differences.md](differences.md) has
what mimalloc does otherwise. "Tested by" names the unit tests whose text calls the function, the first three of them.

| function | tested by |
|---|---|
"""


def declared():
    """The functions that the header exports, in its order."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
    return re.findall(r"XI_EXPORT\b[^;]*?\b(xi_\w+)\s*\(", text)


def exported():
    """The xi_ functions of the newest library that was built; None when there is none."""
    built = [library for library in LIBRARIES if library.exists()]
    if not built:
        return None
    newest = max(built, key=lambda library: library.stat().st_mtime)
    symbols = subprocess.run(["nm", "-D", "--defined-only", newest], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r" [TW] (xi_\w+)$", symbols, re.M))


def bodies_of_tests():
    """Suite.Name -> text of each unit test of the allocator."""
    bodies = {}
    for path in sorted((ROOT / "allocator").rglob("*_test.cc")):
        parts = re.split(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", path.read_text(), flags=re.M)
        for suite, name, body in zip(parts[1::3], parts[2::3], parts[3::3]):
            bodies[f"{suite}.{name}"] = body
    return bodies


def tests_of(bodies):
    """function -> names of the tests that call it."""
    found = {}
    for name, body in bodies.items():
        for function in set(re.findall(r"\b(xi_\w+)\s*\(", body)):
            found.setdefault(function, []).append(name)
    return found


def named_in_documents():
    return [(document, name) for document in DOCUMENTS
            for name in re.findall(r"\b(\w+Test\.\w+)", (ROOT / document).read_text())]


def page(functions, tests):
    rows = []
    for function in functions:
        called_by = tests.get(function, [])
        more = f" and {len(called_by) - MOST_TESTS} more" if len(called_by) > MOST_TESTS else ""
        rows.append(f"| `{function}` | {', '.join(called_by[:MOST_TESTS])}{more} |\n")
    return TITLE + "".join(rows)


def main():
    bodies = bodies_of_tests()
    functions, tests, library = declared(), tests_of(bodies), exported()
    wrong = [f"{name}: no test calls it" for name in functions if name not in tests]
    if library is not None:
        wrong += [f"{name}: declared, and not in libximalloc.so" for name in functions if name not in library]
        wrong += [f"{name}: in libximalloc.so, and not declared" for name in sorted(library - set(functions))]
    wrong += [f"{document}: there is no test {name}" for document, name in named_in_documents() if name not in bodies]
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text() != page(functions, tests):
            wrong.append("docs/api.md is not up to date (scripts/api_table.py)")
    elif sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    else:
        PAGE.write_text(page(functions, tests))
    for line in wrong:
        print(line)
    if not wrong:
        print(f"api: {len(functions)} functions, all tested" + ("" if library is not None else "; no library was built"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
