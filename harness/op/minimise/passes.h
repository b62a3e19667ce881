// The passes of the minimiser, in the order in which they first run. Each tries candidates and keeps those that still
// fail; none ever makes a program longer but for write_out_ranges, which turns a range into as many single lines.
#pragma once

#include "harness/op/minimise/candidates.h"

namespace assay {

// lines.cc. What follows the guilty operation; without one, or before it: the shortest failing prefix by bisection.
void drop_tail(Candidates& candidates, const MinimiseOptions& options);
// All lines at once that share no slot with the guilty operation and the victim, in widening circles.
void drop_unconnected(Candidates& candidates, const MinimiseOptions& options);
// All lines of one slot together; half of the slots at a time, down to one.
void drop_slots(Candidates& candidates);
// Half of the lines at a time, down to one by one, backwards.
void drop_lines(Candidates& candidates);
// Two lines that can only go together: a fill and its free, two frees around a reuse.
void drop_pairs(Candidates& candidates);

// ranges.cc. Fewer members: from the end, from the front, every second one; sizes drawn become one size. What is left
// of short ranges is written out, one line for each member.
void shrink_ranges(Candidates& candidates);

// schedule.cc. No schedule, fewer events, earlier ones.
void simplify_schedule(Candidates& candidates);

// calls.cc. Fewer threads, t0 first, then consecutive numbers.
void merge_threads(Candidates& candidates);
// plain_calls.cc. The plainest function that shows the same: malloc, then the others of C, then those of an allocator's
// own.
void simplify_operations(Candidates& candidates);

// numbers.cc. Sizes, counts, alignments and times toward small round values; where none will do, the boundary itself.
void round_numbers(Candidates& candidates);

// failures.cc. Fewer system calls that fail; once and not from then on; earlier calls; ENOMEM.
void simplify_failures(Candidates& candidates);

// names.cc. Each block in a slot of its own, so that what freed the slot for the next one is not needed for that.
void separate_slots(Candidates& candidates);
// A realloc's block in the slot of the old one.
void join_reallocs(Candidates& candidates);
// Slots from p0 on in the order of their first use, and runs of equal lines as one range.
void renumber_slots(Candidates& candidates);
// The same of heaps and arenas, each from 0 on.
void renumber_names(Candidates& candidates);
void fold_lines(Candidates& candidates);

}  // namespace assay
