// What the driver makes of a process that died while afl-fuzz hunted. afl-fuzz and the target are scripts here: the
// first keeps what the test tells it to, and the figures' page says what the target's processes would have said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tools/fuzz/engine_process.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kPatience = 60s;

class AflProcess : public testing::Test {
 protected:
  AflProcess() : folder_(fs::temp_directory_path() / "assay-afl-XXXXXX") {
    ::mkdtemp(folder_.data());
    fs::create_directory(root() / "bin");
    fs::create_directory(root() / "corpus");
    script("target", "exit 0");
    // Started with: -i INPUTS -o FOLDER …; it hunts until it is told to end.
    script("afl-fuzz", R"(mkdir -p "$4/job0/crashes"
touch "$4/../hunts"
trap 'exit 0' INT
while :; do
  if [ -e "$4/../crash" ]; then cp "$4/../crash" "$4/job0/crashes/id:000000"; exit 0; fi
  sleep 0.02
done)");
    path_ = ::getenv("PATH");
    ::setenv("PATH", (root() / "bin").string().append(":").append(path_).c_str(), 1);
    EngineCommand command;
    command.binary = root() / "bin" / "target";
    command.corpus = root() / "corpus";
    command.seeds = root() / "seeds";
    command.folder = root() / "0";
    process_ = afl_process(std::move(command));
    process_->start(1, 100);
    EXPECT_TRUE(polled_until([&] { return fs::exists(root() / "hunts"); }));
  }
  ~AflProcess() override {
    process_.reset();
    ::setenv("PATH", path_.c_str(), 1);
    fs::remove_all(root());
  }

  fs::path root() const { return folder_; }

  void script(const std::string& name, const std::string& body) {
    const fs::path path = root() / "bin" / name;
    std::ofstream(path) << "#!/bin/sh\n" << body << '\n';
    fs::permissions(path, fs::perms::owner_all);
  }

  bool polled_until(const std::function<bool()>& done) {
    const auto end = Clock::now() + kPatience;
    while (!done()) {
      if (Clock::now() > end) return false;
      if (process_->running()) process_->poll();
      std::this_thread::sleep_for(10ms);
    }
    return true;
  }
  bool ends() {
    return polled_until([&] { return !process_->running(); });
  }

  // As engine_afl.cc notes it when the process after the one that died is forked.
  void dies_of(const std::string& program) {
    runs(program);
    process_->stats().in_program = 0;
    process_->stats().evidence_held = 1;
  }
  void runs(const std::string& program) {
    process_->stats().current.keep({reinterpret_cast<const uint8_t*>(program.data()), program.size()});
    process_->stats().in_program = 1;
  }
  void keeps(const std::string& program) {
    std::ofstream(root() / "crash.new") << program;
    fs::rename(root() / "crash.new", root() / "crash");
  }

  // Of each artifact the contents, and whether it was passed over.
  std::vector<std::pair<std::string, bool>> artifacts() const {
    std::vector<std::pair<std::string, bool>> result;
    for (const EngineArtifact& artifact : process_->artifacts()) {
      std::ifstream in(artifact.file);
      result.emplace_back(std::string(std::istreambuf_iterator<char>(in), {}), artifact.was_passed_over);
    }
    return result;
  }

  std::string folder_, path_;
  std::unique_ptr<EngineProcess> process_;
};

TEST_F(AflProcess, ADeathThatAflFuzzPassesOverEndsTheHuntAndIsKept) {
  dies_of("program");
  EXPECT_TRUE(ends());
  EXPECT_THAT(artifacts(), testing::ElementsAre(testing::Pair("program", true)));
}

TEST_F(AflProcess, WhatAflFuzzKeepsIsNotPassedOver) {
  dies_of("program");
  keeps("program");
  EXPECT_TRUE(ends());
  EXPECT_THAT(artifacts(), testing::ElementsAre(testing::Pair("program", false)));
}

// The evidence is of the first death: without its program the second one's would be joined to a stranger's past.
TEST_F(AflProcess, AnotherDeathSoonAfterDoesNotHideIt) {
  dies_of("first");
  keeps("second");
  EXPECT_TRUE(ends());
  EXPECT_THAT(artifacts(), testing::UnorderedElementsAre(testing::Pair("second", false), testing::Pair("first", true)));
}

TEST_F(AflProcess, ADeathInTheLastMomentIsKeptToo) {
  dies_of("program");
  process_->stop();
  EXPECT_THAT(artifacts(), testing::ElementsAre(testing::Pair("program", true)));
}

TEST_F(AflProcess, AHuntWithoutADeathGoesOn) {
  runs("program");
  const auto later = Clock::now() + 2s;
  EXPECT_TRUE(polled_until([&] { return Clock::now() > later; }));
  EXPECT_TRUE(process_->running());
  process_->stop();
  EXPECT_THAT(artifacts(), testing::IsEmpty());
}

}  // namespace
}  // namespace assay
