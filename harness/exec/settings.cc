// Options and statistics.
#include <cerrno>

#include "harness/exec/operations.h"
#include "harness/oracle/heap_answer.h"
#include "harness/oracle/statistics.h"

namespace assay {

// What it was and what it is are asked for within the call, so that all of it is the schedule's.
Operations::Ran Operations::change_option(const Step& step) {
  const HeapKit& kit = subject_.heap_kit();
  const std::string_view name = option_name(step.args[0]);
  if (!kit.has_option(name)) return Ran::kSkipped;
  const bool as_default = step.code == OpCode::kOptionSetDefault;
  const auto value = static_cast<long>(step.args[1]);
  enter_subject();
  const long before = kit.get_option(name);
  const int error = (as_default ? kit.default_option : kit.set_option)(name, value);
  const long now = kit.get_option(name);
  leave();
  outcome_.succeeded = error == 0;
  outcome_.error = error;
  SetOption& option = heap_.made().options[step.args[0]];
  if (!option.was_changed()) option = {.was_set = false, .first = before, .now = before};
  const bool told = error == 0 || error == EINVAL;
  if (!check_refused(step.code, told ? error : EINVAL, error, result_.violation)) return fail();
  if (as_default) {
    // Somebody before the program may have set it, too: then it stays.
    if (error == 0 && !option.was_set && now == value) option.now = value;
    option.has_default = true;
  } else if (error == 0) {
    option.was_set = true;
    option.now = value;
  }
  note_option(step);
  return check_option(name, option.now, now, result_.violation) ? Ran::kDone : fail();
}

// What follows from the value that an option has now.
void Operations::note_option(const Step& step) {
  const SetOption& option = heap_.made().options[step.args[0]];
  // With less address space than a program needs anything may be refused.
  const bool limits = step.args[0] == static_cast<uint64_t>(OptionId::kArenaLimit) && option.now != 0;
  if (limits) heap_.made().limited = true;
  // What is never due stays, and what is only discarded stays accessible, also when the option is put back.
  const bool never = step.args[0] == static_cast<uint64_t>(OptionId::kPurgeDelay) && option.now < 0;
  const bool discards = step.args[0] == static_cast<uint64_t>(OptionId::kPurgeDecommits) && option.now == 0;
  if (never || discards) heap_.made().never_purged = true;
}

Operations::Ran Operations::get_option(const Step& step) {
  const HeapKit& kit = subject_.heap_kit();
  const std::string_view name = option_name(step.args[0]);
  if (!kit.has_option(name)) return Ran::kSkipped;
  enter_subject();
  const long value = kit.get_option(name);
  const bool agrees = kit.option_agrees == nullptr || kit.option_agrees(name);
  leave();
  const SetOption& option = heap_.made().options[step.args[0]];
  return (!option.was_changed() || check_option(name, option.now, value, result_.violation)) &&
                 check_option_agrees(name, value, agrees, result_.violation)
             ? Ran::kDone
             : fail();
}

Operations::Ran Operations::print_all() {
  enter_subject();
  const Printed printed = subject_.heap_kit().print();
  leave();
  return check_printed(printed, result_.violation) ? Ran::kDone : fail();
}

Operations::Ran Operations::defer(const Step& step) {
  heap_.made().defers = step.args[0] != 0;
  enter_subject();
  subject_.heap_kit().defer(heap_.made().defers);
  leave();
  return Ran::kDone;
}

void Operations::restore_options() {
  const auto& options = heap_.made().options;
  for (uint64_t i = 0; i < option_count(); ++i) {
    if (options[i].was_changed()) subject_.heap_kit().set_option(option_name(i), options[i].first);
  }
  if (heap_.made().defers) subject_.heap_kit().defer(false);
}

bool Operations::check_statistics_now() {
  if (ledger_.concurrent || ledger_.under_way > 1) return true;
  enter_query();
  const bool right = check_statistics(subject_, heap_.live_blocks(), result_.violation);
  leave();
  return right;
}

}  // namespace assay
