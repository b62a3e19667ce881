#include "harness/op/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "harness/op/trace_format.h"
#include "harness/op/trace_salvage.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using trace::Event;
using trace::EventWriter;

// A trace file made by hand.
class TraceTest : public testing::Test {
 protected:
  TraceTest() { bytes_ = std::string(trace::kFirstLine); }
  ~TraceTest() override { std::filesystem::remove(path_); }

  // Appends one chunk of process `pid`; `write` makes its events, after the start event in a first chunk.
  void chunk(uint32_t pid, const std::function<void(EventWriter&)>& write, uint64_t image = 1) {
    std::vector<uint8_t> payload(trace::kMaxPayload);
    EventWriter events{};
    events.begin(payload.data());
    uint32_t& sequence = sequences_[{pid, image}];
    if (sequence == 0) events.start(false, "prog");
    events.thread(0);
    write(events);
    trace::ChunkHeader header{trace::kChunkMagic, pid, 1, static_cast<uint32_t>(events.size()), image, sequence++, 0};
    header.crc = trace::chunk_crc(header, payload.data());
    bytes_.append(reinterpret_cast<const char*>(&header), sizeof header);
    bytes_.append(reinterpret_cast<const char*>(payload.data()), events.size());
  }

  const std::string& write() {
    std::ofstream(path_, std::ios::binary) << bytes_;
    return path_;
  }

  // What the user is told about the file, "" when it is fine.
  std::string refusal() {
    write();
    try {
      const TraceFile file(path_);
    } catch (const InputError& error) {
      return error.message;
    }
    return "";
  }

  static std::string text(const Step& step) {
    std::string out(info(step.code).name);
    if (step.result_slot) out = "p" + std::to_string(*step.result_slot) + "=" + out;
    if (step.slot) out += " p" + std::to_string(*step.slot);
    for (size_t i = 0; i < info(step.code).arg_count(); ++i) {
      if (info(step.code).args[i] != ArgKind::kSlot) out += " " + std::to_string(step.args[i]);
    }
    return step.thread == 0 ? out : out + " @t" + std::to_string(step.thread);
  }

  std::vector<std::string> steps(size_t process = 0) {
    const TraceFile file(write());
    TraceSteps source(file, process);
    std::vector<std::string> out;
    Step step;
    while (source.next(step)) {
      EXPECT_EQ(step.line, out.size());
      out.push_back(text(step));
    }
    tally_ = source.tally();
    return out;
  }

  std::string bytes_;
  std::string path_ = testing::TempDir() + "trace_test_" + std::to_string(getpid());
  std::map<std::pair<uint32_t, uint64_t>, uint32_t> sequences_;
  TraceTally tally_;
};

TEST_F(TraceTest, AddressesBecomeDenseSlotsAndEveryOperationIsKept) {
  chunk(7, [](EventWriter& events) {
    events.address(Event::kMalloc, 24, 0x1000);
    events.address(Event::kCalloc, 3, 8, 0x2000);
    events.address(Event::kAlignedAlloc, 64, 100, 0x3000);
    events.address(Event::kFree, 0x2000);
    events.address(Event::kPosixMemalign, 32, 9, 0x7fff'ffff'f008);
    events.address(Event::kUsableSize, 0x3000);
    events.plain(Event::kFreeNull);
    events.address(Event::kReallocNull, 5, 0x4001);
    events.plain(Event::kFork);
    events.address(Event::kFree, 0x4001);
  });
  EXPECT_THAT(steps(),
              ElementsAre("p0=malloc 24", "p1=calloc 3 8", "p2=aligned_alloc 64 100", "free p1",
                          "p1=posix_memalign 32 9", "usable_size p2", "free", "p3=realloc 5", "fork", "free p3"));
  EXPECT_EQ(tally_.unknown_blocks, 0u);
  EXPECT_EQ(tally_.missed_frees, 0u);
}

TEST_F(TraceTest, ABlockBelongsToNobodyWhileItIsResized) {
  chunk(7, [](EventWriter& events) {
    events.address(Event::kMalloc, 24, 0x1000);
    events.address(Event::kReallocBegin, 48, 0x1000);
    events.thread(1);
    events.address(Event::kMalloc, 16, 0x1000);  // another thread gets the old address before the call has ended
    events.thread(0);
    events.address(Event::kReallocEnd, 0x5000);
    events.address(Event::kFree, 0x1000);
    events.address(Event::kFree, 0x5000);
  });
  EXPECT_THAT(steps(), ElementsAre("p0=malloc 24", "p1=malloc 16 @t1", "p0=realloc p0 48", "free p1", "free p0"));
  EXPECT_EQ(tally_.missed_frees, 0u);
}

