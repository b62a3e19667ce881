#include "harness/exec/exit_duty.h"

#include <pthread.h>

#include <cstddef>

#include "harness/model/pattern.h"
#include "harness/oracle/describe.h"

namespace assay {
namespace {

// Of a small page and of a larger one.
constexpr size_t kSizes[] = {40, 3000};
constexpr size_t kBlocks = std::size(kSizes);

void complain(const ExitDuty& duty, size_t size) {
  Violation& violation = *duty.violation;
  violation.oracle = Oracle::kContents;
  violation.line = duty.progress->line;
  violation.member = duty.progress->member;
  violation.op_code = duty.progress->op_code;
  describe(violation.sentence, "a block of a destructor of thread-local storage lost its contents");
  describe(violation.expected, "a block of {} bytes that is the ending thread's own until it is freed", size);
  describe(violation.seen, "other bytes than were written");
  duty.on_violation(duty.context);
}

void carry_out(void* argument) {
  const ExitDuty& duty = *static_cast<ExitDuty*>(argument);
  void* blocks[kBlocks] = {};
  for (size_t i = 0; i < kBlocks; ++i) {
    duty.progress->in_subject = kInSubject;
    blocks[i] = duty.subject->api().malloc(kSizes[i]);
    duty.progress->in_subject = 0;
    if (blocks[i] != nullptr) fill_pattern(blocks[i], block_seed(i), 0, kSizes[i]);
  }
  for (size_t i = 0; i < kBlocks; ++i) {
    // The system may be refusing memory at this point of the program.
    if (blocks[i] == nullptr) continue;
    if (first_wrong_byte(blocks[i], block_seed(i), 0, kSizes[i]) != kAllRight) {
      return complain(duty, kSizes[i]);
    }
    duty.progress->in_subject = kInSubject;
    duty.subject->api().free(blocks[i]);
    duty.progress->in_subject = 0;
  }
}

pthread_key_t duty_key() {
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    pthread_key_create(&made, carry_out);
    return made;
  }();
  return key;
}

}  // namespace

void take_exit_duty(ExitDuty& duty) {
  pthread_setspecific(duty_key(), &duty);
}

}  // namespace assay
