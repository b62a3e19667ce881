"""A child process of the runner: its output in a file, an end at the latest, and no life after the runner's."""

import ctypes
import json
import os
import signal
import subprocess
import time

import guard

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    os.setpgid(0, 0)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Job:
    """`assay` and what it starts end with their parent by the same means, all the way down."""

    def __init__(self, words, folder, environment, limit, log):
        self.words, self.limit, self.started = [str(word) for word in words], limit, time.monotonic()
        self.answer_path, self.log_path = folder / f"{log}.json", folder / f"{log}.log"
        with open(self.answer_path, "wb") as answer, open(self.log_path, "wb") as messages:
            self._process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=answer, stderr=messages, cwd=folder,
                                             env=dict(os.environ, **environment, **guard.mark(os.getpid())), preexec_fn=_die_with_parent)
        self.timed_out = self.asked_to_end = False

    @property
    def pid(self):
        return self._process.pid

    def elapsed(self):
        return time.monotonic() - self.started

    def done(self):
        """True when it has ended; one that is over its time is ended here."""
        if self._process.poll() is not None:
            return True
        if self.elapsed() > self.limit:
            self.timed_out = True
            self.kill()
            return True
        return False

    def stop(self):
        """Asks it to end: what was found in the last moment is still told."""
        self.asked_to_end = True
        if self._process.poll() is None:
            os.kill(self.pid, signal.SIGINT)

    def kill(self):
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()

    @property
    def status(self):
        return self._process.returncode

    def answer(self):
        """The JSON object that it printed, or None."""
        try:
            return json.loads(self.answer_path.read_text(encoding="utf-8", errors="replace"))
        except (OSError, ValueError):
            return None

    def last_words(self):
        try:
            lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return next((line for line in reversed(lines) if line.strip()), "")

    def resident_mib(self):
        """Of it and all that it started."""
        pages = 0
        for pid in [self.pid, *_descendants(self.pid)]:
            try:
                with open(f"/proc/{pid}/statm", encoding="ascii") as stream:
                    pages += int(stream.read().split()[1])
            except (OSError, IndexError, ValueError):
                pass
        return pages * os.sysconf("SC_PAGE_SIZE") // (1 << 20)


def _descendants(pid):
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        try:
            with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as stream:
                children = [int(word) for word in stream.read().split()]
        except OSError:
            children = []
        found += children
        todo += children
    return found
