// What a search says of schedules that never end: a subject whose locks, and loops, are told of access by access.
#include "harness/exec/explore.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "harness/op/text.h"
#include "harness/sched/strategy.h"
#include "harness/subject/subject.h"

namespace assay {
namespace {

// The C library behind two locks. A request of 100 bytes takes the first and then the second, one of 200 the other way
// round, one of 300 waits for a word that nobody writes.
class Quarrelsome final : public Subject {
 public:
  Quarrelsome() {
    name_ = "quarrelsome";
    api_.malloc = allocate;
    api_.free = release;
    instruments_.set_access_hooks = [](const AccessHooks* set) {
      hooks = set;
      return true;
    };
    instruments_.reset = [] { locks[0] = locks[1] = 0; };
  }
  bool owns_code(const void*) const override { return false; }

 private:
  static void tell(uint32_t* word, AccessKind kind, int order) {
    if (hooks != nullptr) hooks->before(word, sizeof *word, static_cast<int>(kind), order);
  }
  static void take(uint32_t* lock) {
    tell(lock, AccessKind::kLock, __ATOMIC_ACQUIRE);
    *lock = 1;
    if (hooks != nullptr) hooks->after(true, 0, 1);
  }
  static void give_back(uint32_t* lock) {
    tell(lock, AccessKind::kExchange, __ATOMIC_RELEASE);
    *lock = 0;
    if (hooks != nullptr) hooks->after(true, 1, 0);
  }
  static void* allocate(size_t size) {
    const int first = size == 200 ? 1 : 0;
    if (size == 100 || size == 200) {
      take(&locks[first]);
      take(&locks[1 - first]);
      give_back(&locks[1 - first]);
      give_back(&locks[first]);
    }
    while (size == 300 && hooks != nullptr) {
      tell(&never, AccessKind::kLoad, __ATOMIC_RELAXED);
      if (hooks->after(false, never, never) != 0) break;
    }
    return std::malloc(size);
  }
  static void release(void* block) { std::free(block); }

  static inline const AccessHooks* hooks = nullptr;
  static inline uint32_t locks[2];
  static inline uint32_t never = 0;
};

struct Searched {
  RunResult result;
  std::unique_ptr<Exploration> exploration = std::make_unique<Exploration>();
};

Searched search(const std::string& lines) {
  const Program program = parse_text("assay 1\n" + lines, "explore.ops");
  const Quarrelsome subject;
  Searched searched;
  searched.result = explore(program, subject, {}, {.bound = 1}, *searched.exploration);
  return searched;
}

TEST(ExploreTest, ADeadlockIsAHangWithThePositionOfEachThread) {
  const Searched searched = search("p0 = malloc(100)\np1 = malloc(200) @t1\n");
  const Violation& violation = searched.result.violation;
  ASSERT_EQ(violation.oracle, Oracle::kHang);
  EXPECT_STREQ(violation.sentence, "deadlock: no thread can go on");
  EXPECT_STREQ(violation.seen, "t0 at a lock op 0, access 2; t1 at a lock op 1, access 2");
  EXPECT_GT(searched.exploration->schedules, 1u) << "without a preemption all is well";
  ASSERT_EQ(searched.exploration->record.count, 1u);
  EXPECT_EQ(searched.exploration->record.events[0].access, 2u);
}

// What the figures of a hunt call a preemption.
TEST(ExploreTest, APreemptionIsCountedWhereTheThreadHadMadeAnAccessAndCouldHaveGoneOn) {
  const auto preemptions = [](const std::string& schedule) {
    const Program program =
        parse_text("assay 1\np0 = malloc(100)\np1 = malloc(64) @t1\np2 = malloc(64) @t2\n" + schedule, "count.ops");
    const Quarrelsome subject;
    const RunResult result = run_in_mode(program, Mode::kSchedule, subject, {});
    EXPECT_FALSE(result.violation) << result.violation.sentence;
    return result.preemptions;
  };
  EXPECT_EQ(preemptions(""), 0u);
  EXPECT_EQ(preemptions("preempt(t0, op 0, access 0) -> t1\n"), 0u) << "nothing was interrupted";
  EXPECT_EQ(preemptions("preempt(t0, op 0, access 2) -> t1\n"), 1u);
  EXPECT_EQ(preemptions("preempt(t0, op 0, access 2) -> t1\npreempt(t0, op 0, access 3) -> t2\n"), 2u);
  EXPECT_EQ(preemptions("preempt(t0, op 0, access 9) -> t1\n"), 0u) << "there is no such access";
}

TEST(ExploreTest, LocksThatAreTakenInOneOrderDeadlockInNoSchedule) {
  const Searched searched = search("p0 = malloc(100)\np1 = malloc(100) @t1\np2 = malloc(100) @t2\n");
  EXPECT_FALSE(searched.result.violation) << searched.result.violation.seen;
  EXPECT_TRUE(searched.exploration->exhausted);
}

TEST(ExploreTest, ALivelockIsAHangWithThePositionOfEachThread) {
  const Searched searched = search("p0 = malloc(64) @t1\np1 = malloc(300) @t1\nfree(p0)\n");
  const Violation& violation = searched.result.violation;
  ASSERT_EQ(violation.oracle, Oracle::kHang);
  EXPECT_STREQ(violation.sentence, "livelock: 1048576 accesses and no end");
  EXPECT_EQ(violation.line, 1u);
  const std::string seen = violation.seen;
  EXPECT_NE(seen.find("t1 in op 1, access 1048577"), std::string::npos) << seen;
  EXPECT_NE(seen.find("t0 waiting to begin op 2"), std::string::npos) << seen;
}

}  // namespace
}  // namespace assay
