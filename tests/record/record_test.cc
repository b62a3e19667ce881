// The recorder on real processes: what it sees, and that the program does not see it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "tests/record/recorded_trace.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

TEST(Record, EachFunctionIsSeenInOrder) {
  const Scratch scratch;
  const Ended ended = scratch.record("every_function");
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  const TraceFile trace(scratch.path("trace"));
  ASSERT_EQ(trace.processes().size(), 1u);
  EXPECT_EQ(trace.processes()[0].program, "recorded_every_function");
  std::vector<std::string> seen = calls(trace, 0);
  const auto mark = [&](std::string_view size) {
    return std::find_if(seen.begin(), seen.end(), [&](const std::string& call) { return call.ends_with(size); });
  };
  ASSERT_NE(mark("=malloc 12321"), seen.end());
  ASSERT_NE(mark("=malloc 12322"), seen.end());
  std::vector<std::string> between(mark("=malloc 12321") + 1, mark("=malloc 12322"));
  // Slots are counted from the first mark's.
  const uint64_t first = std::stoull(mark("=malloc 12321")->substr(1));
  for (std::string& call : between) {
    for (uint64_t slot = 9; slot > 0; --slot) {
      for (size_t at; (at = call.find("p" + std::to_string(first + slot))) != std::string::npos;) {
        call.replace(at, 1 + std::to_string(first + slot).size(), std::string(1, static_cast<char>('a' + slot)));
      }
    }
    const std::string mark_slot = "p" + std::to_string(first);
    if (call.ends_with(mark_slot)) call.replace(call.size() - mark_slot.size(), mark_slot.size(), "a");
  }
  EXPECT_THAT(between, ElementsAre("b=calloc 3 50", "b=realloc b 4000", "c=realloc NULL 33", "c=realloc c 55",
                                   "d=aligned_alloc 64 640", "e=posix_memalign 128 99", "f=aligned_alloc 32 70",
                                   "g=aligned_alloc 4096 71", "h=aligned_alloc 4096 4096", "usable_size h", "free NULL",
                                   "free b", "b=malloc 9223372036854775808", "free b", "b=posix_memalign 3 8", "free b",
                                   "c=realloc c 9223372036854775809", "free c", "free d", "free e", "free f", "free g",
                                   "free h", "h=malloc 34", "free h", "free a"));
}

struct Ending {
  const char* how;
  int status;
  size_t images;  // of the whole tree
};
class RecordEnding : public testing::TestWithParam<Ending> {};

TEST_P(RecordEnding, NothingIsLostAndTheStatusIsTheProgramsOwn) {
  const Scratch scratch;
  const Ended ended = scratch.record(std::string("ending ") + GetParam().how);
  EXPECT_EQ(ended.status, GetParam().status) << ended.err;
  const TraceFile trace(scratch.path("trace"));
  EXPECT_EQ(trace.processes().size(), GetParam().images);
  EXPECT_EQ(count_call(trace, "p=malloc 31337"), 1u);
  EXPECT_EQ(count_call(trace, "p=malloc 111"), 1u) << "in a constructor, before main";
}

INSTANTIATE_TEST_SUITE_P(All, RecordEnding,
                         testing::Values(Ending{"return", 9, 1}, Ending{"exit", 9, 1}, Ending{"_exit", 9, 1},
                                         Ending{"_Exit", 9, 1}, Ending{"quick_exit", 9, 1}, Ending{"abort", 134, 1},
                                         Ending{"pthread_exit", 0, 1}, Ending{"execve", 0, 2}, Ending{"execv", 0, 2},
                                         Ending{"execvp", 0, 2}, Ending{"execvpe", 0, 2}, Ending{"execl", 9, 2},
                                         Ending{"execlp", 9, 2}, Ending{"exec_fails", 9, 1}, Ending{"vfork", 9, 2},
                                         Ending{"fork", 9, 2}, Ending{"raw_fork", 9, 2},
                                         // Its child has another environment, and is not recorded any more.
                                         Ending{"execle", 9, 1}),
                         [](const auto& ending) { return std::string(ending.param.how); });

