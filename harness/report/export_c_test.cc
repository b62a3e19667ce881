#include "harness/report/export_c.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

#include "harness/op/generate.h"
#include "harness/op/text.h"
#include "harness/report/export_c/calls.h"
#include "harness/report/export_c/looked_up.h"
#include "harness/report/export_c/runtime.h"
#include "harness/report/export_c/turns.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWarnings = "-std=c11 -Wall -Wextra -Werror -O2 -pthread";

// A folder for the C files of one test.
class ExportC : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/assay-export-XXXXXX";
    folder_ = mkdtemp(pattern);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder_ / name;
    std::ofstream(path) << text;
    return path;
  }

  // Compiles a C file; the executable's path, or "" with the compiler's output as a failure.
  std::string compiled(const std::string& source, const std::string& compiler) {
    const std::string binary = source + "." + fs::path(compiler).filename().string();
    const std::string log = source + ".log";
    const std::string command = fmt::format("{} {} {} -o {} > {} 2>&1", compiler, kWarnings, source, binary, log);
    if (std::system(command.c_str()) == 0) return binary;
    ADD_FAILURE() << command << "\n" << slurp(log) << "\n" << slurp(source);
    return "";
  }

  // Exit status of a command, 128 + n for a signal; what it printed is in output_.
  int status_of(const std::string& command) {
    const std::string log = folder_ / "output";
    const int status = std::system(fmt::format("{} > {} 2>&1", command, log).c_str());
    output_ = slurp(log);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  static std::string slurp(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  // Both compilers take it without a warning, and it finds nothing wrong with the C library.
  void expect_clean_on_libc(const Program& program, const ExportContext& context = {}) {
    const std::string source = write("program.c", export_c(program, context));
    for (const char* compiler : {"gcc", "clang-19"}) {
      const std::string binary = compiled(source, compiler);
      if (binary.empty()) return;
      EXPECT_EQ(status_of(binary), 0) << compiler << ": " << output_ << "\n" << print_text(program);
    }
  }

  fs::path folder_;
  std::string output_;
};

// A generated program without what has no form in C: system calls that fail, and functions that the export refuses.
Program generate_in_c(uint64_t seed, size_t operations) {
  Program program = generate(seed, operations);
  std::erase_if(program.lines, [](Operation& line) {
    line.fails.clear();
    try {
      c_call(line);
      return false;
    } catch (const InputError&) {
      return true;
    }
  });
  return program;
}

TEST_F(ExportC, EveryOperationInEveryShape) {
  const Program program = parse_text(R"(assay 1
p0 = malloc(24)
p1..p9 = malloc(24..4096 seed 7)
p20..p60 = calloc(1..9 seed 3, 100)
p5 = calloc(3, 40)
p0 = realloc(p0, 7000)
p100..p140 = realloc(p20..p60, 64) @t1
p200..p230 step 3 = aligned_alloc(64, 128)
p300 = posix_memalign(4096, 100) @t2
p301 = posix_memalign(3, 100)
p302 = malloc(18446744073709551615)
p303 = calloc(4294967296, 4294967296)
p304 = realloc(NULL, 50)
p304 = realloc(p304, 0)
free(p100..p140 half 7) @t2
free(p200..p230 step 3 half 9)
free(NULL)
usable_size(p1..p9)
usable_size(NULL)
collect(1)
advance_clock(3)
thread_exit() @t1
p400 = malloc(33) @t1
fork()
check(p0)
check_all()
p401 = malloc(200000000)
p401 = realloc(p401, 90000000)
p450 = malloc(41..636 seed 201)
p402..p420 half 5 = malloc(8..900 seed 2)
)",
                                     "text");
  for (const Oracle oracle : {Oracle::kOverlap, Oracle::kNullErrno, Oracle::kExit}) {
    ExportContext context;
    context.oracle = oracle;
    expect_clean_on_libc(program, context);
  }
}

