"""The corpora of a campaign: which there are, and making them small again in turn, each as its lanes run it."""

import os
import shutil

import commands
from campaign import say

# A corpus is made small again when it has grown by half, and not more often than this; or when it takes too much of the disk.
MERGE_EVERY, MERGE_GROWTH, MERGE_LEAST = 1200.0, 1.5, 200
CORPUS_LIMIT = 1 << 30
MERGE_SECONDS = 1800


def folder_size(folder):
    return sum(entry.stat().st_size for entry in os.scandir(folder) if entry.is_file()) if folder.is_dir() else 0


def files_in(folder):
    return sum(1 for _ in os.scandir(folder)) if folder.is_dir() else 0


class Corpora:
    """`start_job(words, limit, log, environment)` runs a command; `notes` is the state that outlives the runner."""

    def __init__(self, root, folder, lanes, notes, start_job):
        self.root, self.folder, self.lanes, self.notes, self.start_job = root, folder, lanes, notes, start_job
        self.name = self.job = self.fresh = None
        self.todo = []

    def recover(self):
        """A runner that was ended between the two renames of a swap."""
        for old in (self.folder / "corpus").glob("*.old"):
            corpus = old.with_suffix("")
            if corpus.is_dir():
                shutil.rmtree(old)
            else:
                old.rename(corpus)

    def is_busy_with(self, lane):
        """What is made small must not grow meanwhile."""
        return self.job is not None and lane.corpus == self.name

    def start(self, running, scratch, spent):
        """True when a corpus was due that no lane is at work on. `spent`: seconds of hunting in the whole campaign."""
        if self.job:
            return False
        for name in sorted({lane.corpus for lane in self.lanes if lane.hunter == "fuzz"}):
            if any(lane.corpus == name for lane in running) or not self.is_due(name, spent):
                continue
            self.name, self.fresh = name, scratch / f"merged-{name}"
            shutil.rmtree(self.fresh, ignore_errors=True)
            self.fresh.mkdir()
            lanes = [lane for lane in self.lanes if lane.corpus == name]
            self.todo = list(commands.merge_commands(self.root, self.folder / "corpus" / name, lanes[0], self.fresh))
            self.next_step()
            return True
        return False

    def is_due(self, name, spent):
        corpus, note = self.folder / "corpus" / name, self.notes.setdefault(name, {"at": 0.0, "files": 0})
        files = files_in(corpus)
        grown = files >= MERGE_LEAST and files >= MERGE_GROWTH * note["files"]
        return grown and (spent - note["at"] > MERGE_EVERY or folder_size(corpus) > CORPUS_LIMIT)

    def next_step(self):
        words, environment = self.todo.pop(0)
        self.job = self.start_job(words, MERGE_SECONDS, f"merge-{self.name}", environment)

    def tend(self, spent):
        """True when a corpus has just been made small."""
        if not self.job or not self.job.done():
            return False
        if self.job.timed_out or self.job.status != 0:
            say(f"merge of {self.name} left undone: {self.job.last_words()}")
            self.notes[self.name]["at"] = spent
        elif self.todo:
            self.next_step()
            return False
        else:
            self.swap(spent)
        self.job = None
        return True

    def swap(self, spent):
        corpus = self.folder / "corpus" / self.name
        before, after = files_in(corpus), files_in(self.fresh)
        old = corpus.with_name(corpus.name + ".old")
        corpus.rename(old)
        self.fresh.rename(corpus)
        shutil.rmtree(old)
        self.notes[self.name] = {"at": spent, "files": after}
        say(f"corpus of {self.name}: {before} programs, {after} after the merge")