TEST_F(TraceTest, FailedCallsAreRepeatedAndLeaveNothingBehind) {
  chunk(7, [](EventWriter& events) {
    events.address(Event::kMalloc, ~uint64_t{0}, 0);
    events.address(Event::kMalloc, 8, 0x1000);
    events.address(Event::kReallocBegin, uint64_t{1} << 63, 0x1000);
    events.address(Event::kReallocEnd, 0);  // failed: the block is still there
    events.address(Event::kReallocBegin, 0, 0x1000);
    events.address(Event::kReallocEnd, 0);  // freed
    events.address(Event::kMalloc, 8, 0x1000);
  });
  EXPECT_THAT(steps(), ElementsAre("p0=malloc 18446744073709551615", "free p0", "p0=malloc 8",
                                   "p0=realloc p0 9223372036854775808", "p0=realloc p0 0", "free p0", "p0=malloc 8"));
}

TEST_F(TraceTest, WhatWasInheritedIsDroppedAndCounted) {
  chunk(7, [](EventWriter& events) {
    events.address(Event::kFree, 0x9000);
    events.address(Event::kUsableSize, 0x9000);
    events.address(Event::kReallocBegin, 40, 0xa000);
    events.address(Event::kReallocEnd, 0xb000);
    events.address(Event::kFree, 0xb000);
  });
  EXPECT_THAT(steps(), ElementsAre("p0=malloc 40", "free p0"));
  EXPECT_EQ(tally_.unknown_blocks, 3u);
}

TEST_F(TraceTest, AFreeOutOfSightIsSuppliedWhenTheAddressComesAgain) {
  chunk(7, [](EventWriter& events) {
    events.address(Event::kMalloc, 8, 0x1000);
    events.address(Event::kMalloc, 9, 0x1000);
    events.address(Event::kMalloc, 10, 0x2000);
    events.address(Event::kReallocBegin, 11, 0x2000);
    events.address(Event::kReallocEnd, 0x1000);
  });
  EXPECT_THAT(steps(),
              ElementsAre("p0=malloc 8", "free p0", "p0=malloc 9", "p1=malloc 10", "free p0", "p1=realloc p1 11"));
  EXPECT_EQ(tally_.missed_frees, 2u);
}

TEST_F(TraceTest, LogicalThreadsAreReusedAfterTheirExit) {
  chunk(7, [](EventWriter& events) {
    for (const uint64_t serial : {1, 2}) {
      events.thread(serial);
      events.plain(Event::kFreeNull);
    }
    events.thread(1);
    events.plain(Event::kThreadExit);
    events.thread(3);
    events.plain(Event::kFreeNull);
    events.thread(0);
    events.plain(Event::kThreadExit);  // the first thread ends with the program
  });
  EXPECT_THAT(steps(), ElementsAre("free @t1", "free @t2", "thread_exit @t1", "free @t1"));
}

TEST_F(TraceTest, MoreThreadsThanThereAreLogicalOnesShareThem) {
  chunk(7, [](EventWriter& events) {
    for (uint64_t serial = 1; serial <= 1023; ++serial) {
      events.thread(serial);
      events.plain(Event::kFreeNull);
    }
    events.thread(1);
    events.plain(Event::kThreadExit);
    events.thread(1023);
    events.plain(Event::kThreadExit);
  });
  const auto out = steps();
  ASSERT_EQ(out.size(), 1024u) << "of the two threads that share a logical thread only the second one ends it";
  EXPECT_EQ(out[1021], "free @t1022");
  EXPECT_EQ(out[1022], "free @t2");
  EXPECT_EQ(out[1023], "thread_exit @t1");
  EXPECT_EQ(tally_.folded_threads, 1u);
}

TEST_F(TraceTest, ProcessesAreToldApartByImage) {
  chunk(7, [](EventWriter& events) { events.address(Event::kMalloc, 1, 0x1000); });
  chunk(8, [](EventWriter& events) { events.address(Event::kMalloc, 2, 0x1000); });
  chunk(7, [](EventWriter& events) { events.address(Event::kMalloc, 3, 0x1000); }, 2);  // after exec
  chunk(7, [](EventWriter& events) { events.address(Event::kFree, 0x1000); });
  {
    const TraceFile file(write());
    ASSERT_EQ(file.processes().size(), 3u);
    EXPECT_EQ(file.processes()[0].pid, 7u);
    EXPECT_EQ(file.processes()[0].program, "prog");
    EXPECT_EQ(file.processes()[0].chunks.size(), 2u);
  }
  EXPECT_THAT(steps(0), ElementsAre("p0=malloc 1", "free p0"));
  EXPECT_THAT(steps(1), ElementsAre("p0=malloc 2"));
  EXPECT_THAT(steps(2), ElementsAre("p0=malloc 3"));
}

