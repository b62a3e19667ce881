#include "allocator/support/statistics.h"

namespace xi {

constinit Statistics statistics;

void reset_statistics() {
  statistics.committed_bytes.reset();
  statistics.purged_bytes.reset();
  statistics.pages.reset();
}

}  // namespace xi
