#include "tools/fuzz/preceding.h"

#include <gtest/gtest.h>

#include "harness/op/text.h"

namespace assay {
namespace {

Program parsed(const std::string& text) {
  return parse_text("assay 1\n" + text, "test");
}

// Each could be a file of its own again, and so can what they make together.
TEST(Preceding, WhatEndsOneProgramIsSpelledOutForTheNext) {
  const std::vector<Program> programs = {
      parsed("p7 = malloc(8)\n"),
      parsed("p3 = malloc(24)\nh2 = heap_new()\nh1 = heap_new() @t1\np4 = malloc(8) @t1\nend() (fail: munmap#1)\n"),
      parsed("h2 = heap_new()\nend() (fail: madvise#1)\n"),
  };
  EXPECT_EQ(print_text(concatenated(programs, 2)), print_text(parsed("p3 = malloc(24)\n"
                                                                     "h2 = heap_new()\n"
                                                                     "h1 = heap_new() @t1\n"
                                                                     "p4 = malloc(8) @t1\n"
                                                                     "thread_exit() @t1\n"
                                                                     "free(p0..p4) (fail: munmap#1)\n"
                                                                     "heap_delete(h2)\n"
                                                                     "h2 = heap_new()\n"
                                                                     "end() (fail: madvise#1)\n")));
  const Program all = concatenated(programs, 3);
  EXPECT_EQ(print_text(parse_text(print_text(all), "test")), print_text(all));
}

}  // namespace
}  // namespace assay
