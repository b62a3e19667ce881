#include "tools/fuzz/corpus_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace assay {
namespace {

namespace fs = std::filesystem;

class CorpusFolder : public testing::Test {
 protected:
  CorpusFolder() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~CorpusFolder() override { fs::remove_all(folder_); }

  void write(const char* name, const std::string& bytes) { std::ofstream(folder_ / name, std::ios::binary) << bytes; }

  fs::path folder_ = fs::path(testing::TempDir()) / ("corpus-folder-" + std::to_string(::getpid()));
};

TEST_F(CorpusFolder, EveryCopyOfAProgramGoesAndNoOther) {
  const std::string program("a\0b", 3);
  write("one", program);
  write("copy", program);
  write("same length", std::string("a\0c", 3));
  write("longer", program + "d");
  remove_program(folder_, program);
  EXPECT_EQ(count_programs(folder_), 2u);
  EXPECT_EQ(program_bytes(folder_ / "longer"), program + "d");
  EXPECT_EQ(program_bytes(folder_ / "one"), "");
}

// A name whose file is not there, as one that another hunt has taken away since the folder was read.
TEST_F(CorpusFolder, AFileThatHasGoneIsNoFault) {
  fs::create_symlink(folder_ / "gone", folder_ / "a name");
  write("one", "program");
  remove_program(folder_, "program");
  EXPECT_FALSE(fs::exists(folder_ / "one"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "a name"));
}

}  // namespace
}  // namespace assay