TEST_F(ExportC, GeneratedProgramsAreCleanOnLibc) {
  const uint64_t programs = std::getenv("ASSAY_FULL") != nullptr ? 100 : 3;
  for (uint64_t seed = 0; seed < programs && !HasFailure(); seed++) {
    expect_clean_on_libc(generate_in_c(seed, 150));
  }
}

// What an operation's call needs is in the file, and nothing that nobody uses: clang would warn, gcc where it compiles.
TEST_F(ExportC, EachOperationAlone) {
  std::map<OpCode, Operation> first;
  for (uint64_t seed = 0; seed < 40; seed++) {
    for (const Operation& line : generate_in_c(seed, 150).lines) first.emplace(line.code, line);
  }
  EXPECT_GE(first.size(), 50u);
  std::string sources;
  for (const auto& [code, line] : first) {
    Program program;
    program.lines = {line};
    sources += " " + write(fmt::format("{}.c", info(code).name), export_c(program, {}));
  }
  EXPECT_EQ(status_of(fmt::format("clang-19 {} -fsyntax-only{}", kWarnings, sources)), 0) << output_;
}

TEST_F(ExportC, AnEmptyProgramIsAProgram) {
  expect_clean_on_libc(Program{});
}

// Each function that is looked up, on an allocator that has few of them and on one that has most.
TEST_F(ExportC, FunctionsOfAllocatorsAreLookedUp) {
  const Program program = parse_text(R"(assay 1
p0 = zalloc(100)
p1 = malloc_small(90)
p2..p9 = malloc_aligned_at(100..900 seed 3, 64, 8)
p10 = calloc_aligned(3, 30, 128)
p11 = memalign(64, 100)
p12 = pvalloc(10)
p13 = mallocn(4611686018427387904, 16)
p0 = rezalloc(p0, 300)
p1 = reallocarray(p1, 10, 20)
p16..p20 = recalloc_aligned(NULL, 2, 50, 32)
p16..p20 = rezalloc_aligned(p16..p20, 500, 32)
p10 = reallocf(p10, 70)
p14 = reallocn(NULL, 7, 8)
free_size(p0)
free_small(p1)
cfree(p2..p9 half 3)
p30 = umalloc(100)
p31..p35 = ucalloc(2, 10..90 seed 3)
p30 = urealloc(p30, 3000)
p36 = urealloc(NULL, 70)
p37 = uzalloc_aligned(100, 256)
ufree(p31..p35)
p38 = reallocarr(NULL, 3, 50)
p38 = reallocarr(p38, 0x7fffffffffffffff, 2)
p39 = strdup(1000)
p40..p44 = strndup(50, 10..90 seed 4)
p45 = realpath(0)
p46 = realpath(1)
p47 = aligned_alloc(4096, 4096)
free_size_aligned(p47)
p48 = malloc_aligned_at(300, 64, 64)
free_aligned(p48)
free_aligned(p37)
expand(p39, 1001)
expand(NULL, 5)
good_size(77)
malloc_good_size(78)
malloc_size(p39)
malloc_size(NULL)
check_owned(p39)
is_in_heap_region(p39)
is_in_heap_region(NULL)
p49 = valloc(10)
free_aligned(p49)
)",
                                     "text");
  expect_clean_on_libc(program);
  const std::string library = "/usr/lib/x86_64-linux-gnu/libmimalloc.so.2";
  if (!fs::exists(library)) return;
  const std::string binary = compiled(write("functions.c", export_c(program, {})), "gcc");
  EXPECT_EQ(status_of(fmt::format("LD_PRELOAD={} {}", library, binary)), 0) << output_;
}

