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
# Blocks that go round. Sound but for a count of its calls, when it RACES; its lock is one that ThreadSanitizer knows,
# unless it SPINS.
ALLOCATOR = """#include <stdlib.h>
#include <pthread.h>
#ifdef SPINS
static char word;
static void lock(void) { while (__atomic_test_and_set(&word, __ATOMIC_ACQUIRE)) {} }
static void unlock(void) { __atomic_clear(&word, __ATOMIC_RELEASE); }
#else
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void lock(void) { pthread_mutex_lock(&mutex); }
static void unlock(void) { pthread_mutex_unlock(&mutex); }
#endif
enum { BLOCK = 1024 };
static _Alignas(16) char memory[1 << 24];
static size_t used;
static void* freed;
long calls;
void* own_malloc(size_t size) {
  lock();
  void* block = NULL;
  if (size <= BLOCK && freed != NULL) {
    block = freed;
    freed = *(void**)block;
  } else if (size <= sizeof memory - used - BLOCK) {
    block = memory + used;
    used += size <= BLOCK ? BLOCK : (size + BLOCK - 1) / BLOCK * BLOCK;
  }
  unlock();
#ifdef RACES
  ++calls;
#endif
  return block;
}
void own_free(void* block) {
  if (block == NULL) return;
  lock();
  *(void**)block = freed;
  freed = block;
  unlock();
}
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
        source.write_text(ALLOCATOR)
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
        racy = self.run_tool("replay", self.larson, "--subject", self.compiled("racy", "-fsanitize=thread", "-DRACES"), status=1)
        self.assertIn("VIOLATION sanitizer", racy.stdout + racy.stderr)

    def test_one_that_was_not_is_not(self):
        self.run_tool("replay", self.larson, "--subject", self.compiled("plain", "-DRACES", "-DSPINS"), status=0)

    def test_schedules_of_our_own_are_for_the_other_flavour(self):
        done = self.run_tool("replay", self.larson, "--mode", "schedule", status=2)
        self.assertEqual(done.stderr, "assay: flavour tsan does not run ximalloc in mode schedule, sched-tsan does\n")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
