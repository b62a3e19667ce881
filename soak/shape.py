"""The shape of a minimised program: what groups finds of one bug, whatever numbers the fuzzer drew."""

import re

_LINE = re.compile(r"^(?:(?P<slot>\S+) = )?(?P<name>[A-Za-z_][\w.]*)\((?P<arguments>[^)]*)\)(?P<rest>.*)$")
_NUMBER = re.compile(r"(?<![\w.])(0x[0-9a-fA-F]+|\d+)(?![\w.])")
_FAIL = re.compile(r"\(fail: ([^)]*)\)")
# Lines that say how the threads ran, not what was asked of the allocator.
_SCHEDULE = ("preempt", "stale", "cas_fails")
# What the report says before a validator's words.
_BROKEN = "the allocator's structure is broken: "


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


# Oracles that know what a resize keeps, or must clear.
_OF_RESIZE = ("contents", "zeroing")
# All make an arena of memory that the program has or asks for.
_ARENA = ("manage_os_memory", "reserve_os_memory", "reserve_huge_os_pages")


def class_of(name):
    if name.startswith("heap_new"):
        return "heap_new"
    if name.startswith(_ARENA):
        return "arena"
    if name == "heap_collect":
        return "collect"
    family = family_of(name.removeprefix("heap_") if name not in _NOT_OF_BLOCKS else name)
    return "allocate" if family in _ALLOCATE else "resize" if family in _RESIZE else family


def symptom_of(token):
    """The token, whichever function of its class was called: two finds of one symptom and one shape are one bug. A resize that goes wrong
    mostly does so because it allocates, unless the promise is its own; and a validator looks after any call."""
    parts = token.split("-", 2)
    if len(parts) < 2:
        return token
    if parts[0] == "structure":
        return parts[0]
    found_at = class_of(parts[1])
    return "-".join([parts[0], "allocate" if found_at == "resize" and parts[0] not in _OF_RESIZE else found_at, *parts[2:]])


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
    """Which promise broke, in the words of the report that the program's comment quotes: without numbers, and whichever slot or function it was."""
    match = re.search(r"^# (.*)$", text, re.M)
    if not match:
        return ""
    names = {line["name"] for line in map(_LINE.match, text.splitlines()) if line}
    fact = re.sub(r"\W*\(?0x[0-9a-f]+\)?|\W*\b\d+\b|\b[pha]\d+(\[\d+\])?", "", match[1].replace(_BROKEN, ""))
    return re.sub(r"\s+", " ", re.sub(r"\w+", lambda word: "a call" if word[0] in names else word[0], fact)).strip()


def expected_of(text):
    """The token that the program shows, as its header says."""
    match = re.search(r"^expect: (.*)$", text, re.M)
    return match[1].strip() if match else ""


# They decide when something shows, not what. A block that is not freed is freed at the end.
_WHEN = ("thread_exit", "collect", "advance_clock", "free")
# What is left of a program of one thread, when it is made plain, mostly fits into half of these lines; one that needs more builds up a state.
_MANY = 8


def size_of(name, arguments):
    """An alignment decides where a block can lie; a size only matters where blocks get pages of another kind, or none."""
    if is_huge(arguments):
        return "huge"
    aligned = alignment_bin(name, arguments)
    if aligned or class_of(name) not in ("allocate", "resize"):
        return aligned
    bins = {size_bin(int(number, 0)) for number in _NUMBER.findall(arguments)}
    return next((size for size in ("giant", "large") if size in bins), "")


def words_of(line, scheduled):
    """What a line adds to the shape, with the calls that fail in it. Under a schedule sizes stay as they were found: another one takes other steps."""
    name, arguments = line["name"], line["arguments"]
    failures = sorted({re.sub(r"\d+\+?", "N", call.split("=")[0]) for fail in _FAIL.findall(line["rest"]) for call in fail.split(", ")})
    tail = "".join(f"!{failure}" for failure in failures)
    kind = class_of(name)
    if kind in _WHEN and not failures:
        return []
    size = size_of(name, arguments)
    if scheduled and size in ("giant", "large") and not alignment_bin(name, arguments):
        size = ""
    return [("allocate" if kind == "resize" else kind) + (f"({size})" if size else "") + tail]


def turns_of(lines, steps):
    """Of a schedule, what kind of operation another thread comes between, and what kind sees an older value: a look that is missing, and an order."""
    kinds = [class_of(line["name"]) for line in steps]
    turns = set()
    for line in lines:
        if line["name"] in _SCHEDULE:
            at = re.search(r"\bop (\d+)", line["arguments"])
            kind = kinds[int(at[1])] if at and int(at[1]) < len(kinds) else "end"
            turns.add(f"{'older' if line['name'] == 'stale' else 'between'}@{'allocate' if kind == 'resize' else kind}")
    return sorted(turns)


def of_validator(words):
    """A validator looks at everything after any call: what was called says little, but whose memory it is, and which system calls failed."""
    failed = {"!" + word.split("!", 1)[1] for word in words if "!" in word}
    return failed | {word for word in words if word.startswith("arena")}


def shape_of(text):
    """One line: the kinds of operations that occur, with alignments, large sizes, failing calls, whether another thread takes part, where a
    schedule comes between, and which promise broke. Not their order, numbers or number: what the minimiser leaves of those differs from find to find."""
    lines = [match for match in (_LINE.match(re.sub(r"(^|\s)#.*", "", line).strip()) for line in text.splitlines()) if match]
    steps = [line for line in lines if line["name"] not in _SCHEDULE]
    turns = turns_of(lines, steps)
    scheduled = bool(turns)
    words = {word for line in steps for word in words_of(line, scheduled)}
    # The bare line is thread 0, and what it can show the minimiser leaves there.
    threads = any(re.search(r"@t[1-9]", line["rest"]) for line in steps)
    if expected_of(text).startswith("structure"):
        words = of_validator(words)
    else:
        if len(steps) >= _MANY and not threads:
            words.add("many")
        # Blocks that are there besides say nothing of the one that matters.
        if any(word.startswith(("allocate(", "allocate!")) for word in words):
            words.discard("allocate")
    fact = fact_of(text)
    return " ".join([*sorted(words), *([f"[{fact}]"] if fact else []), *(["threads"] if threads else []), *turns])


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
