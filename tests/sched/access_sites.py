"""Which accesses of the allocator to shared memory the explored scenarios interleave.

Every line of allocator/ that names a memory order is an access site. `explore --places` says at which code addresses
another thread could have gone on; the symbolizer makes lines of them. A site that no scenario meets stands in
accesses_not_met.txt, with the reason, or the test fails; so does an entry there that some scenario meets after all, or
that is no access any more."""
import re
import subprocess

ORDER = re.compile(r"\bk(Relaxed|Acquire|Release|AcqRel)\b")
# base/atomic.h is the access itself; validators run outside of schedules; what a test flavour's reset does, too.
OUTSIDE = ("allocator/base/atomic.h", "allocator/check/", "allocator/os/seam.cc", "allocator/os/region.cc")


def source_sites(root):
    """{(file, line): text} of all accesses."""
    sites = {}
    for file in sorted((root / "allocator").rglob("*.[ch]*")):
        name = str(file.relative_to(root))
        if name.startswith(OUTSIDE) or name.endswith("_test.cc"):
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            code = line.split("//")[0]
            if ORDER.search(code):
                sites[name, number] = code.strip()
    return sites


def met_lines(tool, places):
    """{(file, line)} of the accesses at these offsets into the executable: the innermost lines outside of atomic.h."""
    # A return address: the call is before it.
    offsets = "\n".join(hex(int(place, 16) - 1) for place in places)
    words = ["llvm-symbolizer-19", "--obj=" + str(tool), "--inlines", "--output-style=GNU", "--no-demangle"]
    text = subprocess.run(words, input=offsets + "\n", capture_output=True, text=True, check=True).stdout
    met = set()
    for location in text.splitlines():
        match = re.search(r"/(allocator/[^:]+):(\d+)", location)
        if match:
            met.add((match.group(1), int(match.group(2))))
    return met


def reasons(file):
    """{(file, text): reason} of a list of paragraphs: a reason after a hash, then "file: text" lines that it is for."""
    found, reason = {}, ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            reason = line[1:].strip()
        elif line.strip():
            name, text = line.split(": ", 1)
            found[name, text.strip()] = reason
    return found
