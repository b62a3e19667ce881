#include "harness/subject/probe.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <new>

#include "harness/subject/quiet_child.h"

namespace assay {
namespace {

constexpr int kUntouched = 0x5A5A;
constexpr size_t kBadAlignments[] = {0, 3, 24, 100, 65537};
constexpr unsigned kProbeSeconds = 10;
constexpr size_t kImpossibleSize = (~size_t{0} >> 1) + 1;
constexpr size_t kMoreThanTheKernelGives = size_t{1} << 50;

// realloc(p, 0) that answers NULL has freed the block when the address comes back for the same size soon.
ReallocZero probe_realloc_zero(const SubjectApi& api) {
  constexpr size_t kSize = 40;
  void* block = api.malloc(kSize);
  if (block == nullptr) return ReallocZero::kUnknown;
  void* moved = api.realloc(block, 0);
  if (moved != nullptr) {
    api.free(moved);
    return ReallocZero::kMinimal;
  }
  for (int i = 0; i < 4096; ++i) {
    if (api.malloc(kSize) == block) return ReallocZero::kFrees;
  }
  return ReallocZero::kUnknown;
}

bool probe_any_size(const SubjectApi& api) {
  void* block = api.aligned_alloc(64, 65);
  const bool accepted = block != nullptr && reinterpret_cast<uintptr_t>(block) % 64 == 0;
  api.free(block);
  return accepted;
}

bool probe_bad_alignment(const SubjectApi& api) {
  for (const size_t alignment : kBadAlignments) {
    errno = 0;
    if (api.aligned_alloc(alignment, 240) != nullptr || errno != EINVAL) return false;
  }
  return true;
}

bool probe_memalign_errno(const SubjectApi& api) {
  void* out = nullptr;
  errno = kUntouched;
  if (api.posix_memalign(&out, 3, 8) == 0 || errno != kUntouched) return false;
  if (api.posix_memalign(&out, 64, kImpossibleSize) == 0 || errno != kUntouched) return false;
  return api.posix_memalign(&out, 64, kMoreThanTheKernelGives) != 0 && errno == kUntouched;
}

bool probe_memalign(const SubjectApi& api) {
  for (const size_t alignment : kBadAlignments) {
    errno = 0;
    if (api.memalign(alignment, 240) != nullptr || errno != EINVAL) return false;
  }
  return true;
}

// Of the functions that there are, each that is asked for the impossible says so in errno.
bool probe_extensions_errno(const SubjectApi& api) {
  bool any = false;
  const auto says_so = [&any](auto call) {
    any = true;
    errno = 0;
    return call() == nullptr && errno == ENOMEM;
  };
  if (api.zalloc != nullptr && !says_so([&] { return api.zalloc(kImpossibleSize); })) return false;
  if (api.mallocn != nullptr && !says_so([&] { return api.mallocn(kImpossibleSize, 2); })) return false;
  if (api.malloc_aligned != nullptr && !says_so([&] { return api.malloc_aligned(kImpossibleSize, 64); })) return false;
  return any;
}

bool probe_extensions_bad_alignment(const SubjectApi& api) {
  for (const size_t alignment : kBadAlignments) {
    if (api.malloc_aligned(240, alignment) != nullptr) return false;
    if (api.realloc_aligned != nullptr && api.realloc_aligned(nullptr, 240, alignment) != nullptr) return false;
  }
  return true;
}

bool probe_extensions_any_alignment(const SubjectApi& api) {
  constexpr size_t kLarge = size_t{1} << 30;
  constexpr size_t kOffset = 24;
  for (size_t alignment = 16; alignment <= kLarge; alignment *= 2) {
    void* block = api.malloc_aligned_at(100, alignment, kOffset);
    if (block == nullptr || (reinterpret_cast<uintptr_t>(block) + kOffset) % alignment != 0) return false;
    api.free(block);
  }
  return true;
}

bool probe_good_size(const SubjectApi& api) {
  for (const size_t size : {1, 8, 40, 100, 1000, 5000, 20'000, 100'000, 300'000, 700'000, 5'000'000, 50'000'000}) {
    void* block = api.malloc(size);
    if (block == nullptr || api.usable_size(block) != api.good_size(size)) return false;
    api.free(block);
  }
  return true;
}

bool probe_expand(const SubjectApi& api) {
  void* block = api.malloc(100);
  return block != nullptr && api.expand(block, api.usable_size(block)) == block;
}

bool probe_reallocarr_errno(const SubjectApi& api) {
  void* block = nullptr;
  errno = kUntouched;
  return api.reallocarr(&block, kImpossibleSize, 2) != 0 && errno == kUntouched;
}

// Whether there is a block at all; that two of them differ is an oracle's business.
bool probe_zero_size(const SubjectApi& api) {
  void* block = api.malloc(0);
  api.free(block);
  return block != nullptr;
}

// Writes each answer as soon as it is there, the riskiest question last.
void probe_all(const SubjectApi& api, Promises& answers) {
  answers.zero_size_unique = probe_zero_size(api);
  if (api.posix_memalign != nullptr) answers.memalign_rejects_without_errno = probe_memalign_errno(api);
  if (api.aligned_alloc != nullptr) {
    answers.aligned_alloc_any_size = probe_any_size(api);
    answers.aligned_alloc_rejects_bad_alignment = probe_bad_alignment(api);
  }
  if (api.memalign != nullptr) answers.memalign_rejects_bad_alignment = probe_memalign(api);
  if (api.realloc != nullptr) answers.realloc_zero = probe_realloc_zero(api);
  answers.extensions_set_errno = probe_extensions_errno(api);
  if (api.usable_size != nullptr && api.good_size != nullptr) answers.good_size_exact = probe_good_size(api);
  if (api.usable_size != nullptr && api.expand != nullptr) answers.expands_to_usable = probe_expand(api);
  if (api.reallocarr != nullptr) answers.reallocarr_keeps_errno = probe_reallocarr_errno(api);
  if (api.malloc_aligned_at != nullptr) answers.extensions_any_alignment = probe_extensions_any_alignment(api);
  if (api.malloc_aligned != nullptr) answers.extensions_reject_bad_alignment = probe_extensions_bad_alignment(api);
}

}  // namespace

Promises probe_promises(const SubjectApi& api) {
  Promises unknown;
  unknown.zero_size_unique = false;
  void* shared = mmap(nullptr, sizeof(Promises), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return unknown;
  auto* answers = new (shared) Promises(unknown);
  const pid_t child = fork();
  if (child == 0) {
    become_quiet_child(kProbeSeconds);
    probe_all(api, *answers);
    _exit(0);
  }
  if (child > 0) {
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  const Promises result = *answers;
  munmap(shared, sizeof(Promises));
  return result;
}

}  // namespace assay
