"""Shapes: equal for finds of one bug, different for different bugs."""

import unittest

from shape import outline_of, shape_of, size_bin, symptom_of


class ShapeTest(unittest.TestCase):
    def test_bins(self):
        self.assertEqual([size_bin(n) for n in (0, 1, 1024, 1025, 8192, 65536, 65537, 1 << 20, 1 << 40)],
                         ["tiny", "tiny", "tiny", "small", "small", "medium", "large", "giant", "huge"])

    def test_factors_of_a_product_that_is_too_large_do_not_matter(self):
        self.assertEqual(shape_of("p0 = calloc(2, 0x8000000000000000)"), shape_of("p0 = calloc(4294967296, 4294967296)"))
        self.assertNotEqual(shape_of("p0 = calloc(2, 8)"), shape_of("p0 = calloc(4294967296, 4294967296)"))

    def test_what_a_validator_found_matters(self):
        one = "assay 1\nexpect: structure-malloc--\n# the allocator's structure is broken: the statistic of committed bytes differs from the bitmaps (0x10000)\np0 = malloc(1)"
        other = "assay 1\nexpect: structure-malloc--\n# the allocator's structure is broken: an arena's bitmaps contradict each other (0x580002000000)\np0 = malloc(1)"
        self.assertNotEqual(shape_of(one), shape_of(other))
        self.assertEqual(shape_of(one), shape_of(one.replace("0x10000", "0x20000")))

    def test_slots_and_near_sizes_do_not_matter(self):
        one = "assay 1\nexpect: contents-realloc--\np0 = malloc(3000)\np1 = realloc(p0, 3001)\n"
        two = "assay 1\np7 = malloc(2500)\np7 = realloc(p7, 4000)  # moved\n"
        self.assertEqual(shape_of(one), shape_of(two))

    def test_alignments_failures_and_other_operations_do(self):
        base = shape_of("p0 = aligned_alloc(64, 4096)")
        self.assertEqual(base, shape_of("p0 = malloc_aligned_at(131072, 64, 8)"))
        self.assertEqual(base, shape_of("p0 = heap_calloc_aligned(h0, 3, 100000, 32)"))
        self.assertNotEqual(base, shape_of("p0 = aligned_alloc(131072, 4096)"))
        self.assertNotEqual(base, shape_of("p0 = aligned_alloc(64, 4096) (fail: mmap#1=ENOMEM)"))
        self.assertNotEqual(base, shape_of("p0 = aligned_alloc(64, 4096)\nfork()"))

    def test_functions_of_one_class_are_one(self):
        self.assertEqual(shape_of("p0 = aligned_alloc(64, 64)"), shape_of("p0 = memalign(64, 64)"))
        self.assertEqual(symptom_of("alignment-posix_memalign--"), symptom_of("alignment-heap_realloc_aligned--"))
        self.assertEqual(symptom_of("crash-strdup-xi::operator-x"), "crash-allocate-xi::operator-x")
        self.assertNotEqual(symptom_of("crash-malloc--"), symptom_of("crash-free--"))
        self.assertEqual(symptom_of(""), "")

    def test_what_decides_when_it_shows_does_not_matter(self):
        plain = shape_of("p0 = malloc(1)\np0 = realloc(p0, 9)")
        self.assertEqual(plain, shape_of("p0 = malloc(1)\nfree(p0)\nthread_exit()\nheap_collect(h0, 1)\nadvance_clock(5)"))
        self.assertNotEqual(plain, shape_of("p0 = malloc(1)\ncollect(1) (fail: madvise#1)"))
        self.assertEqual(symptom_of("seam-heap_collect--"), symptom_of("seam-collect--"))

    def test_the_broken_promise_matters_in_its_words(self):
        program = "assay 1\n# {}\nexpect: arena-heap_malloc--\na0 = reserve_os_memory_ex(1, 1, 0, 1)\nh0 = heap_new_in_arena(a0)\np0 = heap_malloc(h0, 9)"
        full = shape_of(program.format("heap_malloc answered NULL although its arena has room"))
        self.assertIn("[a call answered NULL although its arena has room]", full)
        self.assertEqual(full, shape_of(program.replace("heap_malloc", "heap_zalloc").format("heap_zalloc answered NULL although its arena has room")))
        outside = "the new block {} of a heap that is bound to an arena lies outside of it"
        self.assertNotEqual(full, shape_of(program.format(outside.format("p0"))))
        self.assertEqual(shape_of(program.format(outside.format("p0"))), shape_of(program.format(outside.format("p17[3]"))))

    def test_a_validator_looks_after_any_call(self):
        program = "assay 1\n# the allocator's structure is broken: a block that counts as zero is not (0x580002000800)\nexpect: structure-malloc--\n{}p0 = malloc(9)\n"
        plain = shape_of(program.format(""))
        self.assertEqual(plain, shape_of(program.format("h0 = heap_new()\np1 = heap_calloc(h0, 1, 9)\nfree(p1)\n")))
        self.assertNotEqual(plain, shape_of(program.format("a0 = manage_os_memory_ex(65536, 1, 1, 0, 0)\n")))
        self.assertNotEqual(plain, shape_of(program.format("").replace("(9)", "(9) (fail: mprotect#1)")))
        self.assertEqual(symptom_of("structure-malloc--"), symptom_of("structure-end--"))

    def test_what_a_resize_promises_is_its_own(self):
        for oracle in ("contents", "zeroing"):
            self.assertNotEqual(symptom_of(f"{oracle}-rezalloc--"), symptom_of(f"{oracle}-calloc--"))
        self.assertEqual(symptom_of("overlap-rezalloc--"), symptom_of("overlap-calloc--"))

    def test_large_sizes_matter_but_under_a_schedule(self):
        small, large = "p0 = malloc(9)\n", "p0 = malloc(65537)\n"
        self.assertNotEqual(shape_of(small), shape_of(large))
        self.assertEqual(shape_of(small), shape_of("p0 = malloc(60000)\n"))
        preempted = "preempt(t1, op 0, access 2) -> t2"
        self.assertEqual(shape_of(small + preempted), shape_of(large + preempted))

    def test_a_program_that_builds_up_a_state_is_no_short_one(self):
        lines = [f"p{number} = malloc(9)" for number in range(8)]
        self.assertNotEqual(shape_of("\n".join(lines)), shape_of("\n".join(lines[:7])))
        self.assertEqual(shape_of("\n".join(line + " @t1" for line in lines)), shape_of(lines[0] + " @t1"))

    def test_arenas_of_the_program_are_one_however_made(self):
        self.assertEqual(shape_of("a0 = reserve_os_memory_ex(1, 1, 0, 1)"), shape_of("a0 = manage_os_memory_ex(65536, 1, 1, 0, 0)"))

    def test_outlines_are_finer(self):
        one, two = "p0 = malloc(8)\nfree(p0)", "p0 = malloc(8)\np1 = malloc(8)\nfree(p0)"
        self.assertEqual(shape_of(one), shape_of(two))
        self.assertNotEqual(outline_of(one), outline_of(two))
        self.assertEqual(outline_of(one), outline_of("assay 1\n# slots do not matter\np7 = malloc(9)\nfree(p7)"))

    def test_which_call_of_a_kind_failed_does_not_matter(self):
        self.assertEqual(shape_of("p0 = malloc(8) (fail: mmap#1=ENOMEM)"), shape_of("p0 = malloc(8) (fail: mmap#2+=EAGAIN)").replace("+", ""))

    def test_volume_and_schedules(self):
        self.assertEqual(shape_of("p0 = malloc(64)\np1 = malloc(64)\np2 = malloc(64)"), shape_of("p0 = malloc(60)\np1 = malloc(33)"))

    def test_what_a_schedule_comes_between_matters(self):
        program = "p0 = malloc(8) @t1\nfree(p0) @t2\n"
        between = shape_of(program + "preempt(t1, op 0, access 2) -> t2")
        self.assertEqual(between, shape_of(program + "preempt(t1, op 0, access 17) -> t2\n"))
        self.assertIn("between@allocate", between)
        self.assertNotEqual(between, shape_of(program + "preempt(t2, op 1, access 2) -> t1"))
        self.assertNotEqual(between, shape_of(program + "stale(t1, op 0, access 2, 1)"))
        self.assertIn("between@end", shape_of(program + "preempt(t2, end, access 2) -> t1"))

    def test_threads(self):
        self.assertIn("threads", shape_of("p0 = malloc(8)\nfree(p0) @t2"))
        self.assertIn("threads", shape_of("p0 = malloc(8) @t1"))


if __name__ == "__main__":
    unittest.main()
