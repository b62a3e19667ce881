"""Room on the disk: what must be free to begin anything, and a reserve that is given up so that finds can still be written."""

import errno
import os
import shutil
import sqlite3

# Nothing new is started below this.
NEEDED = 512 << 20
# What runs is asked to end below this; the reserve of that size is given up then, for what it still has to write.
LOW = 64 << 20


class Space:
    def __init__(self, folder, needed=None):
        self.folder, self.reserve = folder, folder / "reserve"
        self.needed = NEEDED if needed is None else needed
        self.low_mark = min(LOW, self.needed // 8)
        self.missing = self.low = False

    def look(self):
        """Sets `missing` and `low`; keeps or gives up the reserve."""
        free = shutil.disk_usage(self.folder).free
        held = self.reserve.exists()
        self.missing, self.low = free < self.needed, free < self.low_mark
        if self.low and held:
            self.reserve.unlink()
        elif not self.missing and not held:
            self._take_reserve()

    def _take_reserve(self):
        try:
            with open(self.reserve, "wb") as stream:
                os.posix_fallocate(stream.fileno(), 0, self.low_mark)
        except OSError:
            self.reserve.unlink(missing_ok=True)


def is_full(error):
    """Whether that exception means that the disk is full."""
    if isinstance(error, sqlite3.OperationalError):
        return "full" in str(error) or "disk I/O" in str(error)
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
