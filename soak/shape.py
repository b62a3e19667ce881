"""The shape of a minimised program: what groups finds of one bug, whatever numbers the fuzzer drew."""

import re

_LINE = re.compile(r"^(?:(?P<slot>\S+) = )?(?P<name>[A-Za-z_][\w.]*)\((?P<arguments>[^)]*)\)(?P<rest>.*)$")
_NUMBER = re.compile(r"(?<![\w.])(0x[0-9a-fA-F]+|\d+)(?![\w.])")
_FAIL = re.compile(r"\(fail: ([^)]*)\)")
# Lines that say how the threads ran, not what was asked of the allocator.
_SCHEDULE = ("preempt", "stale", "cas_fails")


def size_bin(number):
    """The power of two that the number is below or at: sizes of one class mostly share it."""
    return "0" if number == 0 else f"2^{max(number - 1, 0).bit_length()}"


def shape_of(text):
    """One line: operations in their order, with size bins, failing calls and whether several threads take part."""
    parts, threads, scheduled = [], set(), False
    for line in text.splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        match = _LINE.match(line)
        if not match:
            continue
        name = match["name"]
        if name in _SCHEDULE:
            scheduled = True
            continue
        bins = [size_bin(int(number, 0)) for number in _NUMBER.findall(match["arguments"])]
        threads.update(re.findall(r"@(t\d+)", match["rest"]))
        # The bare line is thread 0.
        if not re.search(r"@t\d+", match["rest"]):
            threads.add("t0")
        failures = [re.sub(r"\d+", "N", call.split("=")[0]) for fail in _FAIL.findall(match["rest"]) for call in fail.split(", ")]
        word = name + (f"({','.join(bins)})" if bins else "") + "".join(f"!{failure}" for failure in failures)
        # The same line again and again is volume, and how much of it there is differs from find to find.
        if not parts or parts[-1] != word:
            parts.append(word)
    tail = " threads" if len(threads) > 1 else ""
    return " ".join(parts) + tail + (" scheduled" if scheduled else "")
