// What becomes of a worker's end: the processes here are this executable, which answers for a worker and then dies as
// its first argument says.
#include "harness/exec/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "harness/exec/process_load.h"
#include "harness/exec/worker_server.h"

namespace assay {
namespace {

[[noreturn]] void answer_once(std::string_view how, std::string_view subject, int channel_fd) {
  WorkerChannel* channel = map_channel(channel_fd);
  if (channel == nullptr) ::_exit(127);
  if (how == "older") {
    ++channel->sources;
    ::_exit(serve_worker(channel_fd, std::string(subject), {}));
  }
  channel->resettable = subject == "resettable";
  set_state(*channel, WorkState::kIdle);
  for (WorkState state = WorkState::kIdle; state != WorkState::kAsked;) state = wait_state(*channel, state, 60'000);
  channel->progress.line = 4;
  channel->progress.in_subject = how == "inside" ? kInSubject : 0;
  if (how == "damage" && subject == "libc") {
    channel->result = RunResult{};
    set_state(*channel, WorkState::kDone);
    ::pause();
  }
  std::signal(SIGSEGV, SIG_DFL);
  std::raise(how == "killed" ? SIGKILL : SIGSEGV);
  ::_exit(0);
}

// Before main: gtest would not know the arguments.
__attribute__((constructor)) void answer_if_started_so(int argc, char** argv, char**) {
  if (argc == 6 && std::strcmp(argv[4], "--channel") == 0) answer_once(argv[1], argv[3], std::atoi(argv[5]));
}

RunResult run_one(const std::string& how, const std::string& subject) {
  WorkerCommand command;
  command.arguments = {"/proc/self/exe", how, "--subject", subject};
  return Worker(command).run({});
}

TEST(Worker, ADeathInTheSubjectIsAViolation) {
  const RunResult result = run_one("inside", "any");
  EXPECT_EQ(result.violation.oracle, Oracle::kCrash);
  EXPECT_EQ(result.violation.line, 4u);
}

// Nobody but the harness stood there, and another subject makes no difference.
TEST(Worker, ADeathOutsideTheSubjectIsAFaultOfTheHarness) {
  for (const char* subject : {"any", "libc", "resettable"}) {
    EXPECT_THAT([&] { run_one("outside", subject); },
                testing::ThrowsMessage<std::runtime_error>("the worker ended outside the subject (SIGSEGV, near op 4)"))
        << subject;
  }
}

TEST(Worker, ADeathThatLibcDoesNotCauseIsTheSubjects) {
  const RunResult result = run_one("damage", "any");
  EXPECT_EQ(result.violation.oracle, Oracle::kCrash);
  EXPECT_THAT(result.violation.sentence, testing::HasSubstr("outside the allocator (SIGSEGV), and does not on libc"));
  EXPECT_THROW(run_one("damage", "resettable"), std::runtime_error);
}

// It would decode other programs from the same bytes, and judge them as it did then.
TEST(Worker, OneOfOtherSourcesIsRefused) {
  EXPECT_THAT(
      [] { run_one("older", "libc"); },
      testing::Throws<InputError>(testing::Field(
          &InputError::message, "/proc/self/exe: was built from other sources than this program: run ./assay build")));
}

TEST(ProcessLoad, OneThatSleepsAndOneThatSpins) {
  const pid_t child = ::fork();
  if (child == 0) {
    while (true) {
    }
  }
  while (cpu_ms(child) < 30) ::usleep(1000);
  EXPECT_TRUE(is_runnable(child));
  ::kill(child, SIGSTOP);
  while (is_runnable(child)) ::usleep(1000);
  const uint64_t used = cpu_ms(child);
  ::usleep(50'000);
  EXPECT_EQ(cpu_ms(child), used);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(cpu_ms(child), 0u);
  EXPECT_FALSE(is_runnable(child));
}

TEST(Worker, WhoeverKillsItIsNotTheSubject) {
  EXPECT_THROW(run_one("killed", "any"), std::runtime_error);
}

}  // namespace
}  // namespace assay
