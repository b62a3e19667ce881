#include "harness/exec/call.h"

#include <cerrno>

#include "harness/model/mapped_array.h"
#include "harness/model/uninitialised.h"

namespace assay {
namespace {

char* make_source_text() {
  auto* const text = static_cast<char*>(map_pages(kMaxStringLength + 1));
  for (uint64_t i = 0; i < kMaxStringLength; i++) text[i] = static_cast<char>('!' + i * 7 % 94);
  return text;
}

// Made before any call of a subject: what is mapped inside of one counts as the subject's, and may be made to fail.
const char* const kSourceText = make_source_text();

Answer call_posix_memalign(const SubjectApi& api, const Step& step) {
  Answer answer;
  void* const mark = &answer;
  void* out = mark;
  answer.error = api.posix_memalign(&out, step.args[0], step.args[1]);
  answer.errno_untouched = errno == kErrnoMark;
  answer.out_untouched = out == mark;
  answer.address = answer.error == 0 ? reinterpret_cast<uintptr_t>(out) : 0;
  return answer;
}

// reallocarr takes the address of the caller's pointer, and returns the error.
Answer call_reallocarr(const SubjectApi& api, const Step& step, void* old) {
  Answer answer;
  void* block = old;
  // It is read through its address, by code that a memory sanitizer may watch.
  mark_initialised(&block, sizeof block);
  answer.error = api.reallocarr(&block, step.args[1], step.args[2]);
  answer.errno_untouched = errno == kErrnoMark;
  answer.out_untouched = block == old;
  answer.address = answer.error == 0 ? reinterpret_cast<uintptr_t>(block) : 0;
  return answer;
}

class SizeTold {
 public:
  size_t* out() { return &bytes_; }
  uint64_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0x5A5A5A5A5A;  // no block is so large
};

// The same functions, of a heap.
void* call_heap(const SubjectApi& api, const Step& step, void* old, void* heap) {
  const auto& a = step.args;
  void* block = nullptr;
  switch (step.code) {
    case OpCode::kHeapMalloc: block = api.heap_malloc(heap, a[1]); break;
    case OpCode::kHeapZalloc: block = api.heap_zalloc(heap, a[1]); break;
    case OpCode::kHeapCalloc: block = api.heap_calloc(heap, a[1], a[2]); break;
    case OpCode::kHeapMallocn: block = api.heap_mallocn(heap, a[1], a[2]); break;
    case OpCode::kHeapMallocSmall: block = api.heap_malloc_small(heap, a[1]); break;
    case OpCode::kHeapZallocSmall: block = api.heap_zalloc_small(heap, a[1]); break;
    case OpCode::kHeapMallocAligned: block = api.heap_malloc_aligned(heap, a[1], a[2]); break;
    case OpCode::kHeapMallocAlignedAt: block = api.heap_malloc_aligned_at(heap, a[1], a[2], a[3]); break;
    case OpCode::kHeapZallocAligned: block = api.heap_zalloc_aligned(heap, a[1], a[2]); break;
    case OpCode::kHeapZallocAlignedAt: block = api.heap_zalloc_aligned_at(heap, a[1], a[2], a[3]); break;
    case OpCode::kHeapCallocAligned: block = api.heap_calloc_aligned(heap, a[1], a[2], a[3]); break;
    case OpCode::kHeapCallocAlignedAt: block = api.heap_calloc_aligned_at(heap, a[1], a[2], a[3], a[4]); break;
    case OpCode::kHeapRealloc: block = api.heap_realloc(heap, old, a[2]); break;
    case OpCode::kHeapReallocn: block = api.heap_reallocn(heap, old, a[2], a[3]); break;
    case OpCode::kHeapReallocf: block = api.heap_reallocf(heap, old, a[2]); break;
    case OpCode::kHeapRezalloc: block = api.heap_rezalloc(heap, old, a[2]); break;
    case OpCode::kHeapRecalloc: block = api.heap_recalloc(heap, old, a[2], a[3]); break;
    case OpCode::kHeapReallocAligned: block = api.heap_realloc_aligned(heap, old, a[2], a[3]); break;
    case OpCode::kHeapReallocAlignedAt: block = api.heap_realloc_aligned_at(heap, old, a[2], a[3], a[4]); break;
    case OpCode::kHeapRezallocAligned: block = api.heap_rezalloc_aligned(heap, old, a[2], a[3]); break;
    case OpCode::kHeapRezallocAlignedAt: block = api.heap_rezalloc_aligned_at(heap, old, a[2], a[3], a[4]); break;
    case OpCode::kHeapRecallocAligned: block = api.heap_recalloc_aligned(heap, old, a[2], a[3], a[4]); break;
    case OpCode::kHeapRecallocAlignedAt: block = api.heap_recalloc_aligned_at(heap, old, a[2], a[3], a[4], a[5]); break;
    case OpCode::kHeapStrdup: block = api.heap_strdup(heap, source_string(a[1])); break;
    case OpCode::kHeapStrndup: block = api.heap_strndup(heap, source_string(a[1]), a[2]); break;
    case OpCode::kHeapRealpath: block = api.heap_realpath(heap, path_to_resolve(a[1]), nullptr); break;
    default: break;
  }
  return block;
}

}  // namespace

Answer call_allocating(const SubjectApi& api, const Step& step, void* old, void* heap) {
  const auto& a = step.args;
  void* block = nullptr;
  std::optional<SizeTold> before, after;
  errno = kErrnoMark;
  switch (step.code) {
    case OpCode::kPosixMemalign: return call_posix_memalign(api, step);
    case OpCode::kReallocarr: return call_reallocarr(api, step, old);
    case OpCode::kMalloc: block = api.malloc(a[0]); break;
    case OpCode::kCalloc: block = api.calloc(a[0], a[1]); break;
    case OpCode::kRealloc: block = api.realloc(old, a[1]); break;
    case OpCode::kAlignedAlloc: block = api.aligned_alloc(a[0], a[1]); break;
    case OpCode::kZalloc: block = api.zalloc(a[0]); break;
    case OpCode::kMallocSmall: block = api.malloc_small(a[0]); break;
    case OpCode::kZallocSmall: block = api.zalloc_small(a[0]); break;
    case OpCode::kMallocn: block = api.mallocn(a[0], a[1]); break;
    case OpCode::kReallocn: block = api.reallocn(old, a[1], a[2]); break;
    case OpCode::kReallocf: block = api.reallocf(old, a[1]); break;
    case OpCode::kRezalloc: block = api.rezalloc(old, a[1]); break;
    case OpCode::kRecalloc: block = api.recalloc(old, a[1], a[2]); break;
    case OpCode::kReallocarray: block = api.reallocarray(old, a[1], a[2]); break;
    case OpCode::kMallocAligned: block = api.malloc_aligned(a[0], a[1]); break;
    case OpCode::kMallocAlignedAt: block = api.malloc_aligned_at(a[0], a[1], a[2]); break;
    case OpCode::kZallocAligned: block = api.zalloc_aligned(a[0], a[1]); break;
    case OpCode::kZallocAlignedAt: block = api.zalloc_aligned_at(a[0], a[1], a[2]); break;
    case OpCode::kCallocAligned: block = api.calloc_aligned(a[0], a[1], a[2]); break;
    case OpCode::kCallocAlignedAt: block = api.calloc_aligned_at(a[0], a[1], a[2], a[3]); break;
    case OpCode::kReallocAligned: block = api.realloc_aligned(old, a[1], a[2]); break;
    case OpCode::kReallocAlignedAt: block = api.realloc_aligned_at(old, a[1], a[2], a[3]); break;
    case OpCode::kRezallocAligned: block = api.rezalloc_aligned(old, a[1], a[2]); break;
    case OpCode::kRezallocAlignedAt: block = api.rezalloc_aligned_at(old, a[1], a[2], a[3]); break;
    case OpCode::kRecallocAligned: block = api.recalloc_aligned(old, a[1], a[2], a[3]); break;
    case OpCode::kRecallocAlignedAt: block = api.recalloc_aligned_at(old, a[1], a[2], a[3], a[4]); break;
    case OpCode::kAlignedRecalloc: block = api.aligned_recalloc(old, a[1], a[2], a[3]); break;
    case OpCode::kAlignedOffsetRecalloc: block = api.aligned_offset_recalloc(old, a[1], a[2], a[3], a[4]); break;
    case OpCode::kMemalign: block = api.memalign(a[0], a[1]); break;
    case OpCode::kValloc: block = api.valloc(a[0]); break;
    case OpCode::kPvalloc: block = api.pvalloc(a[0]); break;
    case OpCode::kUmalloc: block = api.umalloc(a[0], after.emplace().out()); break;
    case OpCode::kUcalloc: block = api.ucalloc(a[0], a[1], after.emplace().out()); break;
    case OpCode::kUrealloc: block = api.urealloc(old, a[1], before.emplace().out(), after.emplace().out()); break;
    case OpCode::kUmallocSmall: block = api.umalloc_small(a[0], after.emplace().out()); break;
    case OpCode::kUzallocSmall: block = api.uzalloc_small(a[0], after.emplace().out()); break;
    case OpCode::kUmallocAligned: block = api.umalloc_aligned(a[0], a[1], after.emplace().out()); break;
    case OpCode::kUzallocAligned: block = api.uzalloc_aligned(a[0], a[1], after.emplace().out()); break;
    case OpCode::kStrdup: block = api.strdup(source_string(a[0])); break;
    case OpCode::kStrndup: block = api.strndup(source_string(a[0]), a[1]); break;
    case OpCode::kRealpath: block = api.realpath(path_to_resolve(a[0]), nullptr); break;
    default: block = call_heap(api, step, old, heap); break;
  }
  Answer answer;
  answer.error = errno;
  answer.address = reinterpret_cast<uintptr_t>(block);
  if (before) answer.usable_before = before->bytes();
  if (after) answer.usable_after = after->bytes();
  return answer;
}

Answer call_freeing(const SubjectApi& api, OpCode code, const FreedAs& freed) {
  std::optional<SizeTold> before;
  errno = kErrnoMark;
  switch (code) {
    case OpCode::kFreeSize: api.free_size(freed.block, freed.size); break;
    case OpCode::kFreeSizeAligned: api.free_size_aligned(freed.block, freed.size, freed.alignment); break;
    case OpCode::kFreeAligned: api.free_aligned(freed.block, freed.alignment); break;
    case OpCode::kFreeSmall: api.free_small(freed.block); break;
    case OpCode::kCfree: api.cfree(freed.block); break;
    case OpCode::kUfree: api.ufree(freed.block, before.emplace().out()); break;
    default: api.free(freed.block); break;
  }
  Answer answer;
  answer.error = errno;
  if (before) answer.usable_before = before->bytes();
  return answer;
}

const char* source_string(uint64_t length) {
  return kSourceText + (kMaxStringLength - length);
}

const char* path_to_resolve(uint64_t which) {
  return which == 0 ? "/./../" : "/./no such file, says assay";
}

}  // namespace assay
