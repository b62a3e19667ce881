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
        one = "assay 1\n# the allocator's structure is broken: the statistic of committed bytes differs from the bitmaps (0x10000)\np0 = malloc(1)"
        other = "assay 1\n# the allocator's structure is broken: an arena's bitmaps contradict each other (0x580002000000)\np0 = malloc(1)"
        self.assertNotEqual(shape_of(one), shape_of(other))
        self.assertEqual(shape_of(one), shape_of(one.replace("0x10000", "0x20000")))

    def test_slots_and_near_sizes_do_not_matter(self):
        one = "assay 1\nexpect: contents-realloc--\np0 = malloc(3000)\np1 = realloc(p0, 3001)\n"
        two = "assay 1\n# found at night\np7 = malloc(2500)\np7 = realloc(p7, 4000)  # moved\n"
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

    def test_a_block_that_moves_is_allocated_and_freed(self):
        moved = shape_of("p0 = malloc(1)\np0 = realloc(p0, 9)\ncollect(1)")
        self.assertEqual(moved, shape_of("p0 = malloc(1)\nfree(p0)\ncollect(1)"))
        self.assertNotEqual(moved, shape_of("p0 = realloc(NULL, 9)"))

    def test_outlines_are_finer(self):
        one, two = "p0 = malloc(8)\nfree(p0)", "p0 = malloc(8)\np1 = malloc(8)\nfree(p0)"
        self.assertEqual(shape_of(one), shape_of(two))
        self.assertNotEqual(outline_of(one), outline_of(two))
        self.assertEqual(outline_of(one), outline_of("assay 1\n# slots do not matter\np7 = malloc(9)\nfree(p7)"))

    def test_which_call_of_a_kind_failed_does_not_matter(self):
        self.assertEqual(shape_of("p0 = malloc(8) (fail: mmap#1=ENOMEM)"), shape_of("p0 = malloc(8) (fail: mmap#2+=EAGAIN)").replace("+", ""))

    def test_volume_and_schedules(self):
        self.assertEqual(shape_of("p0 = malloc(64)\np1 = malloc(64)\np2 = malloc(64)"), shape_of("p0 = malloc(60)\np1 = malloc(33)"))
        self.assertIn("scheduled", shape_of("p0 = malloc(8) @t1\nfree(p0) @t2\npreempt(t1, op 0, access 2) -> t2"))
        self.assertIn("threads", shape_of("p0 = malloc(8)\nfree(p0) @t2"))


if __name__ == "__main__":
    unittest.main()
