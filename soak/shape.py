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


# What a symptom shows at depends on which of these came first after the damage.
_CLASS_OF = {**dict.fromkeys(("malloc", "calloc", "aligned_alloc", "calloc_aligned", "malloc_aligned_at"), "allocate"),
             **dict.fromkeys(("realloc", "rezalloc", "realloc_aligned", "realloc_aligned_at", "rezalloc_aligned", "rezalloc_aligned_at"), "resize")}


def symptom_of(token):
    """The token, whichever function of its class was called: two finds of one symptom and one shape are one bug."""
    parts = token.split("-", 2)
    if len(parts) < 2:
        return token
    family = family_of(parts[1])
    return "-".join([parts[0], _CLASS_OF.get(family, family), *parts[2:]])


# Where allocators change what they do: direct tables, and pages of one size after the other. Beyond the last, sizes are asked
# for because they cannot be had.
_BINS = ((1 << 10, "tiny"), (8 << 10, "small"), (64 << 10, "medium"), (512 << 10, "large"), (1 << 31, "giant"))


def size_bin(number):
    return next((name for most, name in _BINS if number <= most), "huge")


def bins_of(arguments):
    """Those that occur. Of a product that is too large the factors are chance."""
    bins = {size_bin(int(number, 0)) for number in _NUMBER.findall(arguments)}
    return ["huge"] if "huge" in bins else [name for _, name in _BINS if name in bins]


def fact_of(text):
    """What a validator found, in its own words without numbers: of the program's comment, which quotes the violation."""
    match = re.search(r"^# the allocator's structure is broken: (.*)$", text, re.M)
    return re.sub(r"\W*\(?0x[0-9a-f]+\)?|\W*\b\d+\b", "", match[1]).strip() if match else ""


def expected_of(text):
    """The token that the program shows, as its header says."""
    match = re.search(r"^expect: (.*)$", text, re.M)
    return match[1].strip() if match else ""


def shape_of(text, with_fact=True):
    """One line: the operations that occur, with size bins, failing calls and whether several threads take part. Not their order, nor
    how many: what the minimiser leaves of those differs from find to find."""
    parts, threads, scheduled = set(), set(), False
    for line in text.splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        match = _LINE.match(line)
        if not match:
            continue
        name = match["name"]
        if name in _SCHEDULE:
            scheduled = True
            continue
        bins = bins_of(match["arguments"])
        threads.update(re.findall(r"@(t\d+)", match["rest"]))
        # The bare line is thread 0.
        if not re.search(r"@t\d+", match["rest"]):
            threads.add("t0")
        failures = [re.sub(r"\d+", "N", call.split("=")[0]) for fail in _FAIL.findall(match["rest"]) for call in fail.split(", ")]
        word = family_of(name) + (f"({','.join(bins)})" if bins else "") + "".join(f"!{failure}" for failure in failures)
        parts.add(word)
    parts = sorted(parts)
    fact = fact_of(text)
    if fact and with_fact:
        parts.append(f"[{fact}]")
    tail = " threads" if len(threads) > 1 else ""
    return " ".join(parts) + tail + (" scheduled" if scheduled else "")