// An allocator whose functions have a prefix; FAULT: what one of them gets wrong.
constexpr const char* kPrefixed = R"(#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
static size_t usable(void *block) { return malloc_usable_size(block); }
void *my_malloc(size_t size) { return malloc(size); }
void *my_calloc(size_t count, size_t size) { return calloc(count, size); }
void *my_realloc(void *block, size_t size) { return realloc(block, size); }
void my_free(void *block) { free(block); }
size_t my_usable_size(void *block) { return usable(block); }
void my_collect(_Bool force) { malloc_trim(force); }
void *my_umalloc(size_t size, size_t *told) {
    void *block = malloc(size);
    *told = FAULT == 1 ? size : usable(block);
    return block;
}
void *my_urealloc(void *block, size_t size, size_t *before, size_t *after) {
    *before = FAULT == 2 ? 1 : block == NULL ? 0 : usable(block);
    block = realloc(block, size);
    *after = usable(block);
    return block;
}
void my_ufree(void *block, size_t *told) {
    *told = FAULT == 3 ? 1 : usable(block);
    free(block);
}
int my_reallocarr(void *pointer, size_t count, size_t size) {
    void **block = pointer, *moved = reallocarray(*block, count, size);
    if (moved != NULL || FAULT == 4) *block = moved;
    return moved == NULL ? ENOMEM : 0;
}
char *my_strdup(const char *text) {
    char *copy = strdup(text);
    if (FAULT == 5) copy[strlen(text)] = 'x';
    return copy;
}
char *my_strndup(const char *text, size_t limit) { return strndup(text, FAULT == 6 ? limit - 1 : limit); }
char *my_realpath(const char *path, char *into) { return realpath(FAULT == 7 ? "/proc" : path, into); }
void *my_expand(void *block, size_t size) {
    return FAULT == 8 || (block != NULL && size <= usable(block)) ? block : NULL;
}
size_t my_good_size(size_t size) { return FAULT == 9 ? size & ~(size_t)7 : size; }
size_t my_malloc_size(const void *block) {
    return FAULT == 10 || block == NULL ? 0 : malloc_usable_size((void *)block);
}
_Bool my_check_owned(const void *block) { return FAULT == 11 || block != NULL; }
_Bool my_is_in_heap_region(const void *block) { return FAULT != 12 && block != NULL; }
static size_t aligned_to;
void *my_malloc_aligned(size_t size, size_t align) {
    aligned_to = align;
    return aligned_alloc(align, (size + align - 1) / align * align);
}
/* One that is told another alignment than was asked for loses its temper. */
void my_free_aligned(void *block, size_t align) {
    if (align != aligned_to) abort();
    free(block);
}
)";
constexpr int kPrefixedFaults = 12;

TEST_F(ExportC, FunctionsWithAPrefixAreFoundAndJudged) {
  const Program program = parse_text(R"(assay 1
p0 = malloc(100)
p1 = calloc(3, 50)
p0 = realloc(p0, 5000)
p2 = umalloc(100)
p2 = urealloc(p2, 900)
ufree(p2)
p3 = reallocarr(NULL, 3, 9)
p3 = reallocarr(p3, 0x7fffffffffffffff, 2)
p4 = strdup(300)
p5 = strndup(50, 20)
p6 = realpath(0)
expand(p4, 302)
expand(p4, 100000)
good_size(77)
malloc_size(p4)
check_owned(p4)
check_owned(NULL)
is_in_heap_region(p4)
p7 = malloc_aligned(100, 512)
free_aligned(p7)
usable_size(p0)
collect(1)
fork()
)",
                                     "text");
  ExportContext context;
  context.prefix = "my_";
  const std::string binary = compiled(write("prefixed.c", export_c(program, context)), "gcc");
  ASSERT_NE(binary, "");
  EXPECT_EQ(status_of(binary), 2) << "without the library";
  EXPECT_THAT(output_, ::testing::HasSubstr("no function my_free here"));
  const std::string source = write("my.c", kPrefixed);
  for (int fault = 0; fault <= kPrefixedFaults; fault++) {
    const std::string library = folder_ / fmt::format("libmy{}.so", fault);
    ASSERT_EQ(status_of(fmt::format("gcc -D_GNU_SOURCE -DFAULT={} -shared -fPIC -O1 {} -o {}", fault, source, library)),
              0)
        << output_;
    EXPECT_EQ(status_of(fmt::format("LD_PRELOAD={} {}", library, binary)), fault == 0 ? 0 : 1)
        << "fault " << fault << ": " << output_;
  }
}

