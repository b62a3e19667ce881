// What was mapped goes back: when everything is freed and collected and purge delays have passed, the bytes at the seam
// are what they were after a warm-up.
#pragma once

#include "harness/oracle/violation.h"
#include "harness/subject/subject.h"

namespace assay {

// True when the subject can be asked: it has a seam that counts, and can collect.
bool has_footprint(const Subject& subject);

// Frees nothing; collects, lets purge delays pass, collects again, and reads the seam. Other threads have ended.
Footprint settled_footprint(const Subject& subject);

// What stays after a few blocks of every kind came and went. Starts with a reset; leaves the subject used.
Footprint warmed_up_footprint(const Subject& subject);

[[nodiscard]] bool check_footprint(const Footprint& before, const Footprint& after, Violation& violation);

}  // namespace assay
