#include <gtest/gtest.h>

#include <set>

#include "harness/op/decode.h"
#include "harness/op/encode.h"
#include "harness/op/number_bytes.h"
#include "harness/op/op_byte.h"
#include "harness/op/random.h"
#include "harness/op/text.h"
#include "harness/op/validate.h"

namespace assay {
namespace {

Program text(const std::string& lines) {
  return parse_text("assay 1\n" + lines, "x.ops");
}

void expect_inverse(const Program& program) {
  const std::vector<uint8_t> bytes = encode(program);
  EXPECT_EQ(decode(bytes), program) << print_text(program) << "became\n" << print_text(decode(bytes));
}

std::string encode_error(const Program& program) {
  try {
    encode(program);
  } catch (const InputError& error) {
    return error.message;
  }
  return "no error";
}

TEST(ByteForm, EncodeIsTheInverseOfDecode) {
  expect_inverse({});
  expect_inverse(text("p0 = malloc(24)\nfree(p0)\n"));
  expect_inverse(text("free(p0)\np1023 = malloc(1) @t3\nfree(NULL)\np3 = realloc(NULL, 10)\n"));
  expect_inverse(text("p10..p999 = malloc(24..4096 seed 7)\nfree(p10..p999 step 2)\nfree(p0..p99 half 7)\n"));
  expect_inverse(text("p0..p9 = malloc(8)\np0..p9 = realloc(p0..p9, 64)\np20..p29 = realloc(p0..p9, 65)\n"));
  expect_inverse(text("p0..p9 half 3 = malloc(8)\nfree(p0..p9 half 18446744073709551615)\n"));
  expect_inverse(
      text("p7 = realloc(p3, 9)\np7 = malloc(1)\np7 = malloc(1)\np3 = realloc(p7, 2)\np900 = realloc(p3, 2)\n"));
  expect_inverse(
      text("thread_exit()\nthread_exit() @t2\nfork() @t1\ncollect(77)\nadvance_clock(18446744073709551615)\n"));
  expect_inverse(text("usable_size(NULL)\ncheck(p1000)\ncheck_all() @t3\n"));
  expect_inverse(
      text("p0 = calloc_aligned_at(3, 9, 64, 7)\np0 = aligned_offset_recalloc(p0, 1..9 seed 3, 2, 4096, 70000)\n"
           "p1 = zalloc_small(2000)\np2 = strndup(10, 18446744073709551615)\nexpand(p0, 8)\nfree_size_aligned(p0)\n"));
  expect_inverse(text("p0 = malloc(0..18446744073709551615 seed 1)\np1 = calloc(3..9 seed 70000, 8)\n"));
}

TEST(ByteForm, FailuresSurvive) {
  expect_inverse(text("p0 = malloc(24) (fail: mmap#1)\nos_heal()\nfree(p0)\nend() (fail: munmap#65535+=EPERM)\n"));
  expect_inverse(text("p0 = malloc(24) (fail: brk#3, brk#1+=EAGAIN)\n"));
  expect_inverse(
      text("p0 = malloc(24) @t2 (fail: mmap#1=high, mprotect#2+, madvise#1=dirty, key_create#1=EAGAIN)\nend()\n"));
  expect_inverse(
      text("p0..p9 = malloc(24) (fail: getrandom#1, mremap#1, thread_create#1, process_madvise#1+, mmap#1, "
           "mmap#2, mmap#3, mmap#4)\ncheck_all() (fail: munmap#6+)\n"));
  for (unsigned byte = 0; byte < 256; byte++) {
    const std::vector<uint8_t> bytes = {0xd3, 'f', 'p', 0, 12, static_cast<uint8_t>(byte), 0, 0, 0, 0, 0};
    expect_inverse(decode(bytes));
    EXPECT_EQ(decode(bytes).lines[0].fails.empty(), byte < 192) << byte;
  }
}

TEST(ByteForm, HeapsAndArenasSurvive) {
  expect_inverse(
      text("h0 = heap_new()\np0 = heap_malloc(h0, 24)\nh63 = heap_new_ex(255, 0, NULL) @t3\nheap_delete(h63)\n"
           "heap_destroy(h5)\nheap_delete(NULL)\nh0 = heap_get_backing()\nheap_destroy(h0)\n"));
  expect_inverse(
      text("a3 = manage_os_memory_ex(70000, 1, 0, 0, 1)\nh1 = heap_new_in_arena(a3)\nh2 = heap_new_in_arena(a15)\n"
           "a15 = reserve_os_memory_ex(0, 1, 1, 1) (fail: mmap#1)\narena_area(NULL)\nthread_exit() @t2\n"));
  expect_inverse(
      text("p0..p9 = heap_recalloc_aligned_at(h1, p0..p9, 2, 1..9 seed 3, 64, 70000)\n"
           "heap_contains_block(h1, p3)\noption_set(purge_delay, -1)\noption_get(fill)\n"));
  expect_inverse(text("p0 = heap_malloc(NULL, 5)\ncheck_statistics()\n"));
  // A heap that is destroyed takes its blocks with it, in the eyes of the reader of bytes too.
  expect_inverse(
      text("h0 = heap_new()\nheap_set_default(h0)\np0 = malloc(5)\np1 = heap_malloc(h0, 5)\n"
           "heap_destroy(h0)\np0 = malloc(5)\nfree(p1)\n"));
  for (unsigned op = 128; op < 200; op++) {
    for (unsigned byte = 0; byte < 256; byte++) {
      const auto name = static_cast<uint8_t>(byte);
      const std::vector<uint8_t> bytes = {0xd3, 'h', 'a', 0, 128, 5, static_cast<uint8_t>(op), name, name, 1, 2, 3, 4};
      const Program program = decode(bytes);
      ASSERT_EQ(validate(program, kByteCaps), std::nullopt) << op << ' ' << byte;
      expect_inverse(program);
    }
  }
}

TEST(ByteForm, WhatNeedsAHeapMakesOneWhereThereIsNone) {
  const std::vector<uint8_t> malloc_first = {0xd3, 'h', 'a', 0, 141, 3, 24, 0};
  EXPECT_EQ(decode(malloc_first).lines[0].code, OpCode::kHeapNew);
  const std::vector<uint8_t> bound_first = {0xd3, 'h', 'a', 0, 130, 3, 4};
  EXPECT_EQ(decode(bound_first).lines[0].code, OpCode::kManageOsMemoryEx);
}

TEST(ByteForm, WithoutTheMarkNothingIsAboutHeaps) {
  for (unsigned byte = 0; byte < 256; byte++) {
    EXPECT_FALSE(info(op_of_byte(static_cast<uint8_t>(byte), {.threads = true, .fork = true, .failures = true}))
                     .is_about_heaps());
  }
  EXPECT_EQ(op_of_byte(128, {.heaps = true}), OpCode::kHeapNew);
}

TEST(ByteForm, NothingComesBehindTheEnd) {
  const std::vector<uint8_t> bytes = {0xd3, 'f', 'p', 0, 127, 192, 12, 0, 12, 0};
  EXPECT_EQ(print_text(decode(bytes)), "assay 1\nend() (fail: mmap#1)\n");
}

TEST(ByteForm, WithoutTheMarkTheOperationsOfFailuresAreAliases) {
  for (const uint8_t byte : {uint8_t{126}, uint8_t{127}}) {
    const OpCode code = op_of_byte(byte, {});
    EXPECT_TRUE(code != OpCode::kOsHeal && code != OpCode::kEnd);
    EXPECT_EQ(static_cast<uint8_t>(op_of_byte(byte, {.failures = true})), byte);
  }
}

TEST(ByteForm, EveryNumberSurvives) {
  Random random(1);
  for (const ArgKind kind : {ArgKind::kSize, ArgKind::kCount, ArgKind::kAlignment, ArgKind::kMillis, ArgKind::kFlag,
                             ArgKind::kOffset, ArgKind::kSmallSize, ArgKind::kLength}) {
    for (uint64_t i = 0; i < 70000; i++) {
      const uint64_t number = i < 66000 ? i : random.bits() >> random.below(64);
      std::vector<uint8_t> bytes;
      write_value(Value::of(number), kind, bytes);
      ByteReader reader(bytes);
      ASSERT_EQ(read_value(reader, kind), Value::of(number));
      ASSERT_EQ(reader.position(), bytes.size());
    }
  }
}

TEST(ByteForm, HeaderLinesSurvive) {
  Program program = text("fork()\n");
  program.header = {.flavour = "fuzz", .mode = {}, .subject = "./a b.so:x_", .expect = "clean"};
  expect_inverse(program);
  program.lines.clear();
  expect_inverse(program);
  program.header.expect = std::string(255, 'x');
  EXPECT_EQ(encode_error(program), "header line 'expect' is longer than the 254 bytes that the byte form can hold");
}

TEST(ByteForm, WhatLooksLikeAHeaderAndIsNoneIsAProgram) {
  for (const std::vector<uint8_t>& bytes : {std::vector<uint8_t>{0xd3, 'h', 'd'},
                                            {0xd3, 'h', 'd', 0, 0, 0, 0},
                                            {0xd3, 'h', 'd', 3, 'a', 7},
                                            {0xd3, 'h', 'd', 200, 'a'}}) {
    EXPECT_EQ(decode(bytes).header, Header{});
    EXPECT_GE(decode(bytes).lines.size(), 1u);
  }
}

TEST(ByteForm, CapsAreReported) {
  EXPECT_EQ(encode_error(text("p1024 = malloc(1)\n")),
            "does not fit the byte form: op 0: slot p1024 is out of range, 0 to 1023");
  EXPECT_EQ(encode_error(text("fork()\nfork() @t4\n")),
            "does not fit the byte form: op 1: thread t4 is out of range, 0 to 3");
  std::string many;
  for (int i = 0; i < 4096; i++) many += "collect(1)\n";
  expect_inverse(text(many));
  EXPECT_EQ(encode_error(text(many + "collect(1)\n")),
            "does not fit the byte form: op 4096: more than 4096 operations");
  std::string wide;  // 4,000 lines of some 26 bytes
  for (int i = 0; i < 4000; i++) wide += "p0 = malloc(70000..80000 seed 1)\n";
  EXPECT_EQ(encode_error(text(wide)).substr(0, 30), "does not fit the byte form: op");
  EXPECT_EQ(encode_error(text(wide)).substr(35), ": more than 65536 bytes");
}

TEST(ByteForm, DecodingIsTotalAndCapped) {
  EXPECT_EQ(decode({}), Program{});
  for (int byte = 0; byte < 256; byte++) {
    const std::vector<uint8_t> noise(10 << 20, static_cast<uint8_t>(byte));
    const Program program = decode(noise);
    EXPECT_EQ(validate(program), std::nullopt) << byte;
    EXPECT_GT(program.operations(), 0u) << byte;
    const std::vector<uint8_t> short_noise(3, static_cast<uint8_t>(byte));
    EXPECT_EQ(validate(decode(short_noise)), std::nullopt) << byte;
  }
}

TEST(ByteForm, BytesBeyondTheCapChangeNothing) {
  // Intervals of 64 bits, so that 64 KiB are fewer than 4,096 operations.
  std::string lines;
  for (int i = 0; i < 2200; i++) lines += "p0 = malloc(70000..80000 seed 1)\n";
  std::vector<uint8_t> bytes = encode(text(lines));
  EXPECT_LE(bytes.size(), kMaxBytes);
  while (bytes.size() < kMaxBytes + 1000) bytes.push_back(5);
  const Program program = decode(bytes);
  EXPECT_LT(program.operations(), kMaxOperations);
  bytes.resize(kMaxBytes);
  EXPECT_EQ(decode(bytes), program);
}

TEST(ByteForm, WithoutALiveBlockNoiseAllocatesOne) {
  // Features, then four times "free the block filled last": there is none, there is one, and so on.
  std::vector<uint8_t> bytes = {0};
  for (int i = 0; i < 2; i++) bytes.insert(bytes.end(), {5, 232, 24, 7, 5, 232});
  EXPECT_EQ(print_text(decode(bytes)), "assay 1\np7 = malloc(24)\nfree(p7)\np7 = malloc(24)\nfree(p7)\n");
}

TEST(OpByte, AssignedOpcodesStandForThemselvesAndNoiseReachesAll) {
  const Features all{.threads = true, .fork = true, .failures = true, .heaps = true};
  std::set<OpCode> reached;
  for (int byte = 0; byte < 256; byte++) reached.insert(op_of_byte(static_cast<uint8_t>(byte), all));
  for (const OpInfo& row : all_ops()) {
    EXPECT_EQ(op_of_byte(static_cast<uint8_t>(row.code), all), row.code);
    EXPECT_TRUE(reached.contains(row.code)) << row.name;
  }
  for (int byte = 0; byte < 256; byte++) {
    EXPECT_NE(op_of_byte(static_cast<uint8_t>(byte), {}), OpCode::kFork);
    EXPECT_NE(op_of_byte(static_cast<uint8_t>(byte), {}), OpCode::kThreadExit);
  }
}

TEST(OpByte, FeaturesAreRare) {
  int threads = 0, fork = 0;
  for (int byte = 0; byte < 256; byte++) {
    const Features features = features_of_byte(static_cast<uint8_t>(byte));
    threads += features.threads;
    fork += features.fork;
    EXPECT_EQ(features_of_byte(byte_of_features(features)), features);
  }
  EXPECT_EQ(threads, 42);
  EXPECT_EQ(fork, 4);
}

TEST(NumberBytes, ClassesGrowByAnEighth) {
  EXPECT_EQ(size_class(0), 8u);
  EXPECT_EQ(size_class(15), 128u);
  EXPECT_EQ(size_class(16), 144u);
  EXPECT_EQ(size_class(63), 8192u);
  EXPECT_EQ(size_class(127), 2u << 20);
  for (uint32_t i = 16; i < kSizeClasses; i++) {
    EXPECT_GT(size_class(i), size_class(i - 1));
    EXPECT_LE((size_class(i) - size_class(i - 1)) * 8, size_class(i - 1));
  }
}

}  // namespace
}  // namespace assay
