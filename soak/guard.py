"""Ends whatever works for a runner when it is gone: guard.py PID, with the runner of that number at the other end of stdin.

Most children ask the kernel to end with their parent; those that others start (ninja's compilers, an engine's own children)
do not. All of them carry the runner's number in their environment, so that the next runner's children are left alone.
"""

import os
import pathlib
import signal
import sys
import time

PATIENCE = 10.0


def mark(runner):
    """What the runner adds to the environment of its children."""
    return {"ASSAY_RUNNER": str(runner)}


def processes_of(runner):
    """Processes that work for that runner."""
    wanted, found = f"ASSAY_RUNNER={runner}".encode(), []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                pass  # it has ended, or is somebody else's
    return found


def end_all(runner):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        pids = processes_of(runner)
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.02)


if __name__ == "__main__":
    # Ctrl-C is for the runner.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdin.buffer.read()
    end_all(sys.argv[1])
