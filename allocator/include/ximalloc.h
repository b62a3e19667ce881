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
#define XI_ALLOC_ALIGN(n) __attribute__((alloc_align(n)))
#define XI_NODISCARD __attribute__((warn_unused_result))
#else
#define XI_EXPORT
#define XI_MALLOC
#define XI_ALLOC_SIZE(n)
#define XI_ALLOC_SIZE2(n, m)
#define XI_ALLOC_ALIGN(n)
#define XI_NODISCARD
#endif

#if defined(__cplusplus)
#define XI_NOEXCEPT noexcept
extern "C" {
#else
#define XI_NOEXCEPT
#endif

/* --- Blocks of a size --- */

/* A block of at least `size` uninitialised bytes; for 0 a unique block of at least one byte. NULL with errno ENOMEM
 * when memory is exhausted or `size` exceeds PTRDIFF_MAX. C23 7.24.3.6. */
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_malloc(size_t size) XI_NOEXCEPT;

/* As xi_malloc, all `size` bytes zero. */
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_zalloc(size_t size) XI_NOEXCEPT;

/* A block for `count` objects of `size` bytes, all bytes zero. NULL with ENOMEM also when the product overflows.
 * C23 7.24.3.2. */
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE2(1, 2) void* xi_calloc(size_t count, size_t size) XI_NOEXCEPT;

/* As xi_calloc, the bytes uninitialised. */
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE2(1, 2) void* xi_mallocn(size_t count, size_t size) XI_NOEXCEPT;

/* As xi_malloc and xi_zalloc for a size that the caller knows to be at most XI_SMALL_SIZE_MAX; more is undefined
 * (asserted in flavours with assertions). */
#define XI_SMALL_SIZE_MAX 1024
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_malloc_small(size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_zalloc_small(size_t size) XI_NOEXCEPT;

/* --- Blocks that change their size --- */

/* A block of `size` bytes with the first min(old requested, size) bytes of `block`, which is freed; `block` NULL: as
 * xi_malloc(size). `size` 0: a minimal live block, the old one is freed. On failure NULL with ENOMEM, `block`
 * untouched. A `block` that is not from here is reported once on stderr: NULL with EINVAL. C23 7.24.3.7. All that
 * follow here treat `block` in the same way, unless they say otherwise. */
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE(2) void* xi_realloc(void* block, size_t size) XI_NOEXCEPT;

/* xi_realloc to count * size bytes; NULL with ENOMEM also when the product overflows. The first is mimalloc's name, the
 * second POSIX.1-2024's. */
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE2(2, 3) void* xi_reallocn(void* block, size_t count, size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE2(2, 3) void* xi_reallocarray(void* block, size_t count, size_t size) XI_NOEXCEPT;

/* xi_reallocarray of the block that `block_pointer`, a void**, leads to, which gets the new one. Returns 0, or ENOMEM
 * or EINVAL (also for NULL) with the block and the pointer untouched. errno is left alone. NetBSD reallocarr(3). */
XI_NODISCARD XI_EXPORT int xi_reallocarr(void* block_pointer, size_t count, size_t size) XI_NOEXCEPT;

/* As xi_realloc, but `block` is freed also when it fails. FreeBSD reallocf(3). */
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE(2) void* xi_reallocf(void* block, size_t size) XI_NOEXCEPT;

/* As xi_realloc to `size`, or count * size, bytes; bytes beyond the old size are zero. The block must come from a
 * function that zeroes (zalloc, calloc, rezalloc, recalloc and their aligned kin), and have been resized by such only:
 * of others the bytes from the old request to the old xi_usable_size are anything. What the caller himself wrote beyond
 * his request stays there. Also after the block had shrunk in place: what was cut off is zero when it comes back. */
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE(2) void* xi_rezalloc(void* block, size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE2(2, 3) void* xi_recalloc(void* block, size_t count, size_t size) XI_NOEXCEPT;

/* `block` when `size` bytes fit where it is, that is when size <= xi_usable_size(block), else NULL with ENOMEM. The
 * block is never moved or freed, and its bytes stay as they are. NULL with EINVAL for NULL and for what is not from
 * here. */
XI_EXPORT XI_ALLOC_SIZE(2) void* xi_expand(void* block, size_t size) XI_NOEXCEPT;

/* --- Aligned blocks --- */

/* A block of `size` bytes aligned to `alignment`, a power of two; `size` need not be a multiple of it. NULL with EINVAL
 * for an alignment that is no power of two, with ENOMEM as xi_malloc. C23 7.24.3.1. */
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(2)
    XI_ALLOC_ALIGN(1) void* xi_aligned_alloc(size_t alignment, size_t size) XI_NOEXCEPT;
/* The same under the name of memalign(3). */
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(2)
    XI_ALLOC_ALIGN(1) void* xi_memalign(size_t alignment, size_t size) XI_NOEXCEPT;

/* As xi_aligned_alloc into *out; returns 0, EINVAL (alignment no power of two, or no multiple of sizeof(void*)) or
 * ENOMEM. On error errno and *out are untouched. POSIX.1-2024 posix_memalign. */
XI_EXPORT int xi_posix_memalign(void** out, size_t alignment, size_t size) XI_NOEXCEPT;

/* Aligned to 4096; the second with `size` rounded up to a multiple of it. valloc(3). */
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_valloc(size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_pvalloc(size_t size) XI_NOEXCEPT;

/* As the functions above without "aligned", and the address is a multiple of `alignment`; with "_at" the address plus
 * `offset` is, for any offset, and the address itself may then be odd. NULL with EINVAL for an alignment that is no
 * power of two, which is looked at after a product that overflows. All of these blocks are freed, resized and measured
 * as any other. Resized by a function without `alignment` a block may lose it. */
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1)
    XI_ALLOC_ALIGN(2) void* xi_malloc_aligned(size_t size, size_t alignment) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_malloc_aligned_at(size_t size, size_t alignment,
                                                                             size_t offset) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1)
    XI_ALLOC_ALIGN(2) void* xi_zalloc_aligned(size_t size, size_t alignment) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_zalloc_aligned_at(size_t size, size_t alignment,
                                                                             size_t offset) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE2(1, 2)
    XI_ALLOC_ALIGN(3) void* xi_calloc_aligned(size_t count, size_t size, size_t alignment) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE2(1, 2) void* xi_calloc_aligned_at(size_t count, size_t size,
                                                                                 size_t alignment,
                                                                                 size_t offset) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE(2)
    XI_ALLOC_ALIGN(3) void* xi_realloc_aligned(void* block, size_t size, size_t alignment) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE(2) void* xi_realloc_aligned_at(void* block, size_t size, size_t alignment,
                                                                    size_t offset) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE(2)
    XI_ALLOC_ALIGN(3) void* xi_rezalloc_aligned(void* block, size_t size, size_t alignment) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE(2) void* xi_rezalloc_aligned_at(void* block, size_t size, size_t alignment,
                                                                     size_t offset) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE2(2, 3)
    XI_ALLOC_ALIGN(4) void* xi_recalloc_aligned(void* block, size_t count, size_t size, size_t alignment) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE2(2, 3) void* xi_recalloc_aligned_at(void* block, size_t count, size_t size,
                                                                         size_t alignment, size_t offset) XI_NOEXCEPT;
/* The last two under the names of Microsoft's C library. */
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE2(2, 3)
    XI_ALLOC_ALIGN(4) void* xi_aligned_recalloc(void* block, size_t count, size_t size, size_t alignment) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE2(2, 3) void* xi_aligned_offset_recalloc(void* block, size_t count, size_t size,
                                                                             size_t alignment,
                                                                             size_t offset) XI_NOEXCEPT;

/* --- Freeing --- */

/* Frees a block of this allocator; NULL is ignored. errno is kept (POSIX.1-2024 free). A pointer that is not from here
 * is reported once on stderr and ignored. */
XI_EXPORT void xi_free(void* block) XI_NOEXCEPT;
/* The same under the name of SunOS and old C libraries. */
XI_EXPORT void xi_cfree(void* block) XI_NOEXCEPT;

/* As xi_free for a caller who knows something of the block: that he asked for `size` bytes, for `alignment`, or for at
 * most XI_SMALL_SIZE_MAX (and got no more than that). What he says must be true: it is undefined otherwise, and
 * asserted in flavours with assertions. C23 7.24.3.4 free_sized, 7.24.3.5 free_aligned_sized. */
XI_EXPORT void xi_free_size(void* block, size_t size) XI_NOEXCEPT;
XI_EXPORT void xi_free_size_aligned(void* block, size_t size, size_t alignment) XI_NOEXCEPT;
XI_EXPORT void xi_free_aligned(void* block, size_t alignment) XI_NOEXCEPT;
XI_EXPORT void xi_free_small(void* block) XI_NOEXCEPT;

/* --- Sizes --- */

/* Bytes that the caller may use in `block`, at least what was requested and stable until it is freed or resized; 0 for
 * NULL, and for what is not from here, which is reported once on stderr. malloc_usable_size(3). */
XI_NODISCARD XI_EXPORT size_t xi_usable_size(const void* block) XI_NOEXCEPT;
/* The same under the name of macOS. */
XI_NODISCARD XI_EXPORT size_t xi_malloc_size(const void* block) XI_NOEXCEPT;

/* xi_usable_size of the block that xi_malloc(size) returns; `size` itself above PTRDIFF_MAX. The second is macOS's
 * name. */
XI_NODISCARD XI_EXPORT size_t xi_good_size(size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT size_t xi_malloc_good_size(size_t size) XI_NOEXCEPT;

/* As the functions without "u", and *block_size, unless `block_size` is NULL, becomes xi_usable_size of the block that
 * is returned (0 where none is), or that is about to be freed. *size_before is that of the old block, 0 for NULL. */
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_umalloc(size_t size, size_t* block_size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE2(1, 2) void* xi_ucalloc(size_t count, size_t size,
                                                                       size_t* block_size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE(2) void* xi_urealloc(void* block, size_t size, size_t* size_before,
                                                          size_t* size_after) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_umalloc_small(size_t size, size_t* block_size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_uzalloc_small(size_t size, size_t* block_size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1)
    XI_ALLOC_ALIGN(2) void* xi_umalloc_aligned(size_t size, size_t alignment, size_t* block_size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1)
    XI_ALLOC_ALIGN(2) void* xi_uzalloc_aligned(size_t size, size_t alignment, size_t* block_size) XI_NOEXCEPT;
XI_EXPORT void xi_ufree(void* block, size_t* block_size) XI_NOEXCEPT;

/* --- Strings --- */

/* A copy of the string, of its first `length` bytes at most and a terminating NUL. NULL with ENOMEM as xi_malloc, with
 * EINVAL for NULL. C23 7.26.2.6 strdup, 7.26.2.7 strndup. */
XI_NODISCARD XI_EXPORT XI_MALLOC char* xi_strdup(const char* string) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT XI_MALLOC char* xi_strndup(const char* string, size_t length) XI_NOEXCEPT;

/* The absolute path without links that `name` leads to: in `resolved`, which has room for PATH_MAX bytes, or where that
 * is NULL in a block. NULL with errno as POSIX.1-2024 realpath says. */
XI_NODISCARD XI_EXPORT char* xi_realpath(const char* name, char* resolved) XI_NOEXCEPT;

/* --- Whose memory an address is --- */

/* True when the address lies in a page of the calling thread's default heap, whether a live block is there or not. Any
 * address may be asked about. A page of a thread may become another's once it was full, or its thread has ended. */
XI_NODISCARD XI_EXPORT bool xi_check_owned(const void* pointer) XI_NOEXCEPT;

/* True when the address lies in memory that is this allocator's for blocks, free or not. Any address may be asked. */
XI_NODISCARD XI_EXPORT bool xi_is_in_heap_region(const void* pointer) XI_NOEXCEPT;

/* --- Arenas --- */

/* Address space that pages are made in. The allocator makes arenas when it needs them; these functions make more, which
 * stay as long as the process lives. An exclusive arena serves heaps that are made for it (xi_heap_new_in_arena), any
 * other arena all. There can be 256 of them beside the allocator's own. */
typedef struct xi_arena* xi_arena_id_t;

/* Reserves at least `size` bytes of address space. With `commit` the memory is accessible from the start, so that no
 * allocation from it needs the system again; with `allow_large` it is in pages of 2 MiB, where the system has some.
 * Returns 0; EINVAL for a size of 0; ENOMEM, also where option arena_limit does not allow it. errno is left alone.
 * *arena, unless `arena` is NULL, gets the arena, or NULL. The short form makes one that is not exclusive. */
XI_EXPORT int xi_reserve_os_memory(size_t size, bool commit, bool allow_large) XI_NOEXCEPT;
XI_EXPORT int xi_reserve_os_memory_ex(size_t size, bool commit, bool allow_large, bool exclusive,
                                      xi_arena_id_t* arena) XI_NOEXCEPT;

/* The allocator may use [start, start + size), which the program has mapped itself and leaves alone from here on, for
 * ever: of it the whole multiples of 64 KiB. It is private memory that can be read and written, or (`is_committed`
 * false) that mprotect makes so. Nothing else is taken for granted: unless `is_zero` its bytes may be anything, now and
 * after each time that they were given back to the system; with `is_large` it is never given back. `numa_node` is kept
 * for xi_arenas_print, -1: none. It does not count for option arena_limit. True; false with EINVAL when there is no
 * whole 64 KiB in it, or a part of it is the allocator's, with ENOMEM. *arena as above. */
XI_EXPORT bool xi_manage_os_memory(void* start, size_t size, bool is_committed, bool is_large, bool is_zero,
                                   int numa_node) XI_NOEXCEPT;
XI_EXPORT bool xi_manage_os_memory_ex(void* start, size_t size, bool is_committed, bool is_large, bool is_zero,
                                      int numa_node, bool exclusive, xi_arena_id_t* arena) XI_NOEXCEPT;

/* Reserves up to `pages` huge pages of 1 GiB, from one node if `numa_node` >= 0, as many as the system has and can give
 * within `timeout_ms` (0: however long it takes). They are accessible, and never given back. Returns 0 when there is at
 * least one, or `pages` is 0; else ENOMEM or ETIMEDOUT. _interleave takes them in equal parts from nodes 0 to
 * numa_nodes - 1 (0: from none in particular), and returns 0 when it has some. */
XI_EXPORT int xi_reserve_huge_os_pages_at(size_t pages, int numa_node, size_t timeout_ms) XI_NOEXCEPT;
XI_EXPORT int xi_reserve_huge_os_pages_at_ex(size_t pages, int numa_node, size_t timeout_ms, bool exclusive,
                                             xi_arena_id_t* arena) XI_NOEXCEPT;
XI_EXPORT int xi_reserve_huge_os_pages_interleave(size_t pages, size_t numa_nodes, size_t timeout_ms) XI_NOEXCEPT;
/* mimalloc's old name: no node; *reserved, unless `reserved` is NULL, gets the number of pages that there are now;
 * `timeout_seconds` may have a fraction. */
XI_EXPORT int xi_reserve_huge_os_pages(size_t pages, double timeout_seconds, size_t* reserved) XI_NOEXCEPT;

/* Where the arena lies, and in *size, unless `size` is NULL, how long it is; NULL and 0, with EINVAL, for what is no
 * arena. */
XI_NODISCARD XI_EXPORT void* xi_arena_area(xi_arena_id_t arena, size_t* size) XI_NOEXCEPT;

/* All arenas, one a line, where xi_register_output says. */
XI_EXPORT void xi_arenas_print(void) XI_NOEXCEPT;

/* --- Heaps --- */

/* A heap of the calling thread: its blocks are in pages of their own, and can be freed at once. Each thread has a first
 * one, made when it allocates, which xi_malloc and its kin use unless another was made the default. Blocks of a heap
 * are freed, measured and resized as any others, by any thread. */
typedef struct xi_heap xi_heap_t;

/* A new heap of the calling thread; NULL with ENOMEM. xi_heap_new_in_arena: one that allocates from this arena and from
 * nowhere else, whatever the size and alignment; when that is full each call is NULL with ENOMEM, at once. With
 * xi_heap_new_ex the heap has a tag from 0 to 255 (0 for all others), which a visit of blocks shows; without
 * `allow_destroy` xi_heap_destroy leaves its blocks as xi_heap_delete does; `arena` NULL: from anywhere. NULL with
 * EINVAL for another tag, for what is no arena, and in xi_heap_new_in_arena for NULL. */
XI_NODISCARD XI_EXPORT xi_heap_t* xi_heap_new(void) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT xi_heap_t* xi_heap_new_in_arena(xi_arena_id_t arena) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT xi_heap_t* xi_heap_new_ex(int tag, bool allow_destroy, xi_arena_id_t arena) XI_NOEXCEPT;

/* The heap ends. xi_heap_delete leaves its blocks as they are, as blocks of the calling thread's first heap (in an
 * exclusive arena, whose memory that does not allocate from, they come back one by one);
 * xi_heap_destroy frees them all: nobody may use or free one at the same time or later. A heap that was the default is
 * replaced by the first one. Legal for the heap's thread, and for any thread once that has ended; of another thread's
 * heap, of a thread's first heap and of one whose thread was lost in a fork nothing happens, with EPERM; of NULL, with
 * EINVAL. A heap that has ended must not be used again. */
XI_EXPORT void xi_heap_delete(xi_heap_t* heap) XI_NOEXCEPT;
XI_EXPORT void xi_heap_destroy(xi_heap_t* heap) XI_NOEXCEPT;

/* The calling thread's first heap, and its default heap; NULL with ENOMEM when there is no memory for one.
 * xi_heap_set_default returns the default that there was; NULL with EPERM for another thread's heap, EINVAL for NULL.
 */
XI_NODISCARD XI_EXPORT xi_heap_t* xi_heap_get_backing(void) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT xi_heap_t* xi_heap_get_default(void) XI_NOEXCEPT;
XI_EXPORT xi_heap_t* xi_heap_set_default(xi_heap_t* heap) XI_NOEXCEPT;

/* As xi_collect for one heap of the calling thread. */
XI_EXPORT void xi_heap_collect(xi_heap_t* heap, bool force) XI_NOEXCEPT;

/* As the functions without "heap", from `heap`. A resized block is `heap`'s afterwards, even if it was another's and
 * fits where it was. NULL with EPERM when `heap` is another thread's or its thread has ended, with EINVAL when it is
 * NULL. */
XI_NODISCARD XI_EXPORT void* xi_heap_malloc(xi_heap_t* heap, size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_zalloc(xi_heap_t* heap, size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_calloc(xi_heap_t* heap, size_t count, size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_mallocn(xi_heap_t* heap, size_t count, size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_malloc_small(xi_heap_t* heap, size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_zalloc_small(xi_heap_t* heap, size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_malloc_aligned(xi_heap_t* heap, size_t size, size_t alignment) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_malloc_aligned_at(xi_heap_t* heap, size_t size, size_t alignment,
                                                       size_t offset) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_zalloc_aligned(xi_heap_t* heap, size_t size, size_t alignment) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_zalloc_aligned_at(xi_heap_t* heap, size_t size, size_t alignment,
                                                       size_t offset) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_calloc_aligned(xi_heap_t* heap, size_t count, size_t size,
                                                    size_t alignment) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_calloc_aligned_at(xi_heap_t* heap, size_t count, size_t size, size_t alignment,
                                                       size_t offset) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_realloc(xi_heap_t* heap, void* block, size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_reallocn(xi_heap_t* heap, void* block, size_t count, size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_reallocf(xi_heap_t* heap, void* block, size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_rezalloc(xi_heap_t* heap, void* block, size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_recalloc(xi_heap_t* heap, void* block, size_t count, size_t size) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_realloc_aligned(xi_heap_t* heap, void* block, size_t size,
                                                     size_t alignment) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_realloc_aligned_at(xi_heap_t* heap, void* block, size_t size, size_t alignment,
                                                        size_t offset) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_rezalloc_aligned(xi_heap_t* heap, void* block, size_t size,
                                                      size_t alignment) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_rezalloc_aligned_at(xi_heap_t* heap, void* block, size_t size, size_t alignment,
                                                         size_t offset) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_recalloc_aligned(xi_heap_t* heap, void* block, size_t count, size_t size,
                                                      size_t alignment) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT void* xi_heap_recalloc_aligned_at(xi_heap_t* heap, void* block, size_t count, size_t size,
                                                         size_t alignment, size_t offset) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT char* xi_heap_strdup(xi_heap_t* heap, const char* string) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT char* xi_heap_strndup(xi_heap_t* heap, const char* string, size_t length) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT char* xi_heap_realpath(xi_heap_t* heap, const char* name, char* resolved) XI_NOEXCEPT;

/* As xi_new and xi_new_n from `heap`: without memory, or when the heap cannot be used, std::bad_alloc is thrown. */
XI_NODISCARD XI_EXPORT void* xi_heap_alloc_new(xi_heap_t* heap, size_t size);
XI_NODISCARD XI_EXPORT void* xi_heap_alloc_new_n(xi_heap_t* heap, size_t count, size_t size);

/* True when the address lies in a page of the heap, and when a block of the heap was handed out at the address. Any
 * thread may ask, about any address; false for NULL. */
XI_NODISCARD XI_EXPORT bool xi_heap_check_owned(xi_heap_t* heap, const void* pointer) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT bool xi_heap_contains_block(xi_heap_t* heap, const void* block) XI_NOEXCEPT;

/* A page as xi_heap_visit_blocks shows it: where its blocks begin, its bytes, how many blocks are in use, bytes of one,
 * the tag of its heap. */
typedef struct xi_heap_area {
  void* blocks;
  size_t reserved;
  size_t used;
  size_t block_size;
  int heap_tag;
} xi_heap_area_t;

/* Calls visitor(heap, area, NULL, 0, argument) for each page of a heap of the calling thread, and with `all_blocks`
 * after that visitor(heap, area, block, block size, argument) for each of its blocks that is in use, until one returns
 * false. True when all were visited. The visitor must not allocate from the heap, or free its blocks. A block that was
 * handed out inside of itself (alignment at an offset) is shown from its start. False with EPERM or EINVAL as above,
 * with EINVAL also for no visitor. */
typedef bool xi_block_visit_fun(const xi_heap_t* heap, const xi_heap_area_t* area, void* block, size_t block_size,
                                void* argument);
XI_EXPORT bool xi_heap_visit_blocks(const xi_heap_t* heap, bool all_blocks, xi_block_visit_fun* visitor,
                                    void* argument) XI_NOEXCEPT;

/* True when `block` is one of the heap (NULL: of the default one) in a page of which at most `percent` per cent are in
 * use and which is not the next to be allocated from: a copy of the block may let the page go. Any address may be asked
 * about; false with EPERM for another thread's heap. */
XI_NODISCARD XI_EXPORT bool xi_unsafe_heap_page_is_under_utilized(xi_heap_t* heap, void* block,
                                                                  size_t percent) XI_NOEXCEPT;

/* Each `rate`-th block of the heap (0: none), the first one after `seed` % `rate` others, is guarded: alone in a
 * mapping, up to the end of xi_usable_size, and what follows cannot be touched, nor the block once it is freed. Only
 * blocks of `smallest` to `largest` bytes are counted; over-aligned ones beyond 64 KiB, those at an offset and those of
 * a heap that is bound to an arena are not. Each costs 128 KiB of address space and two calls to the system. EPERM and
 * EINVAL as above. Options guarded_* say how a heap begins. */
XI_EXPORT void xi_heap_guarded_set_sample_rate(xi_heap_t* heap, size_t rate, size_t seed) XI_NOEXCEPT;
XI_EXPORT void xi_heap_guarded_set_size_bound(xi_heap_t* heap, size_t smallest, size_t largest) XI_NOEXCEPT;

/* --- Subprocesses --- */

/* Threads that take over what one another's ended threads have left, and nobody else's: one set for each interpreter
 * that a program runs, say. Everything else (arenas, frees from anywhere, xi_collect) is common to all. Threads belong
 * to the main one, unless they join another. */
typedef struct xi_subproc* xi_subproc_id_t;
XI_NODISCARD XI_EXPORT xi_subproc_id_t xi_subproc_main(void) XI_NOEXCEPT;

/* A new one, without threads; NULL with ENOMEM, also where there are 255 of them. */
XI_NODISCARD XI_EXPORT xi_subproc_id_t xi_subproc_new(void) XI_NOEXCEPT;

/* The calling thread, which must not have allocated yet, belongs to it until it ends (or to xi_thread_done); EBUSY when
 * it has a heap in another, EINVAL for what is no subprocess, ENOMEM when there is no memory for a heap: then nothing
 * happens. */
XI_EXPORT void xi_subproc_add_current_thread(xi_subproc_id_t subprocess) XI_NOEXCEPT;

/* It ends; what its threads have left becomes the main one's, the heaps that they have made too. While it has a thread
 * that has allocated and has not ended, and of the main one, nothing happens, with EBUSY; of what is none, with EINVAL.
 * One that has ended must not be used again. */
XI_EXPORT void xi_subproc_delete(xi_subproc_id_t subprocess) XI_NOEXCEPT;

/* xi_heap_visit_blocks of what the ended threads of a subprocess have left and nobody has taken over: `heap` is NULL in
 * their own pages, and else the heap that they had made; with `heap_tag` >= 0 only pages with this tag are visited. For
 * any thread; it may allocate and free meanwhile, but no thread may end one of these heaps. What threads had that
 * were lost in a fork is not visited. False with EINVAL for what is no subprocess, a tag above 255 and no visitor. */
XI_EXPORT bool xi_abandoned_visit_blocks(xi_subproc_id_t subprocess, int heap_tag, bool all_blocks,
                                         xi_block_visit_fun* visitor, void* argument) XI_NOEXCEPT;

/* --- Options --- */

/* What can be set, by a variable of the environment when the process starts or by xi_option_set at any time. A variable
 * that has no usable value, or whose name begins with XIMALLOC_ and belongs to no option, is named on stderr and
 * ignored. xi_options_print and docs/options.md tell ranges and defaults. */
typedef enum xi_option {
  xi_option_purge_delay,         /* XIMALLOC_PURGE_DELAY */
  xi_option_purge_decommits,     /* XIMALLOC_PURGE_DECOMMITS */
  xi_option_arena_reserve,       /* XIMALLOC_ARENA_RESERVE */
  xi_option_arena_limit,         /* XIMALLOC_ARENA_LIMIT */
  xi_option_retire_ticks,        /* XIMALLOC_RETIRE_TICKS */
  xi_option_reclaim_on_free,     /* XIMALLOC_RECLAIM_ON_FREE */
  xi_option_warnings,            /* XIMALLOC_WARNINGS */
  xi_option_fill,                /* XIMALLOC_FILL */
  xi_option_page_purge_delay,    /* XIMALLOC_PAGE_PURGE_DELAY */
  xi_option_background_purge,    /* XIMALLOC_BACKGROUND_PURGE */
  xi_option_guarded_sample_rate, /* XIMALLOC_GUARDED_SAMPLE_RATE */
  xi_option_guarded_sample_seed, /* XIMALLOC_GUARDED_SAMPLE_SEED */
  xi_option_guarded_min,         /* XIMALLOC_GUARDED_MIN */
  xi_option_guarded_max,         /* XIMALLOC_GUARDED_MAX */
  xi_option_profile_interval,    /* XIMALLOC_PROFILE_INTERVAL */
  xi_option_profile_at_exit,     /* XIMALLOC_PROFILE_AT_EXIT */
  xi_option_count
} xi_option_t;

/* The value; xi_option_get_clamp brings it between `smallest` and `largest`, xi_option_get_size takes a negative one
 * for 0, xi_option_is_enabled tells whether it is not 0. Of an option that does not exist 0 (false), with EINVAL. */
XI_NODISCARD XI_EXPORT long xi_option_get(xi_option_t option) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT long xi_option_get_clamp(xi_option_t option, long smallest, long largest) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT size_t xi_option_get_size(xi_option_t option) XI_NOEXCEPT;
XI_NODISCARD XI_EXPORT bool xi_option_is_enabled(xi_option_t option) XI_NOEXCEPT;

/* Sets an option from now on, for all threads. A value out of range is named on stderr and the option stays as it is,
 * with errno EINVAL; so is an option that does not exist, silently. enable and disable set 1 and 0. The functions with
 * "default" change nothing where the environment or one of the others has set the option. */
XI_EXPORT void xi_option_set(xi_option_t option, long value) XI_NOEXCEPT;
XI_EXPORT void xi_option_set_default(xi_option_t option, long value) XI_NOEXCEPT;
XI_EXPORT void xi_option_enable(xi_option_t option) XI_NOEXCEPT;
XI_EXPORT void xi_option_disable(xi_option_t option) XI_NOEXCEPT;
XI_EXPORT void xi_option_set_enabled(xi_option_t option, bool enable) XI_NOEXCEPT;
XI_EXPORT void xi_option_set_enabled_default(xi_option_t option, bool enable) XI_NOEXCEPT;

/* Its name, as docs/options.md has it; NULL with EINVAL for what does not exist. */
XI_NODISCARD XI_EXPORT const char* xi_option_name(xi_option_t option) XI_NOEXCEPT;

/* All options with their values on stderr, one a line. */
XI_EXPORT void xi_options_print(void) XI_NOEXCEPT;

/* --- The allocator as a whole --- */

/* Returns free memory to the operating system: what the calling thread, abandoned pages and arenas hold. With `force`
 * purge delays are not waited for. Other live threads follow at their next slow path. */
XI_EXPORT void xi_collect(bool force) XI_NOEXCEPT;

/* As xi_collect(true), and pages of the calling thread's first heap, which others may then take over, are left until at
 * most `target` bytes of pages with room are its own. */
XI_EXPORT void xi_collect_reduce(size_t target) XI_NOEXCEPT;

/* As xi_collect(true); 1 when memory was given back, else 0. `pad` is ignored. malloc_trim(3). */
XI_EXPORT int xi_malloc_trim(size_t pad) XI_NOEXCEPT;

/* --- Statistics --- */

/* Where text goes; registered: everything that the allocator has to say but its last words, NULL: to stderr. Called on
 * any thread; it may allocate. While it is registered no other thread may have something to say. */
typedef void xi_output_fun(const char* text, void* argument);
XI_EXPORT void xi_register_output(xi_output_fun* function, void* argument) XI_NOEXCEPT;

/* One line a statistic: its name, what there is now, the most there was, all that was ever added. xi_stats_print
 * ignores its argument and writes to stderr. live_blocks and live_bytes are counted in flavours with assertions only;
 * walked_blocks and walked_bytes, in all, are what the pages of the calling thread's heaps and those that ended threads
 * of its subprocess have left say now: exact, and what other live threads have is not in it. */
XI_EXPORT void xi_stats_print(void* ignored) XI_NOEXCEPT;
XI_EXPORT void xi_stats_print_out(xi_output_fun* out, void* argument) XI_NOEXCEPT;

/* The calling thread's own pages that have room, the blocks in them, and how often it took a slow path. */
XI_EXPORT void xi_thread_stats_print_out(xi_output_fun* out, void* argument) XI_NOEXCEPT;

/* The statistics as one JSON object, {"version":…, NAME:{"now":…,"peak":…,"total":…}, …}, into `text` of `size` bytes,
 * cut off where it ends. Returns the length of the whole, without the NUL; `text` may be NULL. */
XI_EXPORT size_t xi_stats_get_json(size_t size, char* text) XI_NOEXCEPT;

/* Peaks and totals begin anew from what there is now. The other adds what the calling thread has counted on its own to
 * the process's figures, where it is shown anyway. */
XI_EXPORT void xi_stats_reset(void) XI_NOEXCEPT;
XI_EXPORT void xi_stats_merge(void) XI_NOEXCEPT;

/* Milliseconds since the process started and of its processor time, resident bytes and their peak, committed bytes of
 * arenas and their peak, page faults that needed input or output. Any pointer may be NULL. */
XI_EXPORT void xi_process_info(size_t* elapsed_ms, size_t* user_ms, size_t* system_ms, size_t* current_rss,
                               size_t* peak_rss, size_t* current_commit, size_t* peak_commit,
                               size_t* page_faults) XI_NOEXCEPT;

/* --- Heap profile --- */

/* While option profile_interval is not 0 a block is sampled each so many bytes; here is what is in use of these blocks,
 * and who called for them, in the text form that jeprof and pprof read (they scale it up): to `out`, or as a new file;
 * 0 or an errno value. Threads begin to sample at their next slow path, after at most 512 free lists. */
XI_EXPORT void xi_profile_print_out(xi_output_fun* out, void* argument) XI_NOEXCEPT;
XI_EXPORT int xi_profile_dump(const char* path) XI_NOEXCEPT;

/* --- Functions of the program --- */

/* Called with the errno value for each call that fails, before errno is set; NULL: none. */
typedef void xi_error_fun(int error, void* argument);
XI_EXPORT void xi_register_error(xi_error_fun* function, void* argument) XI_NOEXCEPT;

/* Called on slow paths of allocation and by xi_collect, on the thread that is there, never inside itself: a place to
 * free what was put off, bounded by the caller. `heartbeat` counts the thread's slow paths. NULL: none. */
typedef void xi_deferred_free_fun(bool force, unsigned long long heartbeat, void* argument);
XI_EXPORT void xi_register_deferred_free(xi_deferred_free_fun* function, void* argument) XI_NOEXCEPT;

/* --- Process and threads --- */

/* None of these need be called. init reads the options now, and makes the thread's heap now. xi_process_done gives free
 * memory back; the allocator can be used after it. xi_thread_done leaves the thread's pages to others, as its end does;
 * its next allocation makes a new heap. */
XI_EXPORT void xi_process_init(void) XI_NOEXCEPT;
XI_EXPORT void xi_process_done(void) XI_NOEXCEPT;
XI_EXPORT void xi_thread_init(void) XI_NOEXCEPT;
XI_EXPORT void xi_thread_done(void) XI_NOEXCEPT;

/* --- What operator new does --- */

/* As xi_malloc and its kin, but where there is no memory std::get_new_handler()'s function is called and the call tried
 * again. Without a handler std::bad_alloc is thrown, the process is aborted where there is no C++ library, and the
 * functions with "nothrow" return NULL with ENOMEM. A product that overflows throws at once. C++23 [new.delete.single].
 */
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_new(size_t size);
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE2(1, 2) void* xi_new_n(size_t count, size_t size);
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) void* xi_new_nothrow(size_t size);
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1) XI_ALLOC_ALIGN(2) void* xi_new_aligned(size_t size, size_t alignment);
XI_NODISCARD XI_EXPORT XI_MALLOC XI_ALLOC_SIZE(1)
    XI_ALLOC_ALIGN(2) void* xi_new_aligned_nothrow(size_t size, size_t alignment);
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE(2) void* xi_new_realloc(void* block, size_t size);
XI_NODISCARD XI_EXPORT XI_ALLOC_SIZE2(2, 3) void* xi_new_reallocn(void* block, size_t count, size_t size);

/* Version as 10000 * major + 100 * minor + patch: of the library, and of this header. */
#define XI_VERSION 100
XI_EXPORT int xi_version(void) XI_NOEXCEPT;

#if defined(__cplusplus)
}
#endif
#endif /* XIMALLOC_H */
