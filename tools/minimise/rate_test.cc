#include "tools/minimise/rate_test.h"

#include <algorithm>
#include <cmath>

namespace assay {

bool rate_stays(const RateTest& test, const std::function<bool()>& shows) {
  // A rate of 1 measured in finitely many runs is not certainty: a single miss must not refuse for ever.
  const double same = std::min(test.rate, 0.99);
  const double half = same / 2;
  const double seen_step = std::log(same / half);
  const double missed_step = std::log((1 - same) / (1 - half));
  const double upper = std::log((1 - test.refuse_wrongly) / test.accept_wrongly);
  const double lower = std::log(test.refuse_wrongly / (1 - test.accept_wrongly));
  double evidence = 0;
  for (uint64_t run = 0; run < test.max_runs; run++) {
    evidence += shows() ? seen_step : missed_step;
    if (evidence >= upper) return true;
    if (evidence <= lower) return false;
  }
  return false;
}

}  // namespace assay