TEST_F(TraceTest, ManyBlocksMatchAReference) {
  // A long pseudo-random history against a plain map from address to slot.
  std::map<uint64_t, bool> live;
  uint64_t random = 1;
  size_t expected = 0;
  for (int part = 0; part < 40; ++part) {
    chunk(7, [&](EventWriter& events) {
      for (int i = 0; i < 3000; ++i) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const uint64_t address = 0x7f00'0000'0000 + (random >> 40) % 50000 * 16;
        if (live[address]) {
          events.address(Event::kFree, address);
        } else {
          events.address(Event::kMalloc, random >> 50, address);
        }
        live[address] = !live[address];
        ++expected;
      }
    });
  }
  const TraceFile file(write());
  TraceSteps source(file, 0);
  Step step;
  std::vector<bool> filled;
  size_t seen = 0;
  while (source.next(step)) {
    ++seen;
    const uint64_t slot = step.code == OpCode::kMalloc ? *step.result_slot : *step.slot;
    if (slot >= filled.size()) filled.resize(slot + 1);
    ASSERT_EQ(filled[slot], step.code == OpCode::kFree) << "step " << step.line;
    filled[slot] = !filled[slot];
  }
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(source.tally().unknown_blocks, 0u);
  EXPECT_LE(filled.size(), 50000u);
}

TEST_F(TraceTest, ATraceWithoutEventsIsATrace) {
  EXPECT_EQ(refusal(), "");
  EXPECT_TRUE(TraceFile(write()).processes().empty());
}

TEST_F(TraceTest, EveryTruncationIsRefused) {
  chunk(7, [](EventWriter& events) { events.address(Event::kMalloc, 1, 0x1000); });
  const size_t boundary = bytes_.size();
  chunk(7, [](EventWriter& events) { events.address(Event::kFree, 0x1000); });
  const std::string whole = bytes_;
  for (size_t size = 0; size < whole.size(); ++size) {
    bytes_ = whole.substr(0, size);
    if (size == boundary || size == trace::kFirstLine.size()) {
      EXPECT_EQ(refusal(), "") << size;  // what a killed process leaves: complete chunks
    } else if (size > 12) {
      EXPECT_THAT(refusal(), HasSubstr("truncated trace")) << size;
    } else {
      EXPECT_NE(refusal(), "") << size;
    }
  }
}

TEST_F(TraceTest, EveryFlippedBitIsRefused) {
  chunk(7, [](EventWriter& events) { events.address(Event::kMalloc, 1, 0x1000); });
  chunk(7, [](EventWriter& events) { events.address(Event::kFree, 0x1000); });
  const std::string whole = bytes_;
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    bytes_ = whole;
    bytes_[bit / 8] = static_cast<char>(bytes_[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(refusal(), "") << bit;
  }
}

TEST_F(TraceTest, PiecesOfChunksAreTakenOut) {
  chunk(7, [](EventWriter& events) { events.address(Event::kMalloc, 1, 0x1000); });
  const size_t first = bytes_.size();
  chunk(8, [](EventWriter& events) { events.address(Event::kMalloc, 2, 0x1000); });
  const std::string second = bytes_.substr(first);
  chunk(7, [](EventWriter& events) { events.address(Event::kFree, 0x1000); });
  const std::string whole = bytes_;
  const std::string rest = whole.substr(first + second.size());
  for (size_t kept = 0; kept < second.size(); ++kept) {
    bytes_ = whole.substr(0, first) + second.substr(0, kept) + rest + second.substr(0, kept);
    write();
    EXPECT_EQ(salvage_trace(path_), 2 * kept);
    const TraceFile file(path_);
    ASSERT_EQ(file.processes().size(), 1u);
    EXPECT_EQ(file.processes()[0].chunks.size(), 2u);
  }
  bytes_ = whole;
  write();
  EXPECT_EQ(salvage_trace(path_), 0u);
}

TEST_F(TraceTest, AMissingChunkIsRefused) {
  chunk(7, [](EventWriter& events) { events.address(Event::kMalloc, 1, 0x1000); });
  sequences_[{7, 1}] = 2;
  chunk(7, [](EventWriter& events) { events.address(Event::kFree, 0x1000); });
  EXPECT_THAT(refusal(), HasSubstr("chunk 1 of process 7 is missing"));
}

TEST_F(TraceTest, EventsThatMakeNoSenseAreRefusedBeforeAnythingRuns) {
  chunk(7, [](EventWriter& events) {
    for (int i = 0; i < 20; ++i) events.plain(static_cast<Event>(15));
  });
  EXPECT_THAT(refusal(), HasSubstr("events that make no sense in the chunk at byte 14"));
}

TEST_F(TraceTest, ANewerVersionIsNamed) {
  bytes_ = "assay-trace 2\nwhatever";
  EXPECT_THAT(refusal(), HasSubstr("version 2"));
  bytes_ = "assay 1\np0 = malloc(1)\n";
  EXPECT_THAT(refusal(), HasSubstr("not a trace"));
}

TEST_F(TraceTest, WhatIsNoFileIsRefused) {
  EXPECT_THROW(TraceFile("/nonexistent/trace"), InputError);
  EXPECT_THROW(TraceFile("/tmp"), InputError);
  EXPECT_THROW(TraceFile("/dev/null"), InputError);
}

TEST(TraceFormat, ChecksumIsTheWellKnownOne) {
  EXPECT_EQ(trace::crc32(0, "123456789", 9), 0xcbf43926u);
  EXPECT_EQ(trace::crc32(trace::crc32(0, "12345678901234", 3), "45678901234", 11),
            trace::crc32(0, "12345678901234", 14));
}

}  // namespace
}  // namespace assay
