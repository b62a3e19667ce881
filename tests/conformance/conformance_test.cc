// docs/semantics.md, row by row, on every allocator of this machine that can be opened: libc and jemalloc prove the
// tests.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "harness/op/program.h"
#include "harness/subject/elf_scan.h"
#include "harness/subject/registry.h"
#include "harness/subject/shared_object.h"
#include "tests/conformance/rows.h"

namespace assay {
namespace {

constexpr const char* kSubjects[] = {"ximalloc", "libc", "jemalloc", "mimalloc", "tcmalloc", "scudo"};

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// What an installed allocator is known to do otherwise; docs/semantics.md says more.
struct KnownDifference {
  std::string_view subject, row, what;
};
constexpr KnownDifference kKnownDifferences[] = {
    {"jemalloc", "realloc_failure", "realloc of an impossible size leaves errno alone (5.3.0)"},
    {"mimalloc", "too_large_sizes", "an impossible size leaves errno alone (2.0.9)"},
    {"mimalloc", "calloc_overflow", "a product that overflows leaves errno alone (2.0.9)"},
    {"mimalloc", "realloc_failure", "realloc of an impossible size leaves errno alone (2.0.9)"},
    {"mimalloc", "aligned_addresses", "256, 512 and 1,024 bytes are aligned to 128 (2.0.9)"},
    {"tcmalloc", "calloc_overflow", "a product that overflows leaves errno alone (gperftools 2.10)"},
    {"scudo", "aligned_addresses", "alignments above 16 MiB are refused (clang 19)"},
};

const KnownDifference* known_difference(std::string_view subject, std::string_view row) {
  for (const KnownDifference& known : kKnownDifferences) {
    if (known.subject == subject && known.row == row) return &known;
  }
  return nullptr;
}

// Opened once: allocators are not unloaded. Null where it is not installed.
const Subject* subject_named(const std::string& name) {
  static std::map<std::string, std::unique_ptr<Subject>> open;
  if (!open.count(name)) {
    try {
      open[name] = open_subject(name);
    } catch (const InputError&) {
      open[name] = nullptr;
    }
  }
  return open[name].get();
}

// One that calls its own malloc by an open name has to be this process's malloc: the row runs in a process that is
// started with it.
bool needs_another_process(const std::string& name) {
  const std::string file = subject_file(name);
  return !file.empty() && std::getenv("LD_PRELOAD") == nullptr && access(file.c_str(), R_OK) == 0 &&
         needs_preload(file);
}

// What it printed; `status` as waitpid() has it.
std::string in_another_process(const std::string& name, std::string_view row, int& status) {
  const std::string command = "LD_PRELOAD=" + subject_file(name) + " " +
                              std::filesystem::read_symlink("/proc/self/exe").string() +
                              " --gtest_filter=Semantics/Conformance.Row/" + name + "_" + std::string(row) + " 2>&1";
  FILE* const child = popen(command.c_str(), "r");
  if (child == nullptr) return "no process can be started";
  std::string printed;
  std::array<char, 512> part{};
  while (fgets(part.data(), part.size(), child) != nullptr) printed += part.data();
  status = pclose(child);
  return printed;
}

class Conformance : public testing::TestWithParam<std::tuple<const char*, SemanticsRow>> {};

TEST_P(Conformance, Row) {
  const auto& [name, row] = GetParam();
  const KnownDifference* const known = known_difference(name, row.name);
  if (needs_another_process(name)) {
    if (kSanitized) GTEST_SKIP() << "a sanitizer's malloc leaves no place for a preloaded one";
    int status = -1;
    const std::string printed = in_another_process(name, row.name, status);
    if (known != nullptr) {
      EXPECT_NE(status, 0) << "not there any more: " << known->what;
      GTEST_SKIP() << known->what;
    }
    EXPECT_EQ(status, 0) << printed;
    if (printed.find("[  SKIPPED ]") != std::string::npos) GTEST_SKIP() << printed;
    EXPECT_NE(printed.find("[       OK ]"), std::string::npos) << printed;
    return;
  }
  if (known != nullptr && std::getenv("LD_PRELOAD") == nullptr) GTEST_SKIP() << known->what;
  const Subject* subject = subject_named(name);
  if (subject == nullptr) GTEST_SKIP() << name << " is not installed on this machine";
  row.check(*subject);
}

INSTANTIATE_TEST_SUITE_P(Semantics, Conformance,
                         testing::Combine(testing::ValuesIn(kSubjects), testing::ValuesIn(semantics_rows())),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param)) + "_" +
                                  std::string(std::get<1>(test.param).name);
                         });

// Each row of the table names its test in its last column, `row_name`; each test stands in the table.
TEST(SemanticsPage, ListsExactlyTheRowsThatAreTested) {
  std::ifstream page(std::string(ASSAY_SOURCE_DIR) + "/docs/semantics.md");
  ASSERT_TRUE(page);
  std::set<std::string> documented, tested;
  const std::string mark = "`conformance: ";
  for (std::string line; std::getline(page, line);) {
    for (size_t at = line.find(mark); at != std::string::npos; at = line.find(mark, at + 1)) {
      const size_t begin = at + mark.size();
      documented.insert(line.substr(begin, line.find('`', begin) - begin));
    }
  }
  for (const SemanticsRow& row : semantics_rows()) tested.insert(std::string(row.name));
  EXPECT_EQ(documented, tested);
}

}  // namespace
}  // namespace assay

namespace {

// A process may have so many mappings (vm.max_map_count): takes all but ASSAY_MAPS_LEFT of them, if that is set. Pages
// that are protected by turns do not become one mapping.
void leave_few_mappings() {
  const char* const left = std::getenv("ASSAY_MAPS_LEFT");
  if (left == nullptr) return;
  constexpr size_t kMost = size_t{1} << 20, kPage = 4096;
  auto* const pages =
      static_cast<char*>(mmap(nullptr, kMost * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  size_t taken = 0;
  // Each page that becomes accessible is one mapping and cuts another one off.
  while (taken < kMost / 2 && mprotect(pages + (2 * taken + 1) * kPage, kPage, PROT_READ) == 0) ++taken;
  for (long free = std::atol(left); free > 0 && taken > 0; free -= 2) {
    --taken;
    mprotect(pages + (2 * taken + 1) * kPage, kPage, PROT_NONE);
  }
}

}  // namespace

int main(int argc, char** argv) {
  assay::ensure_static_tls(argv);
  leave_few_mappings();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
