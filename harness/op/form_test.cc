#include "harness/op/form.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/op/read_program.h"

namespace assay {
namespace {

TEST(Form, TheFirstLineDecides) {
  EXPECT_EQ(form_of("assay 1\np0 = malloc(1)\n"), Form::kText);
  EXPECT_EQ(form_of("assay 1"), Form::kText);
  EXPECT_EQ(form_of("assay  1 # comment\n"), Form::kText);
  EXPECT_EQ(form_of("assay 1\r\n"), Form::kText);
  EXPECT_EQ(form_of("assay 01\n"), Form::kText);
  EXPECT_EQ(form_of("assay-trace 1\n\x03\x04"), Form::kTrace);
  for (const char* bytes : {"", "\n", "assay", "assay ", "assay x", "assay1", "assay 1x", "ASSAY 1", " assay 1",
                            "assay-trace", "\nassay 1\n", "assay\n1\n", "\x01\x02"}) {
    EXPECT_EQ(form_of(bytes), Form::kBytes) << bytes;
  }
}

TEST(Form, AnUnknownVersionIsRefused) {
  for (const char* text :
       {"assay 2\n", "assay 0\n", "assay 10", "assay 99999999999999999999999\n", "assay-trace 2\n"}) {
    EXPECT_THROW(form_of(text), InputError) << text;
  }
}

class ReadProgram : public ::testing::Test {
 protected:
  ReadProgram() : folder_(std::filesystem::temp_directory_path() / ("assay_read_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~ReadProgram() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& content) const {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  static std::string error_of(const std::string& path) {
    try {
      read_program(path);
    } catch (const InputError& error) {
      return error.message;
    }
    return "no error";
  }

  std::filesystem::path folder_;
};

TEST_F(ReadProgram, LoadsTextAndBytes) {
  EXPECT_EQ(read_program(file("a.ops", "assay 1\nfork()\n")).lines.size(), 1u);
  EXPECT_EQ(read_program(file("empty", "")).lines.size(), 0u);
  EXPECT_EQ(read_program(file("bytes", std::string("\0\x05\xee", 3))).lines.size(), 1u);  // features, free, NULL
  const std::string long_text = file("long.ops", [] {
    std::string text = "assay 1\n";
    for (int i = 0; i < 20000; i++) text += "collect(1)\n";
    return text;
  }());
  EXPECT_EQ(read_program(long_text).lines.size(), 20000u);
  EXPECT_LE(read_program(file("noise", std::string(10 << 20, '\x9b'))).operations(), kMaxOperations);
}

TEST_F(ReadProgram, RefusesWhatIsNoProgram) {
  EXPECT_EQ(error_of("/no/such/file"), "/no/such/file: No such file or directory");
  EXPECT_EQ(error_of(folder_), folder_.string() + ": is a directory");
  const std::string bad = file("bad.ops", "assay 1\nfree(q)\n");
  EXPECT_EQ(error_of(bad), bad + ":2:6: expected a slot (p0, p1, ...) or NULL, found 'q'");
  const std::string newer = file("newer.ops", "assay 2\n");
  EXPECT_EQ(error_of(newer), newer + ":1:1: version 2 of the text form is not known, only version 1");
  const std::string trace = file("t.trace", "assay-trace 1\n");
  EXPECT_EQ(error_of(trace), trace + ": is a recorded trace, not a program");
}

}  // namespace
}  // namespace assay
