#include "harness/op/text.h"

#include <gtest/gtest.h>

#include "harness/op/validate.h"

namespace assay {
namespace {

std::string canonical(const std::string& lines) {
  const Program program = parse_text("assay 1\n" + lines, "x.ops");
  EXPECT_EQ(validate(program, kTextCaps), std::nullopt);
  const std::string text = print_text(program);
  EXPECT_EQ(parse_text(text, "y.ops"), program) << text;
  EXPECT_TRUE(text.starts_with("assay 1\n"));
  return text.substr(8);
}

std::string error_of(const std::string& text) {
  try {
    parse_text(text, "x.ops");
  } catch (const InputError& error) {
    return error.message;
  }
  return "no error";
}

TEST(Text, EveryOperationHasItsCanonicalLine) {
  const std::string lines =
      "p0 = malloc(24)\n"
      "p1 = calloc(3, 100)\n"
      "p2 = realloc(p1, 70000)\n"
      "p3 = realloc(NULL, 10)\n"
      "p4 = aligned_alloc(64, 4096) @t3\n"
      "p5 = posix_memalign(4096, 1)\n"
      "usable_size(p5)\n"
      "free(p5)\n"
      "free(NULL)\n"
      "collect(1)\n"
      "thread_exit() @t1\n"
      "advance_clock(1500)\n"
      "fork()\n"
      "check(p0)\n"
      "check_all()\n";
  EXPECT_EQ(canonical(lines), lines);
}

TEST(Text, RangesIntervalsAndHalves) {
  const std::string lines =
      "p10..p999 = malloc(24..4096 seed 7)\n"
      "free(p10..p998 step 2)\n"
      "free(p0..p2999 half 7)\n"
      "free(p0..p2998 step 2 half 18446744073709551615)\n"
      "p0..p9 = realloc(p0..p9, 64)\n"
      "p0..p18 step 2 = realloc(p0..p9, 64)\n"
      "p0..p9 = realloc(NULL, 64)\n";
  EXPECT_EQ(canonical(lines), lines);
}

TEST(Text, Failures) {
  const char* const lines =
      "p0 = malloc(900000) @t1 (fail: mmap#1)\n"
      "p1 = malloc(1) (fail: mprotect#2+=EPERM, mmap#1=high, madvise#3=dirty)\n"
      "os_heal()\n"
      "end() (fail: munmap#1+)\n";
  EXPECT_EQ(canonical(lines), lines);
  EXPECT_EQ(canonical("fork()( fail :mmap#1=ENOMEM , munmap#2 )  # why"), "fork() (fail: mmap#1, munmap#2)\n");
}

TEST(Text, SpellingsThatCanonicalPrintUnifies) {
  EXPECT_EQ(canonical("  p0=malloc( 0x18 )@t0   # a comment\n\n# another\n\t\n"), "p0 = malloc(24)\n");
  EXPECT_EQ(canonical("p0 = malloc(24)\r\nfree(p0)\r\n"), "p0 = malloc(24)\nfree(p0)\n");
  EXPECT_EQ(canonical("free(p7)"), "free(p7)\n");
  EXPECT_EQ(canonical("free(p10..p999 step 2)"), "free(p10..p998 step 2)\n");
  EXPECT_EQ(canonical("free(p3..p3)"), "free(p3)\n");
  EXPECT_EQ(canonical("free(p3..p5 step 9 half 2)"), "free(p3)\n");
  EXPECT_EQ(canonical("p0 = malloc(5..5 seed 3)"), "p0 = malloc(5)\n");
  EXPECT_EQ(canonical("p0 = malloc(5..6)"), "p0 = malloc(5..6 seed 0)\n");
  EXPECT_EQ(canonical("p0 = malloc(0xFFFFFFFFFFFFFFFF)"), "p0 = malloc(18446744073709551615)\n");
  EXPECT_EQ(canonical("p65534 = malloc(1) @t1022"), "p65534 = malloc(1) @t1022\n");
}

TEST(Text, HeaderLines) {
  EXPECT_EQ(
      canonical(
          "expect: overlap-free--\nsubject: jemalloc{MALLOC_CONF=narenas:2}   # c\nflavour: secure\nmode: free\n"),
      "flavour: secure\nmode: free\nsubject: jemalloc{MALLOC_CONF=narenas:2}\nexpect: overlap-free--\n");
  EXPECT_EQ(parse_text("assay 1 # the first line\nsubject: ./a#b.so:pre_\n", "x").header.subject, "./a#b.so:pre_");
  EXPECT_EQ(parse_text("assay 1", "x"), Program{});
}

struct BadText {
  const char* text;
  const char* message;  // behind "x.ops:"
};

TEST(Text, MistakesAreNamedWithLineAndColumn) {
  const BadText kBad[] = {
      {"", "1:1: the first line must be 'assay 1'"},
      {"p0 = malloc(1)\n", "1:1: the first line must be 'assay 1'"},
      {"assay\n", "1:6: expected the version of the text form, a number, found the end of the line"},
      {"assay 2\n", "1:7: version 2 of the text form is not known, only version 1"},
      {"assay 1 2\n", "1:9: expected the end of the line, found '2'"},
      {"assay 1\np0 = mallok(1)\n", "2:6: unknown operation 'mallok'"},
      {"assay 1\n\n  p0 = jemalloc.xallocx(p5, 100, 0, 0)\n", "3:8: unknown operation 'jemalloc.xallocx'"},
      {"assay 1\ns0 = subproc_new() @t1\n", "2:1: unknown operation 's0'"},
      {"assay 1\nheap_new()\n", "2:1: the result of heap_new needs a heap: hN = heap_new(...)"},
      {"assay 1\na0 = heap_new()\n", "2:6: the result of heap_new needs a heap: hN = heap_new(...)"},
      {"assay 1\nh0 = malloc(1)\n", "2:6: the result of malloc needs a slot: pN = malloc(...)"},
      {"assay 1\nh0 = collect(1)\n", "2:1: collect makes no heap"},
      {"assay 1\nh64 = heap_new()\n", "2:1: heap 64 is out of range, 0 to 63"},
      {"assay 1\nh0 = heap_new_in_arena(a16)\n", "2:24: arena 16 is out of range, 0 to 15"},
      {"assay 1\nheap_delete(p0)\n", "2:13: expected a heap (h0, h1, ...) or NULL, found 'p0'"},
      {"assay 1\noption_set(colour, 1)\n", "2:12: unknown option 'colour'"},
      {"assay 1\npreempt(t0, op 5, access 2) -> t1\n", "2:1: there is no op 5 in this program"},
      {"assay 1\np0 = malloc(1) (fail: mmap#0)\n", "2:28: the number of a call is 1 to 65535"},
      {"assay 1\np0 = malloc(1) (fail mmap#1)\n", "2:22: expected ':' after fail, found 'mmap'"},
      {"assay 1\np0 = malloc(1) (fale: mmap#1)\n", "2:17: expected 'fail:', found 'fale'"},
      {"assay 1\np0 = malloc(1) (fail: mmap#1=ENOSUCH)\n",
       "2:30: unknown errno name 'ENOSUCH'; expected one of errno.h, 'unaligned', 'high' or 'dirty'"},
      {"assay 1\np0 = malloc(1) (fail: mmap#1, mmap#1+)\n", "2:31: mmap#1 fails twice"},
      {"assay 1\np0 = malloc(1) (fail: mmap#1\n", "2:29: expected ')' after the failures, found the end of the line"},
      {"assay 1\nfork() (fail: mmap#1, mmap#2, mmap#3, mmap#4, mmap#5, mmap#6, mmap#7, mmap#8, mmap#9, mmap#10, "
       "mmap#11, "
       "mmap#12, mmap#13, mmap#14, mmap#15, mmap#16, mmap#17)\n",
       "2:150: more than 16 failures"},
      {"assay 1\nend()\nfork()\n", "3:1: an operation stands behind end()"},
      {"assay 1\nend() @t1\n", "2:1: end runs on t0"},
      {"assay 1\nmalloc(1)\n", "2:1: the result of malloc needs a slot: pN = malloc(...)"},
      {"assay 1\np0 = free(p1)\n", "2:1: free has no result to put into a slot"},
      {"assay 1\np0 malloc(1)\n", "2:4: expected '=' after the slot that is filled, found 'malloc'"},
      {"assay 1\np0 = \n", "2:6: expected an operation, found the end of the line"},
      {"assay 1\np0 = malloc\n", "2:12: expected '(' after malloc, found the end of the line"},
      {"assay 1\np0 = malloc()\n", "2:13: expected a size, a number, found ')'"},
      {"assay 1\np0 = malloc(p1)\n", "2:13: expected a size, a number, found 'p1'"},
      {"assay 1\np0 = malloc(NULL)\n", "2:13: expected a size, a number, found 'NULL'"},
      {"assay 1\np0 = malloc(-1)\n", "2:13: expected a size, a number, found '-'"},
      {"assay 1\np0 = malloc(12k)\n", "2:13: expected a size, a number, found '12k'"},
      {"assay 1\np0 = malloc(0x)\n", "2:13: expected a size, a number, found '0x'"},
      {"assay 1\np0 = malloc(18446744073709551616)\n", "2:13: a size is larger than 18446744073709551615"},
      {"assay 1\np0 = malloc(1, 2)\n", "2:14: expected ')' after the 1 argument of malloc, found ','"},
      {"assay 1\np0 = calloc(1)\n", "2:14: expected ',' and a size, calloc has 2 arguments; found ')'"},
      {"assay 1\np0 = malloc(9..8 seed 1)\n", "2:13: the interval 9..8 is empty: its lower end comes first"},
      {"assay 1\np0 = malloc(1) @x\n", "2:17: expected a thread (t0, t1, ...), found 'x'"},
      {"assay 1\np0 = malloc(1) @t1023\n", "2:17: thread 1023 is out of range, 0 to 1022"},
      {"assay 1\np0 = malloc(1) @t1 @t2\n", "2:20: expected the end of the line, found '@'"},
      {"assay 1\np65535 = malloc(1)\n", "2:1: slot 65535 is out of range, 0 to 65534"},
      {"assay 1\nfree(p1x)\n", "2:6: expected a slot (p0, p1, ...) or NULL, found 'p1x'"},
      {"assay 1\nfree(24)\n", "2:6: expected a slot (p0, p1, ...) or NULL, found '24'"},
      {"assay 1\nfree(h0)\n", "2:6: expected a slot (p0, p1, ...) or NULL, found 'h0'"},
      {"assay 1\nfree(p9..p3)\n", "2:6: the range p9..p3 is empty: its first slot comes first"},
      {"assay 1\nfree(p0..p9 step 0)\n", "2:13: a step of 0 never reaches the end of the range"},
      {"assay 1\nfree(p0..p9 half 1 step 2)\n", "2:20: 'step' stands once behind a range, 'step' before 'half'"},
      {"assay 1\nfree(p0 half 1)\n", "2:9: 'half' is for a range of slots, p0..pN"},
      {"assay 1\np0..p9 = realloc(p0..p4, 64)\n", "2:1: 10 slots to the left of '=' and 5 to the right do not pair"},
      {"assay 1\np0..p9 = realloc(p0..p9 half 3, 64)\n",
       "2:1: 10 slots to the left of '=' and 5 to the right do not pair"},
      {"assay 1\ncolour: red\n", "2:1: unknown header line 'colour'; known: flavour, mode, subject, expect"},
      {"assay 1\nmode: odd\n", "2:7: unknown mode 'odd'; known: sequential, schedule, free"},
      {"assay 1\nmode:   # none\n", "2:15: header line 'mode' has no value"},
      {"assay 1\nmode: free\nmode: free\n", "3:1: header line 'mode' stands here a second time"},
      {"assay 1\nfork()\nmode: free\n", "3:1: header line 'mode' must stand before the first operation"},
      {"assay 1\nflavour: a\x01z\n", "2:10: header line 'flavour' has a character that cannot stand there: '\\x01'"},
      {"assay 1\n\xff\xfe\n", "2:1: expected an operation, found '\\xff'"},
      {"assay 1\n= malloc(1)\n", "2:1: expected an operation, found '='"},
  };
  for (const BadText& bad : kBad) EXPECT_EQ(error_of(bad.text), std::string("x.ops:") + bad.message) << bad.text;
}

TEST(Text, AnErrorIsOneLineWhateverTheInput) {
  const std::string message = error_of("assay 1\np0 = " + std::string(5000, 'x') + "(1)\n");
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_LT(message.size(), 200u);
}

}  // namespace
}  // namespace assay
