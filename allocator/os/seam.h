// The failpoint seam: in the test flavours every call to the operating system passes here first. It asks the tester's
// hook, enforces the caps that keep the host's memory from deciding an outcome, and takes all addresses from one region
// at a fixed base, so that the same calls get the same addresses. Exists only under XIMALLOC_TEST_SEAMS.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/os/calls.h"

namespace xi::os {

// The same calls, in the same order, as xi_os_kind_t of the public header.
enum class Call : int { kMmap, kMunmap, kMprotect, kMadvise, kKeyCreate, kGetrandom, kProcessMadvise };

struct SeamCall {
  Call kind;
  void* address;
  size_t size;
  size_t alignment;
  Protection access;
  Purpose purpose;
  bool known;
  CallSite site;
};

// Answers of a hook that are no errno value; the same as in the public header.
inline constexpr int kUnaligned = -1;
inline constexpr int kHigh = -2;
inline constexpr int kDirty = -3;

struct SeamHook {
  int (*before)(const SeamCall& call) = nullptr;  // 0, the errno value that the call fails with, or one of these
  void (*after)(const SeamCall& call, void* address) = nullptr;
};

// All mapped address space, and all committed memory, that one program may have.
inline constexpr uint64_t kSeamMappedCap = uint64_t{1} << 40;
inline constexpr uint64_t kSeamCommittedCap = uint64_t{4} << 30;

void set_seam_hook(const SeamHook& hook);

// Asks the hook about a call that is not about memory: 0 or an errno value.
int seam_refuses(Call kind, CallSite site = CallSite::here());

struct SeamFootprint {
  uint64_t mapped_bytes;
  uint64_t committed_bytes;
};
SeamFootprint seam_footprint();  // of blocks, without metadata
bool seam_is_committed(uintptr_t address, size_t size);
// Whether the range is a part of one mapping for blocks.
bool seam_is_for_blocks(uintptr_t address, size_t size);
bool seam_addresses_are_fixed();

// Memory as a program maps it for itself, in the seam's region: with `access` readable and writable. 0 or an errno
// value; a reset takes it back.
int seam_map_for_program(size_t size, bool access, void** out);

// Everything unmapped, as before the first call.
void reset_seam();
// The first address that a reset left behind with something other than zeros, or 0.
uintptr_t seam_first_dirty();

// The lock of the seam's tables, for fork handlers.
void lock_seam();
void unlock_seam();

}  // namespace xi::os
