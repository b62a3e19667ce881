#!/usr/bin/env python3
"""What failures of system calls reach in the allocator: the branches that the corpus takes without its failures, and with
them; of all branches, and of those on lines that look at what the system, or a layer below, has answered.

usage: error_coverage.py [BUILD]   (BUILD: the cov flavour, build/cov by default: ./assay build cov)"""
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FAILURES = re.compile(r"\s*\(fail:[^)]*\)")
# `if (const int error = …)`, `if (page == nullptr) return nullptr`, `if (!cover_one(…)) return false`, …
LOOKS_AT_AN_ANSWER = re.compile(
    r"\berror\b|\bos::|\bcall_|ENOMEM|ENOSPC|== nullptr\) (?:return|\{)|\(!?[a-z_:]*(?:claim|cover|begin_mapping|room_to|arena_created|"
    r"unmap_later|is_usable|is_right|purge_run|purge_scheduled|purge_claimed|try_mapping|take_page_struct)\w*\(|\bright\b|"
    r"result == nullptr|block == nullptr|arena != nullptr|page != nullptr")
FOLDERS = ("os", "arena", "page_map", "page", "heap", "process", "api")


def strip(program, folder):
    """The program without the failures that it plans; what it does else it does."""
    copy = folder / "-".join(program.relative_to(ROOT).parts)
    copy.write_text(FAILURES.sub("", program.read_text()))
    return copy


def branches(tool, programs, out):
    """{(file, line, column, outcome): taken} of the replay of the programs."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    words = [tool, "replay", *programs, "--flavour", "cov", "--subject", "ximalloc", "--mode", "sequential"]
    subprocess.run(list(map(str, words)), env={"LLVM_PROFILE_FILE": f"{out}/%c%p.profraw", "PATH": "/usr/bin:/bin"}, cwd=ROOT,
                   stdout=(out / "replay.log").open("w"), stderr=subprocess.STDOUT, check=False)
    profile = out / "all.profdata"
    subprocess.run(["llvm-profdata-19", "merge", "--failure-mode=all", "-sparse", *map(str, out.glob("*.profraw")), "-o",
                    str(profile)], check=True, stderr=subprocess.DEVNULL)
    exported = subprocess.run(["llvm-cov-19", "export", "-instr-profile", str(profile), str(tool), str(ROOT / "allocator")],
                              check=True, capture_output=True).stdout
    taken = {}
    for file in json.loads(exported)["data"][0]["files"]:
        for line, column, _, _, true_count, false_count, *_ in file["branches"]:
            for outcome, count in (("true", true_count), ("false", false_count)):
                key = (file["filename"], line, column, outcome)
                taken[key] = taken.get(key, False) or count > 0
    return taken


def looks_at_an_answer(file, line, texts={}):
    path = Path(file)
    if path.parent.name not in FOLDERS or path.name in ("seam.cc", "region.cc"):
        return False
    if file not in texts:
        texts[file] = path.read_text().splitlines()
    return LOOKS_AT_AN_ANSWER.search(texts[file][line - 1]) is not None


def main():
    tool = (Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build/cov").resolve() / "bin/assay"
    if not tool.exists():
        sys.exit(f"{tool}: missing; ./assay build cov")
    work = ROOT / "work" / "error_coverage"
    stripped = work / "stripped"
    shutil.rmtree(stripped, ignore_errors=True)
    stripped.mkdir(parents=True)
    programs = sorted(path for folder in (ROOT / "corpus", *ROOT.glob("fuzz/*/seeds")) for path in folder.rglob("*.ops"))
    before = branches(tool, [strip(program, stripped) for program in programs], work / "before")
    after = branches(tool, programs, work / "after")
    failing = sum(1 for program in programs if "(fail:" in program.read_text())
    print(f"{len(programs)} programs, {failing} with failures of system calls")
    for name, keys in (("all branches", list(after)), ("branches on an answer", [k for k in after if looks_at_an_answer(k[0], k[1])])):
        had, has = sum(before.get(key, False) for key in keys), sum(after[key] for key in keys)
        print(f"{name}: {len(keys)} outcomes; without failures {had} ({had / len(keys):.1%}), with them {has} ({has / len(keys):.1%})")
    missed = sorted((Path(file).relative_to(ROOT), line, outcome) for file, line, column, outcome in after
                    if not after[file, line, column, outcome] and looks_at_an_answer(file, line))
    for path, line, outcome in missed:
        text = (ROOT / path).read_text().splitlines()[line - 1].strip()
        print(f"  never {outcome}: {path}:{line}: {text}")


if __name__ == "__main__":
    main()