TEST(Record, DestructorsAreSeen) {
  const Scratch scratch;
  EXPECT_EQ(scratch.record("ending exit").status, 9);
  const TraceFile trace(scratch.path("trace"));
  EXPECT_EQ(count_call(trace, "p=malloc 222"), 1u);
  EXPECT_EQ(count_call(trace, "p=malloc 333"), 1u) << "in the destructor of a library that outlives the recorder";
}

TEST(Record, AChildByForkStartsAnew) {
  for (const char* how : {"fork", "raw_fork"}) {
    const Scratch scratch;
    EXPECT_EQ(scratch.record(std::string("ending ") + how).status, 9);
    const TraceFile trace(scratch.path("trace"));
    ASSERT_EQ(trace.processes().size(), 2u);
    const auto child = std::find_if(trace.processes().begin(), trace.processes().end(),
                                    [](const TraceProcess& process) { return process.by_fork; });
    ASSERT_NE(child, trace.processes().end());
    TraceTally tally;
    const auto seen = calls(trace, static_cast<size_t>(child - trace.processes().begin()), &tally);
    EXPECT_EQ(seen.front(), "p0=malloc 4444");
    // The free of the inherited block, which only the first of the two programs makes.
    EXPECT_EQ(tally.unknown_blocks, std::string(how) == "fork" ? 1u : 0u);
    EXPECT_EQ(count_call(trace, "fork"), std::string(how) == "fork" ? 1u : 0u);
  }
}

TEST(Record, OfAKilledProgramTheChunksThatItWroteAreRead) {
  const Scratch scratch;
  EXPECT_EQ(scratch.record("ending killed_late").status, 137);
  const TraceFile trace(scratch.path("trace"));
  EXPECT_GT(count_call(trace, "p=malloc 64"), 150000u);
}

// As the allocator is by default, and with one arena and no caches of threads: there a block that one thread gives back
// is another thread's at once.
class RecordThreads : public testing::TestWithParam<const char*> {};

TEST_P(RecordThreads, AndChildrenKeepOneConsistentOrder) {
  const Scratch scratch;
  const Ended ended =
      scratch.shell(GetParam() + std::string(" " ASSAY_TOOL " record -o trace -- " ASSAY_PROGRAMS "threads"));
  EXPECT_EQ(ended.status, 0) << ended.err;
  const TraceFile trace(scratch.path("trace"));
  ASSERT_EQ(trace.processes().size(), 4u);
  for (size_t process = 0; process < trace.processes().size(); ++process) {
    TraceTally tally;
    const auto seen = calls(trace, process, &tally);
    // No address ever went to a second owner before the first one gave it back: the order is one that happened.
    EXPECT_EQ(tally.missed_frees, 0u);
    EXPECT_EQ(tally.folded_threads, 0u);
    if (trace.processes()[process].by_fork) continue;
    EXPECT_GE(seen.size(), 4u * 3 * 20000);
    const auto is_exit = [](const std::string& call) { return call.starts_with("thread_exit"); };
    EXPECT_EQ(std::count_if(seen.begin(), seen.end(), is_exit), 12);
    // The C library frees a few things that it allocated out of our sight.
    EXPECT_LT(tally.unknown_blocks, 20u);
    const auto on_t5 = [](const std::string& call) { return call.ends_with("@t5"); };
    EXPECT_TRUE(std::none_of(seen.begin(), seen.end(), on_t5)) << "a logical thread is used again after its exit";
  }
}

INSTANTIATE_TEST_SUITE_P(All, RecordThreads,
                         testing::Values("", "GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0"),
                         [](const auto& environment) { return *environment.param == 0 ? "Default" : "OneArena"; });