// What draws its numbers for one call only needs no generator, and an unused one is a warning.
TEST_F(ExportC, ALoneDrawIsANumber) {
  expect_clean_on_libc(parse_text("assay 1\np0 = malloc(41..636 seed 201)\n", "text"));
}

TEST_F(ExportC, OtherAllocatorsAreCleanToo) {
  Program program = generate_in_c(12, 300);
  // What only some allocators have is not sound in all: mimalloc 2.0.9 loses the contents of a block of
  // mi_malloc_aligned_at(703, 16, 27) when it is resized to 240.
  // Two of them leave errno alone when the product of calloc's arguments overflows.
  std::erase_if(program.lines, [](const Operation& line) {
    uint64_t bytes = 0;
    const bool overflows = line.code == OpCode::kCalloc &&
                           (__builtin_mul_overflow(line.args[0].high, line.args[1].high, &bytes) || bytes >> 63 != 0);
    return overflows || is_looked_up(line.code);
  });
  const std::string binary = compiled(write("program.c", export_c(program, {})), "gcc");
  ASSERT_NE(binary, "");
  for (const char* name : {"libjemalloc.so.2", "libmimalloc.so.2", "libtcmalloc_minimal.so.4"}) {
    const std::string path = std::string("/usr/lib/x86_64-linux-gnu/") + name;
    if (!fs::exists(path)) continue;
    EXPECT_EQ(status_of(fmt::format("LD_PRELOAD={} {}", path, binary)), 0) << name << ": " << output_;
  }
}

// The C form of the generators draws what the program draws.
TEST_F(ExportC, SizesAndHalvesAreDrawnAlike) {
  struct Draw {
    Value value;
    SlotRange range;
  };
  std::vector<Draw> draws;
  for (uint64_t seed : {0ull, 1ull, 7ull, 0xffffffffffffffffull}) {
    draws.push_back({{24, 4096, seed}, {.first = 10, .last = 990, .step = 7, .half_seed = seed}});
    draws.push_back({{0, std::numeric_limits<uint64_t>::max(), seed}, {.first = 0, .last = 2, .half_seed = seed}});
    draws.push_back({{5, uint64_t{1} << 62, seed}, {.first = 3, .last = 4, .half_seed = seed + 1}});
  }
  std::string source = "#include <stdint.h>\n#include <stdio.h>\n";
  source += c_runtime::kRandom;
  source += c_runtime::kDrawn;
  source += c_runtime::kHalf;
  source += "int main(void) {\n";
  std::string expected;
  for (const auto& [value, range] : draws) {
    source += fmt::format("  for (unsigned i = 0; i < 200; i++) printf(\"%zu\\n\", drawn({}u, {}u, {}u, i));\n",
                          value.low, value.high, value.seed);
    source += fmt::format("  struct half h{} = {{{}u, {}, {}, {}, {}, 0}};\n", source.size(), *range.half_seed,
                          range.first, range.step, range.span(), range.members());
    const std::string half = source.substr(source.rfind("half h") + 5);
    source += fmt::format("  for (unsigned i = 0; i < {}; i++) printf(\"%d\\n\", next_of_half(&{}));\n",
                          range.members(), half.substr(0, half.find(' ')));
    for (uint64_t i = 0; i < 200; i++) expected += fmt::format("{}\n", value.at(i));
    for (SlotCursor cursor(range); !cursor.done();) expected += fmt::format("{}\n", cursor.next());
  }
  const std::string binary = compiled(write("draws.c", source + "  return 0;\n}\n"), "gcc");
  ASSERT_NE(binary, "");
  EXPECT_EQ(status_of(binary), 0);
  EXPECT_EQ(output_, expected);
}

