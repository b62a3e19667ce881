// docs/semantics.md, row by row, on every allocator of this machine that can be opened: libc and jemalloc prove the
// tests.
#include <gtest/gtest.h>

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

int main(int argc, char** argv) {
  assay::ensure_static_tls(argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
