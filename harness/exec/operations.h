// Carries out one step on the calling thread: checks whether it is legal now, makes the call, lets every oracle judge
// the answer, and keeps the model. Called by one thread at a time; which one is the executor's business.
#pragma once

#include <cstdint>
#include <optional>

#include "harness/exec/call.h"
#include "harness/exec/comparison.h"
#include "harness/exec/reuse_table.h"
#include "harness/exec/run.h"
#include "harness/exec/seam_watch.h"
#include "harness/model/shadow_heap.h"
#include "harness/oracle/null_errno.h"
#include "harness/oracle/walk.h"
#include "harness/subject/system_calls.h"

namespace assay {

// What the threads of one program have in common besides the model; each has an Operations of its own where they take
// turns in the middle of calls.
struct Ledger {
  uint64_t serial = 0;    // blocks adopted so far
  uint64_t compared = 0;  // bytes compared after steps, beside what a step itself touches
  uint64_t structure_checks = 0;
  uint32_t actor = 0;         // the thread of the last step that began or ended
  uint64_t placed = 0;        // blocks that came to an address of their own, by resizing too
  uint64_t alone_since = 0;   // `placed` when that thread was not yet the only one that acted
  uint64_t begun = 1;         // steps, and one more
  uint32_t under_way = 0;     // steps begun and not ended: the structure is in order only when there is no other
  bool concurrent = false;    // other threads run at the same time: only the blocks of the step itself can be looked at
  bool several = false;       // another thread than t0 has done something
  SeamWatch* seam = nullptr;  // of the run; the executor starts it when the subject has been reset
  // Of a scheduler that gives loads older values: how many it gave. A call that had one may have seen what was before
  // some step of another thread.
  const uint64_t* older_values = nullptr;

  bool is_scheduled() const { return older_values != nullptr; }
  uint64_t older() const { return older_values == nullptr ? 0 : *older_values; }
  // For is_alone_since(), on the thread of a step: 0 while other steps are under way.
  uint64_t moment() const { return under_way > 1 ? 0 : begun + older(); }
  // No other step has been under way since that moment, not even one that began and ended meanwhile, and what was seen
  // since is no older than that.
  bool is_alone_since(uint64_t moment) const { return !concurrent && moment != 0 && moment == this->moment(); }
};

// Whether the subject has what the operation is about.
bool can_be_asked(const Subject& subject, OpCode code);
AskableOperations askable_operations(const Subject& subject);

// Whether the calling thread goes on in a destructor after this step, which it is about to run or has run.
bool goes_on_in_destructor(const Step& step);

class Operations {
 public:
  Operations(const Subject& subject, const RunOptions& options, ShadowHeap& heap, ReuseTable& reuse, RunResult& result,
             Ledger& ledger);

  // False when an oracle objected: result.violation says to what, and nothing more may run.
  [[nodiscard]] bool run(const Step& step);

  // After a logical thread has really ended: what its exit did to the others' blocks. False as above.
  [[nodiscard]] bool check_after_exit() { return seam_is_content() && (!strict_ || check_after_step()); }

  // From here on what goes wrong belongs to no line of the program. `fails`: what end() says of it; null when
  // nothing, or when end() came as a step.
  void begin_end(const std::vector<Failure>* fails = nullptr);
  // The end of a program, on t0 after the other threads have ended: every block checked and freed. False as above.
  [[nodiscard]] bool check_and_free_all();
  // Then nothing fails any more, and what is left at the seam is compared with what a warm-up left.
  [[nodiscard]] bool check_footprint_against(const Footprint& warmed_up);

  // In the child of a fork: every block checked, one allocated in each size class, half of them freed by a thread that
  // starts there, all freed. False as above.
  [[nodiscard]] bool run_in_forked_child();

  SeamWatch& seam() { return *ledger_.seam; }

  // Where the steps' kernel thread id and progress are written.
  Progress& progress() { return *progress_; }

 private:
  enum class Ran : uint8_t { kSkipped, kDone, kViolated };

  // What a block that was just returned must be besides being new.
  struct Grant {
    uint64_t alignment = 1, offset = 0;  // the byte at `offset` is aligned
    uint64_t zero_from = ~uint64_t{0};   // from here to the requested size all bytes are zero
    const Block* old = nullptr;          // the block that it was, of which `kept` bytes are still there
    uint64_t kept = 0;
    const char* text = nullptr;  // the string that it holds
    std::optional<uint64_t> usable_told = std::nullopt;
  };

  // The heap that a call allocates from: the one that it names, else the default one of its thread.
  struct Source {
    bool runs = true;  // false: nobody knows what the call would do
    uint32_t heap = MadeHeaps::kBacking;
    void* handle = nullptr;
    bool unknown = false;              // the thread's default heap, which is another one since it ended or not
    int refusal = 0;                   // the error that the subject must answer
    const MadeArena* bound = nullptr;  // the only arena that the block may come from
  };

  Ran dispatch(const Step& step);
  Ran allocate(const Step& step);
  Ran resize(const Step& step);
  Ran resize_failed(const Step& step, const Answer& answer, const Block& old);
  Ran expand(const Step& step);
  Ran release(const Step& step);
  Ran ask_usable_size(const Step& step);
  Ran ask_good_size(const Step& step);
  Ran ask_whether_ours(const Step& step);
  Ran collect(const Step& step);
  Ran advance_clock(const Step& step);
  Ran fork_process();

