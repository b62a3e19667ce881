"""A campaign's folder: its version, its lock, and the state that outlives the runner.

    campaign.json    version, commit, what each lane has done; written whole, at least every 10 s
    lock             held by the runner itself, so that it goes with the runner
    corpus/TARGET/   grows from slice to slice, written by the engines file by file
    findings/        bytes and text of what was found, written by `assay fuzz` before anything is told of it
    findings.sqlite  the same, grouped (findings.py)
    series.csv       figures over time, a row for each target every 10 s
    logs/            of the slices that failed
"""

import fcntl
import json
import os
import pathlib
import time

VERSION = 1


class CampaignError(Exception):
    """One line for the user; exit status 2."""


def say(line):
    """On a disk that is full, or a terminal that is gone, nothing is said; the campaign goes on."""
    try:
        print(line, flush=True)
    except OSError:
        pass


def write_whole(path, text):
    """The file has the old contents or the new ones, also after a power cut."""
    fresh = path.with_suffix(path.suffix + ".new")
    with open(fresh, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(fresh, path)


def read_state(folder):
    """What campaign.json says; None where there is no campaign yet."""
    path = folder / "campaign.json"
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        version = state["version"]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CampaignError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CampaignError(f"{path}: is not the state of a campaign (move it away; corpus/ and findings/ are kept)") from error
    if version != VERSION:
        raise CampaignError(f"{path}: is of version {version}, and this is version {VERSION}; give another directory")
    return state


class Campaign:
    """The folder, opened for a runner: locked, and its state at hand."""

    def __init__(self, folder, commit=""):
        self.folder = pathlib.Path(folder).resolve()
        # Nothing is made in a folder that is not a campaign's.
        read_state(self.folder)
        try:
            for name in ("corpus", "findings", "logs"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            self._lock = open(self.folder / "lock", "a+", encoding="utf-8")
        except OSError as error:
            raise CampaignError(f"{error.filename}: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.seek(0)
            owner = self._lock.read().strip() or "another process"
            raise CampaignError(f"{self.folder}: a campaign is running here already (process {owner})") from error
        try:
            self._lock.truncate(0)
            self._lock.write(f"{os.getpid()}\n")
            self._lock.flush()
        except OSError as error:
            raise CampaignError(f"{self.folder}: {error.strerror}") from error
        self.state = read_state(self.folder) or {
            "version": VERSION, "created": time.time(), "spent": 0.0, "lanes": {}, "merges": {}, "canary": None, "calls": []}
        self.state["commit"] = commit

    def close(self):
        """Another runner may have the folder."""
        self._lock.close()

    def lane(self, name):
        return self.state["lanes"].setdefault(
            name, {"seconds": 0.0, "programs": 0, "slices": 0, "edges": 0, "gain": 0.0, "newest": None, "hangs": 0,
                   "faults": 0, "rss_mib": 0})

    def save(self):
        """False when the disk is full: the state of before is still there, and the next call tries again."""
        try:
            write_whole(self.folder / "campaign.json", json.dumps(self.state, indent=1) + "\n")
        except OSError:
            return False
        return True
