// Which operations of a program wait for which, where its threads run at a time (modes schedule and free; in mode
// sequential the text order is the order). The rules:
//   - a thread makes its operations in the order of the text;
//   - an operation waits for the preceding one in the text that names the same slot, heap or arena; the exit of a
//   thread
//     names all heaps that it has made;
//   - fork, advance_clock, os_heal, option_set, heap_destroy, whose blocks nobody may use, and check_all and
//     check_statistics, which look at everything, wait for all before them, and all after them wait for them;
//   - after a thread_exit() the next operation of that thread waits until the thread has really ended;
//   - a thread whose exit the program does not say ends after the last operation of the kind that all wait for;
//   - all else is concurrent.
// The first rule and those on the ends of threads are the executor's; here is the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "harness/op/program.h"

namespace assay {

class Order {
 public:
  // Programs of more operations are refused (InputError): all of them are kept in memory.
  static constexpr uint64_t kMaxSteps = uint64_t{1} << 24;

  // Keeps steps of the program, which must live as long.
  explicit Order(const Program& program);

  size_t size() const { return steps_.size(); }
  // In the order of the text.
  const Step& step(uint32_t index) const { return steps_[index]; }
  // Operations of other threads that must be done before this one begins, not necessarily all: what they, or this
  // thread's earlier operations, wait for themselves is left out where that is easy to see.
  std::span<const uint32_t> waits_for(uint32_t index) const {
    return {waits_.data() + first_wait_[index], waits_.data() + first_wait_[index + 1]};
  }
  // Whether an operation of another thread waits for it.
  bool is_awaited(uint32_t index) const { return awaited_[index] != 0; }

  // The last operation that stands alone. A thread whose exit the program does not say must not end before it is done.
  std::optional<uint32_t> last_alone() const {
    return barrier_ == 0 ? std::nullopt : std::optional<uint32_t>(barrier_ - 1);
  }

  // What end() says of the final frees, null when nothing.
  const std::vector<Failure>* end_fails() const { return end_fails_; }

  // One more than the highest thread; threads between may have no operations.
  uint32_t thread_count() const { return static_cast<uint32_t>(of_thread_.size()); }
  std::span<const uint32_t> of_thread(uint32_t thread) const { return of_thread_[thread]; }
  // One more than the highest slot that the program names.
  uint64_t slot_count() const { return last_of_slot_.size(); }
  // Operations that make a heap.
  uint64_t heaps_made() const { return heaps_made_; }

 private:
  void add_slot(uint64_t slot, uint32_t index) { add_use(last_of_slot_, slot, index); }
  void add_use(std::vector<uint32_t>& last_uses, uint64_t at, uint32_t index);
  void add_names(uint32_t index);
  void add_wait(uint32_t before, uint32_t index);
  void add_waits(uint32_t index);

  std::vector<Step> steps_;
  std::vector<uint32_t> waits_, first_wait_;
  std::vector<uint8_t> awaited_;
  std::vector<std::vector<uint32_t>> of_thread_;
  std::vector<uint32_t> last_of_slot_;  // one more than the step's index; 0: none
  std::vector<uint32_t> last_of_heap_, last_of_arena_;
  // By name: a make of a name that is taken is skipped, so that any thread that makes it may be the one that did.
  std::vector<std::vector<uint32_t>> makers_of_heap_;
  uint64_t heaps_made_ = 0;
  const std::vector<Failure>* end_fails_ = nullptr;
  uint32_t barrier_ = 0;  // one more than the index of the latest that all wait for
};

// Whether such an operation waits for all before it, and all after it wait for it.
bool stands_alone(OpCode code);

}  // namespace assay
