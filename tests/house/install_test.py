"""What `cmake --install` of a build folder gives to another project: by find_package, by pkg-config, and preloaded.

  install_test.py BUILD_FOLDER COMPILER      exit 77 where that flavour has no shared library
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD, COMPILER = Path(sys.argv[1]), sys.argv[2]
LIBRARY = BUILD / "lib/libximalloc.so"

PROJECT = """cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(ximalloc 0.1 REQUIRED)
add_executable(consumer main.cc)
target_compile_features(consumer PRIVATE cxx_std_17)
target_link_libraries(consumer PRIVATE ximalloc::ximalloc)
"""
CONSUMER = """#include <ximalloc.hpp>
#include <cstdio>
#include <map>
#include <vector>
int main() {
  std::vector<int, xi::allocator<int>> numbers(1000, 7);
  const xi::scoped_heap heap;
  std::map<int, int, std::less<>, xi::heap_allocator<std::pair<const int, int>>> squares{
      xi::heap_allocator<std::pair<const int, int>>(heap)};
  for (int i = 0; i < 100; ++i) squares[i] = i * i;
  const bool owned = xi_check_owned(numbers.data()) && xi_heap_contains_block(heap.get(), &*squares.begin()) == false &&
                     xi_heap_check_owned(heap.get(), &*squares.begin());
  std::printf("%d %d %d\\n", xi_version(), squares[9], owned ? 1 : 0);
  return owned ? 0 : 1;
}
"""
PLAIN_C = """#include <stdio.h>
#include <stdlib.h>
#include <ximalloc.h>
int main(void) {
  char *mine = xi_strdup("text");
  void *theirs = malloc(100);
  printf("%s %d\\n", mine, xi_is_in_heap_region(theirs) ? 1 : 0);
  xi_free(mine);
  free(theirs);
  return xi_version() == XI_VERSION ? 0 : 1;
}
"""


def run(*command, **settings):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=250, **settings)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        run("cmake", "--install", BUILD, "--prefix", cls.folder / "first")
        # Nothing in it may know where it was installed.
        shutil.move(cls.folder / "first", cls.folder / "moved")
        cls.prefix = cls.folder / "moved"

    def test_the_files_are_those_that_are_needed(self):
        files = {str(file.relative_to(self.prefix)) for file in self.prefix.rglob("*") if file.is_file()}
        self.assertEqual(files - {"lib/libximalloc.a"}, {
            "include/ximalloc.h", "include/ximalloc.hpp", "lib/libximalloc.so", "lib/pkgconfig/ximalloc.pc",
            "lib/cmake/ximalloc/ximalloc-config.cmake", "lib/cmake/ximalloc/ximalloc-config-version.cmake"})

    def test_find_package(self):
        project = self.folder / "consumer"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(PROJECT)
        (project / "main.cc").write_text(CONSUMER)
        run("cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_COMPILER={COMPILER}")
        run("cmake", "--build", project / "build")
        version = re.search(r"#define XI_VERSION (\d+)", (ROOT / "allocator/include/ximalloc.h").read_text())[1]
        self.assertEqual(run(project / "build/consumer"), f"{version} 81 1\n")
        (project / "CMakeLists.txt").write_text(PROJECT.replace("ximalloc 0.1", "ximalloc 1.0"))
        with self.assertRaisesRegex(AssertionError, "compatible"):
            run("cmake", "-S", project, "-B", project / "other", f"-DCMAKE_PREFIX_PATH={self.prefix}",
                f"-DCMAKE_CXX_COMPILER={COMPILER}")

    def test_without_the_tester_no_package_is_needed(self):
        place = self.folder / "alone"
        absent = [f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in ("fmt", "nlohmann_json", "CLI11", "GTest", "Python3")]
        run("cmake", "--preset", "release", "-B", place, "-DXIMALLOC_ALONE=ON", *absent, cwd=ROOT)
        outputs = set(re.findall(r"^(lib/\S+): ", run("ninja", "-C", place, "-t", "targets", "all"), re.M))
        self.assertEqual(outputs, {"lib/libximalloc.a", "lib/libximalloc.so"})
        with self.assertRaisesRegex(AssertionError, "--preset release"):
            run("cmake", "--preset", "dev", "-B", self.folder / "dev", "-DXIMALLOC_ALONE=ON", cwd=ROOT)

    @unittest.skipUnless(shutil.which("pkg-config"), "there is no pkg-config")
    def test_pkg_config(self):
        source, program = self.folder / "main.c", self.folder / "plain"
        source.write_text(PLAIN_C)
        settings = {**os.environ, "PKG_CONFIG_PATH": str(self.prefix / "lib/pkgconfig")}
        flags = run("pkg-config", "--cflags", "--libs", "ximalloc", env=settings).split()
        run(COMPILER, "-x", "c", source, "-x", "none", "-o", program, *flags)
        # Linked, it also serves the program's own malloc.
        self.assertEqual(run(program, env={**os.environ, "LD_LIBRARY_PATH": str(self.prefix / "lib")}), "text 1\n")


if __name__ == "__main__":
    if not LIBRARY.exists():
        print(f"there is no {LIBRARY}")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