TEST_F(ExportC, TheCommentHoldsWhateverTheReportSays) {
  ExportContext context;
  context.explanation = "VIOLATION overlap: /* nested */ \\\nlast line ends in a backslash \\";
  context.file_name = "folder/crash.c";
  context.preload = "./libmine.so";
  const Program program = parse_text("assay 1\np0 = malloc(1)\n", "text");
  expect_clean_on_libc(program, context);
  EXPECT_THAT(export_c(program, context), ::testing::HasSubstr("cc -pthread folder/crash.c -o folder/crash\n"));
  EXPECT_THAT(export_c(program, context), ::testing::HasSubstr("LD_PRELOAD=./libmine.so folder/crash\n"));
}

std::string refusal(const char* text, Oracle oracle, bool own_seam = false) {
  ExportContext context;
  context.oracle = oracle;
  context.has_own_seam = own_seam;
  try {
    export_c(parse_text(text, "text"), context);
  } catch (const InputError& error) {
    return error.message;
  }
  return "";
}

TEST_F(ExportC, WhatCallersCannotSeeIsRefused) {
  const char* text = "assay 1\np0 = malloc(1)\n";
  EXPECT_THAT(refusal(text, Oracle::kFootprint), ::testing::HasSubstr("'footprint' cannot be seen"));
  EXPECT_THAT(refusal(text, Oracle::kStructure), ::testing::HasSubstr("'structure' cannot be seen"));
  EXPECT_THAT(refusal(text, Oracle::kOutside, true), ::testing::HasSubstr("system calls"));
  EXPECT_EQ(refusal(text, Oracle::kOutside, false), "");
  EXPECT_THAT(refusal("assay 1\np0 = malloc(1)\np0 = realloc(p0, 0)\n", Oracle::kNullErrno),
              ::testing::HasSubstr("leaves open what realloc answers"));
  EXPECT_THAT(refusal("assay 1\np0 = aligned_alloc(3, 6)\n", Oracle::kNullErrno), ::testing::HasSubstr("leaves open"));
  EXPECT_EQ(refusal("assay 1\np0 = realloc(NULL, 0)\np1 = malloc(3)\n", Oracle::kNullErrno), "");
}

// Lines by thread, as turns: "0:0-2 1:2-3! ..." with ! where a thread starts and ? where it ends.
std::string turns_text(const char* text) {
  std::string out;
  for (const Turn& turn : turns_of(parse_text(text, "text"))) {
    out += fmt::format("{}{}:{}-{}{}{}", out.empty() ? "" : " ", turn.thread, turn.begin, turn.end,
                       turn.starts_body ? "!" : "", turn.ends_body ? "?" : "");
  }
  return out;
}

TEST_F(ExportC, TurnsFollowTheText) {
  EXPECT_EQ(turns_text("assay 1\n"), "0:0-0");
  EXPECT_EQ(turns_text("assay 1\ncollect(1)\ncollect(1)\n"), "0:0-2");
  EXPECT_EQ(turns_text("assay 1\ncollect(1) @t2\ncollect(1)\ncollect(1) @t2\n"), "0:0-0 2:0-1! 0:1-2 2:2-3 0:3-3");
  EXPECT_EQ(turns_text("assay 1\ncollect(1) @t1\nthread_exit() @t1\ncollect(1) @t1\n"), "0:0-0 1:0-2!? 1:2-3! 0:3-3");
}

// A thread that ends hands over before it ends, and the next turn waits for its end: no deadlock, whatever the order.
TEST_F(ExportC, ThreadsComeAndGo) {
  std::string text = "assay 1\n";
  for (int i = 0; i < 60; i++) {
    text += fmt::format("p{0} = malloc({1}) @t{2}\n", i, 10 + i, i % 4);
    if (i % 3 == 0 && i % 4 != 0) text += fmt::format("thread_exit() @t{}\n", i % 4);
    if (i > 5) text += fmt::format("free(p{}) @t{}\n", i - 5, (i + 1) % 4);
  }
  expect_clean_on_libc(parse_text(text, "text"));
}

}  // namespace
}  // namespace assay
