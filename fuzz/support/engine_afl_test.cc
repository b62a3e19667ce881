// What AFL++'s forks leave of the programs for whoever reads the page: those of the process that died of one, and of no
// other. What AFL++ and the compiler would bring along is here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fuzz/support/engine.h"

static uint8_t area[2 * assay::fuzz::kMaxCounters];
extern "C" {
uint8_t* __afl_area_ptr = area;
void __sanitizer_cov_trace_pc_guard_init(uint32_t*, uint32_t*) {}
}

namespace assay::fuzz {
namespace {

using Bytes = std::vector<uint8_t>;

// The process that forks is one of its own, since handlers of fork() stay.
class AflEngine : public testing::Test {
 protected:
  AflEngine() : file_(std::filesystem::temp_directory_path() / "assay-page-XXXXXX") {
    ::close(::mkstemp(file_.data()));
    page_ = map_stats(file_);
  }
  ~AflEngine() override {
    unmap_stats(page_);
    std::filesystem::remove(file_);
  }

  static void in_process(const std::function<void()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
      body();
      ::_exit(HasFailure() ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }

  // Each of the lives is a process that AFL++ forks when the one before it is gone.
  void run(const std::vector<std::function<void()>>& lives) {
    in_process([&] {
      engine_begins(*page_);
      for (const auto& life : lives) in_process(life);
    });
  }

  void begin(const Bytes& program) {
    page_->keep_recent(program);
    program_begins(*page_, program);
  }
  void run_program(const Bytes& program) {
    begin(program);
    program_ends(*page_);
  }

  Bytes current() const { return {page_->current.bytes, page_->current.bytes + page_->current.size}; }

  std::string file_;
  StatsPage* page_ = nullptr;
};

TEST_F(AflEngine, AProcessForgetsWhatRanInTheOneBefore) {
  run({[this] {
         run_program({1});
         run_program({2});
       },
       [this] {
         run_program({3});
         run_program({4});
       }});
  EXPECT_THAT(page_->recent.all(), testing::ElementsAre(Bytes{3}, Bytes{4}));
  EXPECT_EQ(page_->evidence_held, 0U);
}

TEST_F(AflEngine, WhatOneDiedOfIsKeptFromThoseThatFollow) {
  run({[this] { run_program({1}); },
       [this] {
         run_program({2});
         begin({3});
       },
       [this] { run_program({4}); }, [this] { begin({5}); }, [this] { run_program({6}); }});
  EXPECT_THAT(page_->recent.all(), testing::ElementsAre(Bytes{2}, Bytes{3}));
  EXPECT_EQ(current(), Bytes{3});
  EXPECT_EQ(page_->evidence_held, 1U);
  EXPECT_EQ(page_->in_program, 0U);
}

TEST_F(AflEngine, AForkOfAProgramChangesNothing) {
  run({[this] {
    run_program({1});
    begin({2});
    // What the child does is not counted, and what comes after it in us is.
    in_process([] { EXPECT_NE(__afl_area_ptr, area); });
    EXPECT_EQ(__afl_area_ptr, area);
    program_ends(*page_);
    run_program({3});
  }});
  EXPECT_THAT(page_->recent.all(), testing::ElementsAre(Bytes{1}, Bytes{2}, Bytes{3}));
  EXPECT_EQ(page_->evidence_held, 0U);
}

}  // namespace
}  // namespace assay::fuzz
