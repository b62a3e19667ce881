#include "harness/subject/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "harness/op/program.h"
#include "harness/subject/elf_scan.h"

// tcmalloc leaks 8 bytes of the process's own heap when it is loaded, by design.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}

namespace assay {
namespace {

std::string library(const std::string& name) {
  return std::string(ASSAY_LIBRARY_DIR) + "/lib" + name + ".so";
}

std::string refusal(const std::string& spec) {
  try {
    open_subject(spec);
    return "";
  } catch (const InputError& error) {
    return error.message;
  }
}

TEST(OpenSubject, BadInputIsOneLineThatNamesIt) {
  const struct {
    std::string spec, part;
  } kRows[] = {
      {"nosuchthing", "unknown subject 'nosuchthing'"},
      {"./no/such/file.so", "No such file"},
      {"/tmp/", "is a directory"},
      {"/etc/passwd", "is not an ELF file"},
      {"/proc/self/exe", ""},
      {library("no_malloc"), "has no function malloc"},
      {library("toy_malloc") + ":xyz_", "has no function xyz_malloc"},
      {library("dies_at_load"), "dies while it is loaded"},
      {library("no_free"), "has no function free"},
      {library("prints_at_load"), "prints to standard output while it is loaded"},
      {std::string(ASSAY_LIBRARY_DIR) + "/libharness_op.a", "is a static archive; link it into a shared object"},
  };
  for (const auto& row : kRows) {
    const std::string message = refusal(row.spec);
    EXPECT_NE(message, "") << row.spec;
    EXPECT_NE(message.find(row.part), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST(OpenSubject, AnySharedObjectWithAMalloc) {
  const auto subject = open_subject(library("toy_malloc"));
  EXPECT_EQ(subject->name(), library("toy_malloc"));
  EXPECT_NE(subject->api().usable_size, nullptr);
  EXPECT_EQ(subject->api().collect, nullptr);
  EXPECT_TRUE(subject->owns_code(reinterpret_cast<const void*>(subject->api().malloc)));
  EXPECT_FALSE(subject->owns_code(reinterpret_cast<const void*>(&std::abort)));
  EXPECT_EQ(subject->promises().realloc_zero, ReallocZero::kMinimal);
  EXPECT_TRUE(subject->promises().memalign_rejects_without_errno);
  EXPECT_TRUE(subject->promises().aligned_alloc_rejects_bad_alignment);
}

TEST(OpenSubject, LibcIsThisProcessesOwn) {
  const auto libc = open_subject("libc");
  EXPECT_EQ(libc->promises().realloc_zero, ReallocZero::kFrees);
  EXPECT_TRUE(libc->promises().zero_size_unique);
  EXPECT_FALSE(libc->promises().aligned_alloc_rejects_bad_alignment);
  EXPECT_NE(libc->version().find("glibc"), std::string::npos);
}

TEST(OpenSubject, JemallocByItsOwnInterface) {
  std::unique_ptr<Subject> subject;
  try {
    subject = open_subject("jemalloc.mallocx");
  } catch (const InputError& error) {
    GTEST_SKIP() << error.message;
  }
  const SubjectApi& api = subject->api();
  // The first block of a page is aligned whatever was asked for.
  void* block = nullptr;
  for (int i = 0; i < 8; ++i) {
    api.free(block);
    void* const before = api.malloc_aligned(1000, 4096);
    block = api.malloc_aligned(1000, 4096);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 4096, 0u);
    api.free(before);
  }
  EXPECT_GE(api.usable_size(block), 1000u);
  EXPECT_EQ(api.expand(block, api.usable_size(block)), block);
  errno = 0;
  EXPECT_EQ(api.expand(block, size_t{1} << 40), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  api.free_size_aligned(block, api.usable_size(block), 4096);
  EXPECT_EQ(api.malloc(SIZE_MAX), nullptr);
  EXPECT_EQ(api.malloc_aligned(24, 48), nullptr);
  EXPECT_TRUE(subject->promises().good_size_exact);
  EXPECT_TRUE(subject->promises().expands_to_usable);
  EXPECT_EQ(api.memalign, nullptr);
}

TEST(NeedsPreload, OnlyWhoCallsItselfByAnOpenName) {
  EXPECT_FALSE(needs_preload(library("toy_malloc")));
  EXPECT_TRUE(needs_preload(library("toy_preload")));
  EXPECT_FALSE(needs_preload(library("no_malloc")));
}

TEST(ListSubjects, HasEveryName) {
  const auto listings = list_subjects();
  for (const char* name : {"ximalloc", "libc"}) {
    const auto row =
        std::find_if(listings.begin(), listings.end(), [&](const auto& entry) { return entry.name == name; });
    ASSERT_NE(row, listings.end());
    EXPECT_TRUE(row->available);
    EXPECT_FALSE(row->capabilities.empty());
  }
}

TEST(ListSubjects, HeapsAreCapabilities) {
  const auto listings = list_subjects();
  for (const char* name : {"ximalloc", "mimalloc"}) {
    const auto row =
        std::find_if(listings.begin(), listings.end(), [&](const auto& entry) { return entry.name == name; });
    ASSERT_NE(row, listings.end());
    if (!row->available) GTEST_SKIP() << name;
    for (const char* word : {"heap_new", "heap_destroy", "heap_set_default", "heap_recalloc", "heap_visit_blocks"}) {
      EXPECT_NE(std::find(row->capabilities.begin(), row->capabilities.end(), word), row->capabilities.end())
          << name << ": " << word;
    }
  }
  const auto libc = std::find_if(listings.begin(), listings.end(), [](const auto& row) { return row.name == "libc"; });
  ASSERT_NE(libc, listings.end());
  EXPECT_EQ(std::find(libc->capabilities.begin(), libc->capabilities.end(), "heap_new"), libc->capabilities.end());
}

// Blocks that a program has are shown, what it freed is not, and what another heap has is not either.
TEST(OpenSubject, MimallocShowsWhatAHeapHas) {
  std::unique_ptr<Subject> subject;
  try {
    subject = open_subject("mimalloc");
  } catch (const InputError& error) {
    GTEST_SKIP() << error.message;
  }
  const SubjectApi& api = subject->api();
  void* const heap = api.heap_new();
  const auto nothing = [](void*, const VisitedArea&, uintptr_t, uint64_t) { return true; };
  EXPECT_TRUE(subject->heap_kit().visit_heap(heap, true, nothing, nullptr)) << "of a heap without blocks";
  void* const mine = api.heap_malloc(heap, 100);
  void* const freed = api.heap_malloc(heap, 100);
  void* const others = api.malloc(100);
  api.free(freed);
  struct Seen {
    uint64_t areas = 0, used = 0;
    std::vector<uintptr_t> blocks;
  } seen;
  const auto see = [](void* context, const VisitedArea& area, uintptr_t block, uint64_t) {
    auto& all = *static_cast<Seen*>(context);
    if (block == 0) {
      ++all.areas;
      all.used += area.used;
    } else {
      all.blocks.push_back(block);
    }
    return true;
  };
  EXPECT_TRUE(subject->heap_kit().visit_heap(heap, true, see, &seen));
  EXPECT_EQ(seen.areas, 1u);
  EXPECT_EQ(seen.used, 1u);
  EXPECT_EQ(seen.blocks, std::vector<uintptr_t>{reinterpret_cast<uintptr_t>(mine)});
  api.heap_destroy(heap);
  api.free(others);
}

}  // namespace
}  // namespace assay
