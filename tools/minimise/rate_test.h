// Whether something that shows only k times in N still shows about as often: Wald's sequential probability ratio test
// (1945) of "as often as in the original" against "half as often".
#pragma once

#include <cstdint>
#include <functional>

namespace assay {

struct RateTest {
  double rate = 1;  // of the original, above 0
  // Chances of taking what shows half as often, and of refusing what shows as often: a wrong step spoils the result, a
  // step refused only leaves it longer.
  double accept_wrongly = 0.03;
  double refuse_wrongly = 0.15;
  uint64_t max_runs = 1000;  // undecided by then: refused
};

// Calls `shows` until the test has decided.
bool rate_stays(const RateTest& test, const std::function<bool()>& shows);

}  // namespace assay