TEST(Record, AProgramThatTakesEveryDescriptorKeepsItsFilesAndIsRecorded) {
  const Scratch scratch;
  const Ended ended = scratch.record("disturbances close_all own");
  EXPECT_EQ(ended.status, 9) << ended.err;
  EXPECT_EQ(file_text(scratch.path("own")), "");
  const TraceFile trace(scratch.path("trace"));
  EXPECT_EQ(count_call(trace, "p=malloc 31337"), 1u);
  EXPECT_EQ(count_call(trace, "p=malloc 100"), 301000u);
}

TEST(Record, ASignalHandlerInTheMiddleOfACallDoesNotHang) {
  const Scratch scratch;
  EXPECT_EQ(scratch.shell("timeout 60 " ASSAY_TOOL " record -o trace -- " ASSAY_PROGRAMS "disturbances signals").status,
            9);
  EXPECT_GT(count_call(TraceFile(scratch.path("trace")), "usable_size p"), 10u);
}

TEST(Record, MallocDoesNotBecomeACancellationPoint) {
  const Scratch scratch;
  EXPECT_EQ(scratch.record("disturbances cancel").status, 9);
}

TEST(Record, LimitsOfFilesAndDescriptorsDoNotEndTheProgram) {
  const Scratch scratch;
  EXPECT_EQ(scratch.record("disturbances file_size").status, 9);
  EXPECT_GE(TraceFile(scratch.path("trace")).processes().size(), 1u);
  EXPECT_EQ(scratch.record("disturbances few_descriptors").status, 9);
  EXPECT_EQ(count_call(TraceFile(scratch.path("trace")), "p=malloc 31337"), 1u);
}

TEST(Record, OutputAndInputAreTheProgramsOwn) {
  const Scratch scratch;
  const std::string program = "sh -c 'echo out; echo err >&2; cat; exit 5'";
  const Ended plain = scratch.shell("echo in | " + program);
  const Ended recorded = scratch.shell("echo in | " ASSAY_TOOL " record -o trace -- " + program);
  EXPECT_EQ(recorded.status, 5);
  EXPECT_EQ(recorded.out, plain.out);
  EXPECT_EQ(recorded.err, plain.err);
}

TEST(Record, JsonIsAloneOnStandardOutput) {
  const Scratch scratch;
  const Ended ended = scratch.shell(ASSAY_TOOL " record --json -o trace -- sh -c 'echo out; exit 5'");
  EXPECT_EQ(ended.status, 5);
  EXPECT_TRUE(ended.out.starts_with("{") && ended.out.ends_with("}\n")) << ended.out;
  EXPECT_THAT(ended.out, HasSubstr("\"output\": \"trace\""));
  EXPECT_EQ(ended.err, "out\n");
}

TEST(Record, AnotherPreloadedAllocatorStaysInUse) {
  const char* jemalloc = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2";
  if (!std::filesystem::exists(jemalloc)) GTEST_SKIP() << "jemalloc is not installed";
  const Scratch scratch;
  const Ended ended = scratch.shell(std::string("MALLOC_CONF=stats_print:true LD_PRELOAD=") + jemalloc +
                                    " " ASSAY_TOOL " record -o trace -- " ASSAY_PROGRAMS "ending return");
  EXPECT_EQ(ended.status, 9);
  EXPECT_THAT(ended.err, HasSubstr("jemalloc statistics"));
  EXPECT_EQ(count_call(TraceFile(scratch.path("trace")), "p=malloc 31337"), 1u);
}

TEST(Record, WithoutAnOutputTheTraceGoesToTheWorkFolder) {
  const Scratch scratch;
  const Ended ended = scratch.shell("ASSAY_ROOT=$PWD " ASSAY_TOOL " record -- true");
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.err, MatchesRegex("assay: 1 processes recorded in .*work/traces/true-[0-9]+.trace\n"));
  EXPECT_THAT(scratch.files(), ElementsAre("work"));
}

}  // namespace
}  // namespace assay
