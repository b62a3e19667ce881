"""The shape of a minimised program: what groups finds of one bug, whatever numbers the fuzzer drew."""

import re

_LINE = re.compile(r"^(?:(?P<slot>\S+) = )?(?P<name>[A-Za-z_][\w.]*)\((?P<arguments>[^)]*)\)(?P<rest>.*)$")
_NUMBER = re.compile(r"(?<![\w.])(0x[0-9a-fA-F]+|\d+)(?![\w.])")
_FAIL = re.compile(r"\(fail: ([^)]*)\)")
# Lines that say how the threads ran, not what was asked of the allocator.
_SCHEDULE = ("preempt", "stale", "cas_fails")


# Functions that differ in name, order of arguments, or what they tell besides: a bug below them shows in any of them.
_FAMILIES = {
    "malloc": "malloc_small mallocn umalloc umalloc_small strdup strndup realpath",
    "calloc": "zalloc zalloc_small ucalloc uzalloc_small",
    "aligned_alloc": "memalign posix_memalign valloc pvalloc malloc_aligned umalloc_aligned",
    "calloc_aligned": "zalloc_aligned uzalloc_aligned",
    "malloc_aligned_at": "zalloc_aligned_at calloc_aligned_at",
    "realloc": "reallocn reallocf reallocarray reallocarr urealloc",
    "rezalloc": "recalloc",
    "rezalloc_aligned": "recalloc_aligned aligned_recalloc",
    "rezalloc_aligned_at": "recalloc_aligned_at aligned_offset_recalloc",
    "free": "free_size free_size_aligned free_aligned free_small ufree cfree",
    "usable_size": "malloc_size",
    "good_size": "malloc_good_size",
}
_FAMILY_OF = {name: family for family, names in _FAMILIES.items() for name in names.split()}


def family_of(name):
    return _FAMILY_OF.get(name, name)


# Functions of a heap are those without one; and what a symptom shows at depends on which function of a class came first after
# the damage.
_ALLOCATE = ("malloc", "calloc", "aligned_alloc", "calloc_aligned", "malloc_aligned_at")
_RESIZE = ("realloc", "rezalloc", "realloc_aligned", "realloc_aligned_at", "rezalloc_aligned", "rezalloc_aligned_at")
_NOT_OF_BLOCKS = ("heap_new", "heap_delete", "heap_destroy", "heap_set_default", "heap_get_default", "heap_get_backing", "heap_collect", "heap_visit_blocks")


def class_of(name):
    if name.startswith("heap_new"):
        return "heap_new"
    family = family_of(name.removeprefix("heap_") if name not in _NOT_OF_BLOCKS else name)
    return "allocate" if family in _ALLOCATE else "resize" if family in _RESIZE else family


def symptom_of(token):
    """The token, whichever function of its class was called: two finds of one symptom and one shape are one bug. A resize that goes wrong
    mostly does so because it allocates."""
    parts = token.split("-", 2)
    if len(parts) < 2:
        return token
    found_at = class_of(parts[1])
    return "-".join([parts[0], "allocate" if found_at == "resize" else found_at, *parts[2:]])


# Where allocators change what they do: direct tables, and pages of one size after the other. Beyond the last, sizes are asked
# for because they cannot be had.
_BINS = ((1 << 10, "tiny"), (8 << 10, "small"), (64 << 10, "medium"), (512 << 10, "large"), (1 << 31, "giant"))


def size_bin(number):
    return next((name for most, name in _BINS if number <= most), "huge")


def is_huge(arguments):
    """Asked for because it cannot be had."""
    return any(size_bin(int(number, 0)) == "huge" for number in _NUMBER.findall(arguments))


def alignment_bin(name, arguments):
    """Of an aligned function; sizes are what the minimiser happened to leave, alignments decide where a block can lie."""
    if "align" not in name:
        return ""
    numbers = [int(number, 0) for number in _NUMBER.findall(arguments)]
    place = 0 if name in ("aligned_alloc", "memalign", "posix_memalign") else -2 if name.endswith("_at") or "offset" in name else -1
    return size_bin(numbers[place]) if len(numbers) >= 2 else ""


def fact_of(text):
    """What a validator found, in its own words without numbers: of the program's comment, which quotes the violation."""
    match = re.search(r"^# the allocator's structure is broken: (.*)$", text, re.M)
    return re.sub(r"\W*\(?0x[0-9a-f]+\)?|\W*\b\d+\b", "", match[1]).strip() if match else ""


def expected_of(text):
    """The token that the program shows, as its header says."""
    match = re.search(r"^expect: (.*)$", text, re.M)
    return match[1].strip() if match else ""


# They decide when something shows, not what.
_WHEN = ("thread_exit", "collect", "heap_collect", "advance_clock")


def words_of(line):
    """What a line adds to the shape, with the calls that fail in it."""
    name, arguments = line["name"], line["arguments"]
    failures = sorted({re.sub(r"\d+\+?", "N", call.split("=")[0]) for fail in _FAIL.findall(line["rest"]) for call in fail.split(", ")})
    tail = "".join(f"!{failure}" for failure in failures)
    kind = class_of(name)
    if kind in _WHEN and not failures:
        return []
    size = "huge" if is_huge(arguments) else alignment_bin(name, arguments)
    word = ("allocate" if kind == "resize" else kind) + (f"({size})" if size else "") + tail
    # A block that moves is allocated and freed; NULL is no block.
    return [word, "free"] if kind == "resize" and not arguments.startswith("NULL") else [word]


def shape_of(text):
    """One line: the kinds of operations that occur, with alignments, failing calls and whether several threads take part. Not their order,
    sizes or number: what the minimiser leaves of those differs from find to find. Where a validator said what is broken, its words say
    more than the operations."""
    parts, threads, scheduled = set(), set(), False
    for line in text.splitlines():
        match = _LINE.match(re.sub(r"(^|\s)#.*", "", line).strip())
        if not match:
            continue
        if match["name"] in _SCHEDULE:
            scheduled = True
            continue
        # The bare line is thread 0.
        threads.update(re.findall(r"@(t\d+)", match["rest"]) or ["t0"])
        parts.update(words_of(match))
    # Blocks that are there besides say nothing of the one that matters.
    if any(part.startswith(("allocate(", "allocate!")) for part in parts):
        parts.discard("allocate")
    fact = fact_of(text)
    words = sorted(part for part in parts if not fact or "!" in part) + ([f"[{fact}]"] if fact else [])
    return " ".join(words) + (" threads" if len(threads) > 1 else "") + (" scheduled" if scheduled else "")


def outline_of(text):
    """Much finer: by this a find is known for one that corpus/regress has."""
    words = []
    for line in text.splitlines():
        match = _LINE.match(re.sub(r"(^|\s)#.*", "", line).strip())
        if match:
            bins = sorted({size_bin(int(number, 0)) for number in _NUMBER.findall(match["arguments"])})
            thread = re.search(r"@t\d+", match["rest"])
            words.append(f"{family_of(match['name'])}({','.join(bins)}){thread[0] if thread else ''}")
    return "\n".join(words)
