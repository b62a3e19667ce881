#include "harness/subject/subject.h"

#include <atomic>

namespace assay {

uint64_t Subject::next_serial() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace assay
