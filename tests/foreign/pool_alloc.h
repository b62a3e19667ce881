// A small allocator of a foreign style: pools, sizes that the caller keeps, errors as return values. One thread at a
// time. An example for docs/adding_an_allocator.md.
#pragma once

#include <stddef.h>

typedef struct pool pool_t;

enum pool_status { POOL_OK = 0, POOL_NO_MEMORY = 1, POOL_TOO_LARGE = 2 };

// Null when the system has no memory.
pool_t* pool_create(void);
// A block of `size` bytes at a multiple of 16.
enum pool_status pool_get(pool_t* pool, size_t size, void** block);
// `size` is what pool_get() was asked for.
void pool_put(pool_t* pool, void* block, size_t size);
