#!/usr/bin/env python3
"""The hooks cost a user nothing: every function of the release allocator has the machine code that it would have if
Atomic<T> were std::atomic and nothing else, and no symbol of a hook is left in the library.

usage: check_release.py [BUILD]   (BUILD: a configured release build, build/release by default)

Compiles each file of the allocator twice, as BUILD does but without debug information, the second time with
XIMALLOC_PLAIN_ATOMIC, and compares the disassembly function by function, with the names of Atomic<T> and std::atomic<T>
taken for one. Names are looked at in these objects, and in the libraries of BUILD that are there."""
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOOKS = re.compile(r"xi_sched|xi_debug|seam|announce|observe")


def commands(build):
    """The allocator's files and how BUILD compiles them for the static library."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = entry.get("arguments") or shlex.split(entry["command"])
        output = words[words.index("-o") + 1]
        if "allocator/CMakeFiles/ximalloc.dir/" in output:
            yield Path(entry["file"]), entry["directory"], words


def disassembly(words, folder, output, plain):
    words = [word for word in words if not word.startswith("-g")]
    words[words.index("-o") + 1] = str(output)
    for flag in ("-MF", "-MT"):
        if flag in words:
            del words[words.index(flag):words.index(flag) + 2]
    words = [word for word in words if word != "-MD"] + (["-DXIMALLOC_PLAIN_ATOMIC"] if plain else [])
    subprocess.run(words, cwd=folder, check=True)
    text = subprocess.run(["llvm-objdump-19", "-d", "-r", "-C", "--no-show-raw-insn", "--no-leading-addr", str(output)],
                          capture_output=True, text=True, check=True).stdout
    functions, name = {}, None
    for line in text.splitlines():
        start = re.match(r"<(.*)>:$", line) or re.match(r"[0-9a-f]+ <(.*)>:$", line)
        if start:
            name = normal(start.group(1))
            functions[name] = []
        elif name is not None and line.strip():
            functions[name].append(normal(line.strip()))
    return functions


def normal(text):
    return re.sub(r"\b(xi::Atomic|std::atomic|std::__atomic_base)\b", "ATOMIC", text)


def compare(job, scratch):
    source, folder, words = job
    shipped = disassembly(words, folder, scratch / (source.name + ".shipped.o"), False)
    plain = disassembly(words, folder, scratch / (source.name + ".plain.o"), True)
    faults = [f"{source.relative_to(ROOT)}: {name}: {'differs' if name in plain else 'is not there without hooks'}"
              for name in shipped if shipped[name] != plain.get(name)]
    faults += [f"{source.relative_to(ROOT)}: {name}: is only there without hooks" for name in plain.keys() - shipped]
    return len(shipped), faults + hooks_left(scratch / (source.name + ".shipped.o"), source.relative_to(ROOT))


def hooks_left(binary, name):
    names = subprocess.run(["llvm-nm-19", "-C", str(binary)], capture_output=True, text=True, check=True).stdout
    return [f"{name}: a hook is left: {line}" for line in names.splitlines() if HOOKS.search(line)]


def main():
    build = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "release"
    if not (build / "compile_commands.json").exists():
        print(f"{build}: not configured")
        sys.exit(77)
    jobs = list(commands(build))
    if not jobs:
        sys.exit(f"{build}: compiles no file of the allocator")
    functions, faults = 0, []
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for count, found in pool.map(lambda job: compare(job, Path(scratch)), jobs):
            functions += count
            faults += found
    libraries = [file for file in (build / "lib" / "libximalloc.a", build / "lib" / "libximalloc.so") if file.exists()]
    for library in libraries:
        faults += hooks_left(library, library.name)
    for fault in faults:
        print(fault)
    print(f"{functions} functions of {len(jobs)} files compared, {len(libraries)} libraries, {len(faults)} faults")
    sys.exit(1 if faults or functions < 100 else 0)


if __name__ == "__main__":
    main()