  // heaps.cc
  Ran dispatch_heap(const Step& step);
  Source source_of(const Step& step) const;
  Expectation in_view_of_source(const Expectation& expected, const Source& source) const;
  bool check_source(const Step& step, const Source& source, uint64_t slot, bool is_new);
  Ran make_heap(const Step& step);
  Ran end_heap(const Step& step);
  Ran end_no_heap(const Step& step);
  bool forget_blocks_of(uint32_t heap);
  Ran set_default_heap(const Step& step);
  Ran get_default_heap(const Step& step);
  Ran collect_heap(const Step& step);
  Ran ask_heap(const Step& step);
  Ran ask_utilization(const Step& step);
  Ran guard_heap(const Step& step);
  Ran collect_and_reduce(const Step& step);
  bool end_heaps_left();
  void note_exit(const Step& step);
  // walk.cc
  Ran visit_heap(const Step& step);
  Ran visit_abandoned(const Step& step);
  bool walk_heap(uint32_t record, void* handle, bool all_blocks);
  bool walk_heaps_of(uint32_t thread);
  bool walk_everything();
  // arenas.cc
  Ran make_arena(const Step& step);
  Ran ask_area(const Step& step);
  Ran make_huge_arena(const Step& step);
  bool adopt_arena(const Step& step, MadeArena arena, uint64_t asked_bytes, uintptr_t managed_start);
  // settings.cc
  Ran change_option(const Step& step);
  Ran get_option(const Step& step);
  void note_option(const Step& step);
  Ran print_all();
  Ran defer(const Step& step);
  void restore_options();
  bool check_statistics_now();
  Ran check_one(const Step& step);
  Ran check_everything();

  // False when an oracle objected.
  bool allocate_each_class(uint64_t largest);
  bool free_one_in(uint64_t step);  // of the slots
  bool live_in_forked_child();
  bool start_thread_in_forked_child();

  bool can_call(OpCode code) const;
  // What the step must answer. In a comparison also what nobody promises anything about may be asked.
  Expectation weigh(const Step& step, const Source& source) const;
  // After an oracle objected to an answer of NULL: in a comparison that is one subject's answer as any other.
  bool may_go_on(uintptr_t address);
  // Notes what was seen for a comparison, and frees what other subjects do not have. False as run().
  bool note_for_comparison(const Step& step);
  // False when the block would pass the cap on live bytes, or is too large to be handled at all.
  bool affordable(const Expectation& expected, uint64_t charge_given_back) const;
  bool too_large_to_clear(const Expectation& expected) const;
  // Judges a block that was just returned and puts it into the model.
  bool adopt(uint64_t slot, Block block, const Grant& grant);
  // What u-variants and good_size say of it.
  bool check_what_was_told(uint64_t slot, const Grant& grant);
  bool check_bytes_granted(uint64_t slot, const Grant& grant);
  bool verify(uint64_t slot);
  bool verify_all();
  bool free_block(uint64_t slot, OpCode code = OpCode::kFree);
  bool check_after_step();
  void forget(uint64_t slot, const Block& block);
  // Undoes forget() for a block that the subject left where it was. False when another block has its place.
  bool put_back(uint64_t slot, const Block& block);
  bool check_structure_now();
  bool check_structure_in_child();
  bool usable_size_kept(uint64_t slot);
  bool is_surely_of_this_thread(const Block& block) const;
  void note_actor(const Step& step);

  // A line begins, or null failures: nothing waits any more. What waited of the line before has not come.
  void arm(uint64_t line, const std::vector<Failure>* fails);
  // False when the oracle of the seam objected to a system call.
  bool seam_is_content();
  // What the request may answer once a system call has failed.
  Expectation in_view_of_failures(const Expectation& expected) const;
  void note_null(const Expectation& expected);
  // After NULL from a heap that has one arena only: whether that had no room.
  bool is_due(const Step& step, const Source& source, const Expectation& expected);

  // Stamps the violation with the step that was running.
  Ran fail();
  bool fail_check() { return fail() != Ran::kViolated; }
  // The call that the step is about.
  void enter_subject() {
    enter_query();
    progress_->in_call = 1;
  }
  // A question of ours, which no schedule interrupts.
  void enter_query() {
    progress_->in_subject = kInSubject;
    inside_subject = true;
  }
  void enter_block() { progress_->in_subject = kInBlock; }
  void leave() {
    inside_subject = false;
    progress_->in_call = 0;
    progress_->in_subject = 0;
  }
  void begin_step(const Step& step);
  void mix(uint64_t value);
  const FillPlan& next_plan() const;

  const Subject& subject_;
  const SubjectApi& api_;
  const Promises& promises_;
  const RunOptions& options_;
  ShadowHeap& heap_;
  ReuseTable& reuse_;
  RunResult& result_;
  Progress own_progress_;
  Progress* progress_;
  bool strict_;
  Ledger& ledger_;
  WatchedLine line_;
  Place here_;
  const std::vector<Failure>* end_fails_ = nullptr;  // what an end() that came as a step said
  uint64_t failed_before_ = 0;                       // system calls that had failed when the step began
  uint64_t moment_ = 0;                              // of the ledger, then
  uint8_t op_code_ = 255;
  Outcome outcome_{};
  uint32_t thread_ = 0;  // of the step
  Walk walk_;
};

}  // namespace assay
