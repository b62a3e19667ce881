"""What becomes of a find: made short, told in C, and made as plain as any violation allows, by which it is grouped.

The short program shows what was found, and is what people read. The plain one is made of it by taking away
whatever can go as long as anything is violated, so that two finds that showed one bug by different calls end alike.
"""

import pathlib

import commands
from campaign import say
from job import Job
from shape import expected_of, outline_of, shape_of, symptom_of

MINIMISE_SECONDS, PLAIN_SECONDS = 60, 30


def known_tokens(folder):
    """Tokens that are no news any more, a line each in known.txt of the campaign."""
    path = pathlib.Path(folder) / "known.txt"
    try:
        return {line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()}
    except FileNotFoundError:
        return set()


def regressed_outlines(root):
    """Outlines of the programs that once showed a bug."""
    files = (pathlib.Path(root) / "corpus" / "regress").glob("*/*.ops")
    return {outline_of(path.read_text(encoding="utf-8", errors="replace")) for path in files if path.parent.name not in ("sched", "sweep")}


class Triage:
    """One find at a time: minimise, export, and minimise to anything."""

    def __init__(self, root, folder, findings):
        self.root, self.folder, self.findings = root, folder, findings
        self.outlines, self.known = regressed_outlines(root), known_tokens(folder)
        self.forget()

    def forget(self):
        self.job, self.row, self.short, self.answer, self.steps = None, None, None, None, []

    @property
    def plain(self):
        return self.short.with_suffix(".plain")

    def is_regressed(self, short):
        text = short.read_text(encoding="utf-8", errors="replace")
        return text.startswith("assay ") and outline_of(text) in self.outlines

    def start(self):
        """True when a find was waiting and nothing else is under way."""
        if self.job:
            return False
        row = self.findings.next_to_triage()
        if row is None:
            return False
        self.row = row
        place = self.folder / "findings" / "minimised"
        place.mkdir(parents=True, exist_ok=True)
        self.short = place / f"{row['id']}.ops"
        words = commands.minimise_command(self.root, self.folder / row["program"], self.short, MINIMISE_SECONDS)
        self.job = self._job(words, MINIMISE_SECONDS + 240, f"minimise-{row['id']}")
        return True

    def _job(self, words, limit, log):
        return Job(words, self.folder / "run", commands.environment(self.folder), limit, log)

    def tend(self):
        if not self.job or not self.job.done():
            return
        if self.answer is None:
            self.answer = self.job.answer() or {}
            if self.short.exists():
                name = self.row["id"]
                self.steps = [(commands.export_command(self.root, self.short, self.short.with_suffix(".c")), 120, f"export-{name}"),
                              (commands.minimise_command(self.root, self.short, self.plain, PLAIN_SECONDS, "--any"), PLAIN_SECONDS + 120, f"plain-{name}")]
        if self.steps:
            self.job = self._job(*self.steps.pop(0))
        else:
            self.finish()

    def finish(self):
        row, answer = self.row, self.answer
        short = self.short if self.short.exists() else self.folder / row["program"]
        token = answer.get("token") or row["token"]
        plain = self.plain if self.plain.exists() else short
        text = plain.read_text(encoding="utf-8", errors="replace")
        is_text = text.startswith("assay ")
        shape, symptom = (shape_of(text), symptom_of(expected_of(text) or token)) if is_text else ("", symptom_of(token))
        # A find that does not come again is a group of its own, and says so.
        if not self.short.exists():
            shape = f"not seen again: {row['program']}"
        status = "known" if token in self.known else "regressed" if self.is_regressed(short) else "new"
        c_file = self.short.with_suffix(".c")
        self.findings.named(row["id"], token, token.split("-")[0])
        self.findings.triaged(row["id"], str(short.relative_to(self.folder)), answer.get("operations_after"),
                              str(c_file.relative_to(self.folder)) if c_file.exists() else None, symptom, shape, status)
        if self.findings.is_one_too_many(row["id"], symptom, shape):
            for file in (self.folder / row["program"], self.short, self.plain, c_file):
                file.unlink(missing_ok=True)
        say(f"TRIAGED {status} {token}: {answer.get('operations_after', '?')} operations: {short}")
        self.forget()
