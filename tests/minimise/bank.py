#!/usr/bin/env python3
"""From random bytes to a C file, for each faulty allocator of the bank: finds a program that the fault breaks, minimises
it, exports it, compiles it, and runs it under the fault and under the C library.

usage: bank.py --tool build/dev/bin/assay --libraries build/dev/lib [--only NAME,…] [--json FILE]
Prints a row for each; exit status 1 when a token was lost, a C file lied, or a fault was never found."""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# What a plain C file cannot show: the tool must say so.
NOT_IN_C = ("footprint-", "structure-")
# These need more than a program can hold, or nothing that a program can see.
LEFT_OUT = {"stateful", "footprint", "preload"}
BATCH = 3
BATCHES = 100


def run(words, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=900, check=False, **options)


def tool(binary, *words):
    """The JSON object of a subcommand."""
    result = run([binary, *words, "--json"])
    try:
        return json.loads(result.stdout)
    except json.JSONDecodeError:
        sys.exit(f"{binary} {' '.join(words)}: no JSON\n{result.stdout}{result.stderr}")


def find_program(binary, library, folder, seed):
    """A file of random bytes, some hundred operations, that breaks the library; tried in a fixed order."""
    generator = random.Random(f"{seed} {Path(library).name}")
    for batch in range(BATCHES):
        files = []
        for i in range(BATCH):
            path = folder / f"{batch}-{i}.bin"
            noise = generator.randbytes(generator.randint(400, 1400))
            # Forks, which one program in sixty has by chance.
            path.write_bytes(b"\xff" + noise if "fork" in Path(library).name else noise)
            files.append(str(path))
        for row in tool(binary, "replay", *files, "--subject", library)["files"]:
            if row["verdict"] == "violation":
                return row["file"], row["token"]
    return None, None


def exit_status(words, preload=None):
    environment = dict(os.environ, LD_PRELOAD=preload) if preload else None
    try:
        return subprocess.run(words, capture_output=True, timeout=120, check=False, env=environment).returncode
    except subprocess.TimeoutExpired:
        return "timeout"


def c_verdict(binary, program, folder, library, token):
    """'yes' when the C file fails under the fault and passes on libc, else what went wrong, or why there is none."""
    source, executable = folder / "export.c", folder / "export"
    answer = tool(binary, "export-c", str(program), "-o", str(source))
    if token.startswith(NOT_IN_C):
        return "refused" if answer["verdict"] == "error" and not source.exists() else "WRONG: exported"
    if answer["verdict"] == "error":
        return f"refused: {answer['message']}" if "leaves open" in answer["message"] else f"WRONG: {answer['message']}"
    compiled = run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-pthread", source, "-o", executable])
    if compiled.returncode != 0:
        return f"WRONG: {compiled.stderr.splitlines()[0]}"
    if exit_status([executable]) != 0:
        return "WRONG: fails on libc"
    # What shows only now and then is given some chances.
    for _ in range(20):
        status = exit_status([executable], preload=library)
        if status not in (0, "timeout"):
            return "yes"
    return f"WRONG: exit status {status} under the fault"


def measure(binary, library, seed):
    """One row of the table."""
    name = Path(library).name.removeprefix("lib").removesuffix(".so")
    row = {"name": name, "token": "", "before": 0, "after": 0, "lines": 0, "seconds": 0.0, "kept": False, "c": ""}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        file, token = find_program(binary, library, folder, seed)
        if file is None:
            row["c"] = "WRONG: no program found"
            return row
        output = folder / "minimal.ops"
        start = time.monotonic()
        answer = tool(binary, "minimize", file, "--subject", library, "-o", str(output))
        row["seconds"] = time.monotonic() - start
        row |= {"token": token, "before": answer.get("operations_before", 0), "after": answer.get("operations_after", 0)}
        if not output.exists():
            row["c"] = f"WRONG: {answer['message']}"
            return row
        row["program"] = output.read_text()
        row["lines"] = sum("(" in line and not line.startswith("#") for line in row["program"].splitlines())
        # A hang takes ten seconds each time.
        times = "1" if answer["token"].startswith("hang") else "20"
        seen = tool(binary, "replay", str(output), "--repeat", times)["files"][0]
        row["kept"] = seen["token"] == answer["token"]
        row["c"] = c_verdict(binary, output, folder, library, answer["token"])
    return row


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--libraries", required=True)
    parser.add_argument("--only", default="", help="names of libraries, separated by commas")
    parser.add_argument("--unless-full", default="", help="the same, ignored where ASSAY_FULL is set")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    names = arguments.only or ("" if os.environ.get("ASSAY_FULL") else arguments.unless_full)
    only = set(filter(None, names.split(",")))
    libraries = [str(path) for pattern in ("libbank_*.so", "libfaulty_*.so")
                 for path in sorted(Path(arguments.libraries).resolve().glob(pattern))]
    rows = []
    for library in libraries:
        name = Path(library).name.removeprefix("lib").removesuffix(".so")
        if name.split("_", 1)[1] in LEFT_OUT or (only and name not in only):
            continue
        row = measure(arguments.tool, library, arguments.seed)
        rows.append(row)
        print(f"{row['name']:24} {row['before']:5} -> {row['after']:3} operations, {row['lines']:2} lines, "
              f"{row['seconds']:6.1f} s, token {'kept' if row['kept'] else 'LOST'}, C {row['c']:9} {row['token']}", flush=True)
    if not rows:
        sys.exit("no library to measure")
    after, seconds = [row["after"] for row in rows], [row["seconds"] for row in rows]
    print(f"{len(rows)} faults: median {statistics.median(after):g} operations, 95th percentile {percentile(after, 0.95)}; "
          f"median {statistics.median(seconds):.1f} s, longest {max(seconds):.1f} s")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if any(not row["kept"] or row["c"].startswith("WRONG") for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
