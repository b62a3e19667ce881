"""Each rule of layers.txt against an offence that it must find, and against code that it must let pass."""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# file, its text, a part of the line that must be printed
OFFENCES = [
    ("allocator/base/bits.h", '#include "allocator/os/memory.h"\n', "allocator/base may not include allocator/os/memory.h"),
    ("allocator/page/page.h", '#include "../heap/heap.h"\n', "allocator/page may not include allocator/heap/heap.h"),
    ("allocator/heap/free.cc", '#include "harness/op/program.h"\n', "allocator/heap may not include harness/op/program.h"),
    ("allocator/os/hook.cc", '#include "ximalloc_debug.h"\n', "allocator/os may not include allocator/include/ximalloc_debug.h"),
    ("harness/model/shadow.h", '#include "harness/subject/subject.h"\n',
     "harness/model may not include harness/subject/subject.h"),
    ("harness/subject/ximalloc.cc", '#include "allocator/heap/heap.h"\n',
     "harness/subject may not include allocator/heap/heap.h"),
    ("fuzz/alloc_ops/alloc_ops_fuzz.cc", '#include "allocator/heap/heap.h"\n', "fuzz may not include allocator/heap/heap.h"),
    ("harness/op/text.cc", '#include "harness/op/gone.h"\n', '"harness/op/gone.h" is not in this tree'),
    ("harness/op/text.cc", '#include "harness/op/text_test.cc"\n', "harness/op/text_test.cc is a test"),
    ("harness/new_layer/a.cc", "int a;\n", "lies in no folder that layers.txt lists"),
    ("allocator/heap/lock.h", "std::atomic<int> word;\n", "synchronisation lives in allocator/base only"),
    ("allocator/heap/lock.h", "int a;\n#include <mutex>\n", ":2: synchronisation lives in allocator/base only"),
    ("allocator/page/page.h", "auto a = __atomic_load_n(p, 5);\n", "synchronisation lives in allocator/base only"),
    ("allocator/heap/heap.cc", "thread_local int id;\n", "the only thread_local"),
    ("allocator/heap/heap.cc", "static __thread int id;\n", "the only thread_local"),
    ("allocator/heap/heap.cc", '__attribute__((no_sanitize("address"))) void f();\n', "no_sanitize belongs"),
    ("allocator/arena/arena.cc", "void* p = ::mmap(nullptr, 1, 0, 0, 0, 0);\n", "system calls are made in allocator/os only"),
    ("allocator/support/options.cc", 'const char* v = getenv("X");\n', "system calls are made in allocator/os only"),
    ("allocator/arena/arena.cc", "#include <sys/mman.h>\n", "system headers are included in allocator/os only"),
    ("allocator/heap/heap.cc", "#include <vector>\n", "the allocator needs libc only"),
    ("allocator/heap/heap.cc", "void f() { throw 1; }\n", "the allocator has no exceptions"),
]

# file, its text
PERMITTED = [
    ("allocator/base/atomic.h", "#include <atomic>\nstd::atomic<int> word;\n"),
    ("allocator/heap/thread_heap.h", "extern thread_local int id;\n"),
    ("allocator/heap/heap.cc", "// a std::mutex would be a system call: mmap(1), thread_local\nint a; /* throw */\n"),
    ("allocator/heap/heap.cc", 'void f() { report("cannot mmap() this"); os::mmap(1); seam.write(2); }\n'),
    ("allocator/os/memory.cc", "#include <sys/mman.h>\nvoid* p = mmap(nullptr, 1, 0, 0, 0, 0);\n"),
    ("allocator/page/page_test.cc", '#include <vector>\n#include "allocator/heap/heap.h"\n'),
    ("harness/subject/ximalloc.cc", '#include "allocator/include/ximalloc.h"\n#include "ximalloc.h"\n'),
    ("harness/exec/run.cc", '#include "harness/oracle/violation.h"\n#include <vector>\n'),
]

# What the examples above include.
TREE = ["allocator/os/memory.h", "allocator/heap/heap.h", "allocator/include/ximalloc.h",
        "allocator/include/ximalloc_debug.h", "harness/op/program.h", "harness/op/text_test.cc",
        "harness/subject/subject.h", "harness/oracle/violation.h"]


class CheckLayers(unittest.TestCase):
    def check(self, file, text):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            shutil.copy(ROOT / "layers.txt", root)
            for name in TREE:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text("")
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(text)
            run = subprocess.run([sys.executable, ROOT / "scripts/check_layers.py", "--root", root],
                                 capture_output=True, text=True, check=False)
            return run.returncode, run.stdout + run.stderr

    def test_offences_are_found(self):
        for file, text, message in OFFENCES:
            with self.subTest(file=file, text=text):
                status, output = self.check(file, text)
                self.assertEqual(status, 1, output)
                self.assertIn(message, output)
                self.assertTrue(output.startswith(file + ":"), output)
                self.assertEqual(len(output.splitlines()), 1, output)

    def test_permitted_code_passes(self):
        for file, text in PERMITTED:
            with self.subTest(file=file, text=text):
                status, output = self.check(file, text)
                self.assertEqual((status, output), (0, "layers: clean\n"))

    def test_each_rule_has_an_offence_here(self):
        messages = [line.rsplit(" : ", 1)[1] for line in (ROOT / "layers.txt").read_text().splitlines()
                    if line.startswith("rule ")]
        for message in messages:
            self.assertTrue(any(part.lstrip(":0123456789 ") in message for _, _, part in OFFENCES), message)


if __name__ == "__main__":
    unittest.main()
