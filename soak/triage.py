"""What becomes of a find: made short first, told in C, then grouped by its token and the shape of the short program."""

import pathlib

import commands
from campaign import say
from job import Job
from shape import shape_of

MINIMISE_SECONDS = 60


def known_tokens(folder):
    """Tokens that are no news any more, a line each in known.txt of the campaign."""
    path = pathlib.Path(folder) / "known.txt"
    try:
        return {line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()}
    except FileNotFoundError:
        return set()


def regressed_shapes(root):
    """Shapes of the programs that once showed a bug; what they showed is no longer said in them."""
    shapes = {}
    for path in sorted((pathlib.Path(root) / "corpus" / "regress").glob("*/*.ops")):
        if path.parent.name not in ("sched", "sweep"):
            shapes.setdefault(shape_of(path.read_text(encoding="utf-8", errors="replace"), with_fact=False), path.name)
    return shapes


class Triage:
    """One find at a time: minimise, then export."""

    def __init__(self, root, folder, findings):
        self.root, self.folder, self.findings = root, folder, findings
        self.shapes, self.known = regressed_shapes(root), known_tokens(folder)
        self.job, self.row, self.short, self.answer = None, None, None, None

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
                c_file = self.short.with_suffix(".c")
                self.job = self._job(commands.export_command(self.root, self.short, c_file), 120, f"export-{self.row['id']}")
                return
        self.finish()

    def finish(self):
        row, answer = self.row, self.answer
        short = self.short if self.short.exists() else self.folder / row["program"]
        text = short.read_text(encoding="utf-8", errors="replace")
        is_text = text.startswith("assay ")
        shape = shape_of(text) if is_text else ""
        token = answer.get("token") or row["token"]
        # A find that does not come again is a group of its own, and says so.
        if not self.short.exists():
            shape = f"not seen again: {row['program']}"
        status = "known" if token in self.known else "regressed" if is_text and shape_of(text, with_fact=False) in self.shapes else "new"
        c_file = self.short.with_suffix(".c")
        self.findings.named(row["id"], token, token.split("-")[0])
        self.findings.triaged(row["id"], str(short.relative_to(self.folder)), answer.get("operations_after"),
                              str(c_file.relative_to(self.folder)) if c_file.exists() else None, shape, status)
        if self.findings.is_one_too_many(row["id"], token, shape):
            for file in (self.folder / row["program"], self.short, c_file):
                file.unlink(missing_ok=True)
        say(f"TRIAGED {status} {token}: {answer.get('operations_after', '?')} operations: {short}")
        self.job, self.row, self.short, self.answer = None, None, None, None
