"""What a campaign found: findings.sqlite, one row for each program kept, grouped by symptom and shape of the plain program."""

import pathlib
import sqlite3
import time
import urllib.parse

from campaign import CampaignError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS findings (
  id INTEGER PRIMARY KEY,
  token TEXT NOT NULL,              -- of the strict replay
  oracle TEXT NOT NULL,
  lane TEXT NOT NULL,               -- that saw it first
  program TEXT NOT NULL UNIQUE,     -- as it was found, below findings/
  minimised TEXT,                   -- NULL until triage has been there
  operations INTEGER,               -- of the minimised program
  c_file TEXT,                      -- NULL where it cannot be told in C, or not yet
  symptom TEXT,                     -- of the plain program, as its shape
  shape TEXT,
  status TEXT NOT NULL,             -- new, known or regressed
  times_seen INTEGER NOT NULL,      -- of times_run replays in fresh processes
  times_run INTEGER NOT NULL,
  hits INTEGER NOT NULL DEFAULT 1,  -- slices that ended with it
  first_seen REAL NOT NULL,
  last_seen REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS by_token ON findings(token);
PRAGMA user_version = 3;
"""
VERSION = 3
# So many programs of one token are kept and minimised: two bugs may share a token, and their shapes tell them apart.
SAMPLES = 6


class Findings:
    def __init__(self, folder, to_read=False):
        """`to_read`: nothing is written, not even a file that is missing; a runner may be at work on it."""
        self.path = pathlib.Path(folder) / "findings.sqlite"
        try:
            source = f"file:{urllib.parse.quote(str(self.path))}?mode=ro" if self.path.exists() else ":memory:"
            self._db = sqlite3.connect(source if to_read else self.path, uri=to_read, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                raise CampaignError(f"{self.path}: is of version {version}, and this is version {VERSION}; give another directory")
            if self._db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("damaged")
            if to_read and self.path.exists():
                return
            self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + _SCHEMA)
        except sqlite3.OperationalError as error:
            raise CampaignError(f"{self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise CampaignError(
                f"{self.path}: is damaged or no database; move it away, and it is made again from findings/") from error

    def programs(self):
        return {row["program"] for row in self._db.execute("SELECT program FROM findings")}

    def with_program(self, contents):
        """The token of a find whose program is the very same, "" when it is not told yet; None when there is none."""
        for row in self.all():
            file = self.path.parent / row["program"]
            if file.exists() and file.read_bytes() == contents:
                return row["token"]
        return None

    def wants(self, token):
        """Whether another program with this token is worth keeping: the first ones, and then each time that it was seen twice as
        often, so that a rare bug that shares the token of a frequent one is met sooner or later."""
        programs, hits = self._db.execute("SELECT count(*), coalesce(sum(hits), 0) FROM findings WHERE token = ?", (token,)).fetchone()
        return programs < SAMPLES or hits & (hits - 1) == 0

    def add(self, token, oracle, lane, program, times_seen=0, times_run=0, status="new"):
        now = time.time()
        self._db.execute(
            "INSERT OR IGNORE INTO findings (token, oracle, lane, program, status, times_seen, times_run, first_seen, last_seen)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (token, oracle, lane, program, status, times_seen, times_run, now, now))

    def seen_again(self, token):
        self._db.execute("UPDATE findings SET hits = hits + 1, last_seen = ? WHERE id = (SELECT min(id) FROM findings WHERE token = ?)",
                         (time.time(), token))

    def next_to_triage(self):
        return self._db.execute("SELECT * FROM findings WHERE minimised IS NULL ORDER BY id LIMIT 1").fetchone()

    def triaged(self, identity, minimised, operations, c_file, symptom, shape, status):
        self._db.execute("UPDATE findings SET minimised = ?, operations = ?, c_file = ?, symptom = ?, shape = ?, status = ? WHERE id = ?",
                         (minimised, operations, c_file, symptom, shape, status, identity))

    def is_one_too_many(self, identity, symptom, shape):
        """When there are samples enough of one group, the row goes, and counts as a hit of the first."""
        others = self._db.execute("SELECT id FROM findings WHERE symptom = ? AND shape = ? AND id != ? ORDER BY id", (symptom, shape, identity)).fetchall()
        if len(others) < SAMPLES:
            return False
        self._db.execute("BEGIN")
        self._db.execute("UPDATE findings SET hits = hits + 1, last_seen = ? WHERE id = ?", (time.time(), others[0]["id"]))
        self._db.execute("DELETE FROM findings WHERE id = ?", (identity,))
        self._db.execute("COMMIT")
        return True

    def named(self, identity, token, oracle):
        """What the strict replay of the minimised program says it is."""
        self._db.execute("UPDATE findings SET token = ?, oracle = ? WHERE id = ?", (token, oracle, identity))

    def all(self):
        return self._db.execute("SELECT * FROM findings ORDER BY id").fetchall()

    def groups(self):
        """One dict for each bug, as far as symptom and shape can tell: its shortest program, what it showed as, how often, since when."""
        together = {}
        for row in self.all():
            together.setdefault((row["symptom"] or row["token"], row["shape"] or row["program"]), []).append(row)
        groups = []
        for rows in together.values():
            shortest = min(rows, key=lambda row: (row["operations"] is None, row["operations"]))
            groups.append({**shortest, "hits": sum(row["hits"] for row in rows), "first_seen": min(row["first_seen"] for row in rows),
                           "last_seen": max(row["last_seen"] for row in rows), "tokens": sorted({row["token"] for row in rows}),
                           # In this order: one that is known takes away nothing of one that is news.
                           "status": next(status for status in ("regressed", "new", "known") if any(row["status"] == status for row in rows))})
        return groups

    def counts(self):
        """(bugs, all programs)"""
        groups = self.groups()
        return len(groups), sum(row["hits"] for row in groups)
