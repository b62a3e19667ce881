"""What flavour tsan does with allocators that it does not see into: `thread_sanitizer_test.py BUILD`.

Locks of anyone's allocator are no locks to ThreadSanitizer, and a block that goes from one thread to the next is a race:
so they run in a process without it, unless they were compiled with it.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path("build/tsan")
# Sound but for a count of its calls, when it RACES.
RACY = """#include <stdlib.h>
#include <pthread.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char memory[1 << 24];
static size_t used;
long calls;
void* own_malloc(size_t size) {
  pthread_mutex_lock(&lock);
  used = (used + 15) / 16 * 16 + 16;
  void* block = memory + used;
  used += size;
  pthread_mutex_unlock(&lock);
#ifdef RACES
  ++calls;
#endif
  return block;
}
void own_free(void* block) { (void)block; }
"""


class UnderThreadSanitizer(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="assay-tsan-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.larson = str(self.folder / "larson.ops")
        self.run_tool("generate", "larson", "--mode", "free", "-o", self.larson, status=0)

    def run_tool(self, *arguments, status):
        done = subprocess.run([BUILD / "bin" / "assay", *arguments], capture_output=True, text=True, timeout=300, check=False,
                              env=dict(os.environ, ASSAY_ROOT=str(self.folder)))
        self.assertEqual(done.returncode, status, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def compiled(self, name, *options):
        """An allocator of a user who compiled it for ThreadSanitizer, as its file and prefix."""
        source = self.folder / f"{name}.c"
        source.write_text(RACY)
        library = self.folder / f"lib{name}.so"
        subprocess.run(["clang-19", "-shared", "-fPIC", "-O1", "-fno-builtin", *options, source, "-o", library], check=True)
        return f"{library}:own_"

    def test_blocks_that_go_round_in_libc_are_no_races(self):
        for mode in ("free", "schedule"):
            with self.subTest(mode):
                self.run_tool("replay", self.larson, "--subject", "libc", "--mode", mode, status=0)

    def test_nor_for_the_engine(self):
        environment = dict(os.environ, ASSAY_SUBJECT="libc", ASSAY_MODE="free")
        done = subprocess.run([BUILD / "bin" / "mt_ops", "-runs=300", "-seed=1", "-rss_limit_mb=0"], capture_output=True, text=True,
                              timeout=300, check=False, cwd=self.folder, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])

    def test_an_allocator_compiled_with_it_is_watched(self):
        self.run_tool("replay", self.larson, "--subject", self.compiled("sound", "-fsanitize=thread"), status=0)
        self.run_tool("replay", self.larson, "--subject", self.compiled("plain", "-DRACES"), status=0)
        racy = self.run_tool("replay", self.larson, "--subject", self.compiled("racy", "-fsanitize=thread", "-DRACES"), status=1)
        self.assertIn("VIOLATION sanitizer", racy.stdout + racy.stderr)

    def test_schedules_of_our_own_are_for_the_other_flavour(self):
        done = self.run_tool("replay", self.larson, "--mode", "schedule", status=2)
        self.assertEqual(done.stderr, "assay: flavour tsan does not run ximalloc in mode schedule, sched-tsan does\n")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
