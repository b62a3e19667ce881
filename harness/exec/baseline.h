// What a subject's footprint is once it is warm: measured once, since that takes longer than most programs.
#pragma once

#include "harness/oracle/footprint.h"

namespace assay {

class Baseline {
 public:
  // Measures when it has not for this subject. Nothing else may run in the subject meanwhile.
  void measure(const Subject& subject) {
    if (!has_footprint(subject) || of_ == subject.serial()) return;
    warmed_up_ = warmed_up_footprint(subject);
    of_ = subject.serial();
  }
  const Footprint& warmed_up() const { return warmed_up_; }

 private:
  uint64_t of_ = 0;  // serial of the subject
  Footprint warmed_up_;
};

}  // namespace assay
