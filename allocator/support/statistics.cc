#include "allocator/support/statistics.h"

namespace xi {

constinit Statistics statistics;

const StatisticRow statistic_table[kStatisticCount] = {
#define XI_STATISTIC(name, doc) {#name, &Statistics::name, doc},
#include "allocator/support/statistics.def"
#undef XI_STATISTIC
};

void reset_statistics() {
  for (const StatisticRow& row : statistic_table) (statistics.*row.figure).reset();
  statistics.vanished_threads.reset();
}

}  // namespace xi
