/* ximalloc: a general-purpose memory allocator for 64-bit Linux. C interface.
 *
 * Every function may be called from any thread at any time, also from thread-exit handlers and in a child after fork.
 * Sizes and alignments are in bytes. A block of `size` bytes is aligned to min(16, the largest power of two <= size) or
 * better. "C23 7.24.3" and "POSIX.1-2024" name the clause that a function follows. */
#ifndef XIMALLOC_H
#define XIMALLOC_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__GNUC__)
#define XI_EXPORT __attribute__((visibility("default")))
#define XI_MALLOC __attribute__((malloc))
#define XI_ALLOC_SIZE(n) __attribute__((alloc_size(n)))
#define XI_ALLOC_SIZE2(n, m) __attribute__((alloc_size(n, m)))
#define XI_NODISCARD __attribute__((warn_unused_result))
#else
#define XI_EXPORT
#define XI_MALLOC
#define XI_ALLOC_SIZE(n)
#define XI_ALLOC_SIZE2(n, m)
#define XI_NODISCARD
#endif

#if defined(__cplusplus)
#define XI_NOEXCEPT noexcept
extern "C" {
#else
#define XI_NOEXCEPT
#endif

/* A block of at least `size` uninitialised bytes; for 0 a unique block of at least one byte. NULL with errno ENOMEM
 * when memory is exhausted or `size` exceeds PTRDIFF_MAX. C23 7.24.3.6. */
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_malloc(size_t size) XI_NOEXCEPT;

/* A block for `count` objects of `size` bytes, all bytes zero. NULL with ENOMEM also when the product overflows.
 * C23 7.24.3.2. */
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE2(1, 2) void* xi_calloc(size_t count, size_t size) XI_NOEXCEPT;

/* A block of `size` bytes with the first min(old requested, size) bytes of `block`, which is freed; `block` NULL: as
 * xi_malloc(size). `size` 0: a minimal live block, the old one is freed. On failure NULL with ENOMEM, `block`
 * untouched. C23 7.24.3.7. */
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE(2) void* xi_realloc(void* block, size_t size) XI_NOEXCEPT;

/* A block of `size` bytes aligned to `alignment`, a power of two; `size` need not be a multiple of it. NULL with EINVAL
 * for an alignment that is no power of two, with ENOMEM as xi_malloc. C23 7.24.3.1. */
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(2) void* xi_aligned_alloc(size_t alignment, size_t size) XI_NOEXCEPT;

/* As xi_aligned_alloc into *out; returns 0, EINVAL (alignment no power of two, or no multiple of sizeof(void*)) or
 * ENOMEM. On error errno and *out are untouched. POSIX.1-2024 posix_memalign. */
XI_EXPORT int xi_posix_memalign(void** out, size_t alignment, size_t size) XI_NOEXCEPT;

/* Frees a block of this allocator; NULL is ignored. errno is kept (POSIX.1-2024 free). A pointer that is not from here
 * is reported once on stderr and ignored. */
XI_EXPORT void xi_free(void* block) XI_NOEXCEPT;

/* Bytes that the caller may use in `block`, at least what was requested and stable until it is freed; 0 for NULL. */
XI_NODISCARD XI_EXPORT size_t xi_usable_size(const void* block) XI_NOEXCEPT;

/* Returns free memory to the operating system: what the calling thread, abandoned pages and arenas hold. With `force`
 * purge delays are not waited for. Other live threads follow at their next slow path. */
XI_EXPORT void xi_collect(bool force) XI_NOEXCEPT;

/* As xi_collect(true); 1 when memory was given back, else 0. `pad` is ignored. malloc_trim(3). */
XI_EXPORT int xi_malloc_trim(size_t pad) XI_NOEXCEPT;

/* Version as 10000 * major + 100 * minor + patch. */
XI_EXPORT int xi_version(void) XI_NOEXCEPT;

#if defined(__cplusplus)
}
#endif
#endif /* XIMALLOC_H */
