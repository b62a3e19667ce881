#include "harness/oracle/request.h"

#include <algorithm>

namespace assay {
namespace {

constexpr uint64_t kPageBytes = 4096;

bool zeroes(OpCode code) {
  switch (code) {
    case OpCode::kCalloc:
    case OpCode::kZalloc:
    case OpCode::kZallocSmall:
    case OpCode::kRezalloc:
    case OpCode::kRecalloc:
    case OpCode::kZallocAligned:
    case OpCode::kZallocAlignedAt:
    case OpCode::kCallocAligned:
    case OpCode::kCallocAlignedAt:
    case OpCode::kRezallocAligned:
    case OpCode::kRezallocAlignedAt:
    case OpCode::kRecallocAligned:
    case OpCode::kRecallocAlignedAt:
    case OpCode::kAlignedRecalloc:
    case OpCode::kAlignedOffsetRecalloc:
    case OpCode::kUcalloc:
    case OpCode::kUzallocSmall:
    case OpCode::kUzallocAligned:
    case OpCode::kHeapZalloc:
    case OpCode::kHeapCalloc:
    case OpCode::kHeapZallocSmall:
    case OpCode::kHeapZallocAligned:
    case OpCode::kHeapZallocAlignedAt:
    case OpCode::kHeapCallocAligned:
    case OpCode::kHeapCallocAlignedAt:
    case OpCode::kHeapRezalloc:
    case OpCode::kHeapRecalloc:
    case OpCode::kHeapRezallocAligned:
    case OpCode::kHeapRezallocAlignedAt:
    case OpCode::kHeapRecallocAligned:
    case OpCode::kHeapRecallocAlignedAt: return true;
    default: return false;
  }
}

// Sizes and counts are factors, in any order; the rest is what it is.
void read_arguments(const OpInfo& row, const uint64_t* args, Request& request) {
  request.size = 1;
  for (size_t i = 0; i < row.args.size() && row.args[i] != ArgKind::kNothing; i++) {
    switch (row.args[i]) {
      case ArgKind::kCount:
      case ArgKind::kSize:
      case ArgKind::kSmallSize:
        request.overflows |= __builtin_mul_overflow(request.size, args[i], &request.size);
        break;
      case ArgKind::kAlignment:
        request.aligned = true;
        request.alignment = args[i];
        break;
      case ArgKind::kOffset: request.offset = args[i]; break;
      default: break;
    }
  }
}

}  // namespace

Request request_of(OpCode code, const uint64_t* args) {
  Request request;
  switch (code) {
    // The string, its end included.
    case OpCode::kStrdup: request.size = args[0] + 1; return request;
    case OpCode::kStrndup: request.size = std::min(args[0], args[1]) + 1; return request;
    case OpCode::kRealpath: request.size = 2; return request;
    case OpCode::kHeapStrdup: request.size = args[1] + 1; return request;
    case OpCode::kHeapStrndup: request.size = std::min(args[1], args[2]) + 1; return request;
    case OpCode::kHeapRealpath: request.size = 2; return request;
    default: break;
  }
  read_arguments(info(code), args, request);
  request.zeroed = zeroes(code);
  if (code == OpCode::kValloc || code == OpCode::kPvalloc) {
    request.aligned = true;
    request.alignment = kPageBytes;
  }
  if (code == OpCode::kPvalloc) {
    request.overflows |= request.size > ~uint64_t{0} - (kPageBytes - 1);
    request.size = (request.size + kPageBytes - 1) & ~(kPageBytes - 1);
  }
  return request;
}

bool is_standard(OpCode code) {
  switch (code) {
    case OpCode::kMalloc:
    case OpCode::kCalloc:
    case OpCode::kRealloc:
    case OpCode::kAlignedAlloc:
    case OpCode::kPosixMemalign:
    case OpCode::kReallocarray:
    case OpCode::kMemalign:
    case OpCode::kValloc:
    case OpCode::kPvalloc:
    case OpCode::kStrdup:
    case OpCode::kStrndup:
    case OpCode::kRealpath: return true;
    default: return false;
  }
}

}  // namespace assay
