#include "harness/subject/subject_spec.h"

#include <gtest/gtest.h>

#include "harness/op/program.h"

namespace assay {
namespace {

template <typename Call>
std::string refusal(const Call& call) {
  try {
    call();
    return "";
  } catch (const InputError& error) {
    return error.message;
  }
}

TEST(SubjectSpec, AnyPartMayHaveSettingsWithCommas) {
  const auto parts = split_subjects("ximalloc{purge_delay=0,fill=1},jemalloc{MALLOC_CONF=narenas:2,tcache:false},libc");
  ASSERT_EQ(parts.size(), 3u);
  const SubjectSpec ximalloc = parse_subject_spec(parts[0]);
  EXPECT_EQ(ximalloc.subject, "ximalloc");
  ASSERT_EQ(ximalloc.settings.size(), 2u);
  EXPECT_EQ(ximalloc.settings[1].name, "fill");
  const SubjectSpec jemalloc = parse_subject_spec(parts[1]);
  ASSERT_EQ(jemalloc.settings.size(), 1u);
  EXPECT_EQ(jemalloc.settings[0].value, "narenas:2,tcache:false");
  EXPECT_TRUE(parse_subject_spec(parts[2]).settings.empty());
}

TEST(SubjectSpec, OneSubjectIsNoList) {
  EXPECT_FALSE(is_subject_list("jemalloc{MALLOC_CONF=narenas:2,tcache:false}"));
  EXPECT_FALSE(is_subject_list("libc"));
  EXPECT_TRUE(is_subject_list("libc,jemalloc{A=1,B=2}"));
}

TEST(SubjectSpec, BadListsAreNamed) {
  for (const char* list : {"libc", "libc,", ",libc", "libc,libc", "libc,a{b", "a}b,c", "a{{}},b"}) {
    EXPECT_NE(refusal([&] { split_subjects(list); }).find(list), std::string::npos) << list;
  }
}

TEST(SubjectSpec, BadSettingsAreNamed) {
  for (const char* spec : {"a{", "a}", "a{}", "a{X}", "a{=1}", "a{X=1,X=2}", "a{X=1}b", "a{X={1}}"}) {
    EXPECT_NE(refusal([&] { parse_subject_spec(spec); }).find(spec), std::string::npos) << spec;
  }
}

}  // namespace
}  // namespace assay
