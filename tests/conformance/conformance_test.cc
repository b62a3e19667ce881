// docs/semantics.md, row by row, on every allocator of this machine that can be opened: libc and jemalloc prove the
// tests.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "harness/op/program.h"
#include "harness/subject/registry.h"
#include "harness/subject/shared_object.h"
#include "tests/conformance/rows.h"

namespace assay {
namespace {

constexpr const char* kSubjects[] = {"ximalloc", "libc", "jemalloc"};

// What an installed allocator is known to do otherwise; docs/semantics.md says more.
struct KnownDifference {
  std::string_view subject, row, what;
};
constexpr KnownDifference kKnownDifferences[] = {
    {"jemalloc", "realloc_failure", "realloc of an impossible size leaves errno alone (5.3.0)"},
};

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

class Conformance : public testing::TestWithParam<std::tuple<const char*, SemanticsRow>> {};

TEST_P(Conformance, Row) {
  const auto& [name, row] = GetParam();
  const Subject* subject = subject_named(name);
  if (subject == nullptr) GTEST_SKIP() << name << " is not installed on this machine";
  for (const KnownDifference& known : kKnownDifferences) {
    if (known.subject == name && known.row == row.name) GTEST_SKIP() << known.what;
  }
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
