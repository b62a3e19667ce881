#include "harness/op/minimise.h"

#include "harness/op/minimise/passes.h"

namespace assay {

MinimiseResult minimise(const Program& program, const StillFails& still_fails, const MinimiseOptions& options) {
  Candidates candidates(program, still_fails, options);
  drop_tail(candidates, options);
  drop_unconnected(candidates, options);
  drop_slots(candidates);
  Fingerprint before;
  do {
    before = fingerprint(candidates.best());
    drop_lines(candidates);
    shrink_ranges(candidates);
    separate_slots(candidates);
    drop_lines(candidates);
    drop_pairs(candidates);
    merge_threads(candidates);
    simplify_schedule(candidates);
    simplify_operations(candidates);
    round_numbers(candidates);
    simplify_failures(candidates);
  } while (!candidates.stopped() && fingerprint(candidates.best()) != before);
  join_reallocs(candidates);
  renumber_slots(candidates);
  renumber_names(candidates);
  fold_lines(candidates);
  return {candidates.best(), candidates.tries(), candidates.stopped()};
}

}  // namespace assay
