/* What the named patterns share. A pattern takes its number of operations in all and the number after its name. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef void pattern(uint64_t operations, uint64_t number);

/* single.c */
pattern pairs, mixed, swiss_cheese;
/* servers.c */
pattern larson, xmalloc, cache_scratch, mstress;
/* sharing.c */
pattern cow_trie, bulk_two_phase, trie_storm;

enum { kMaxThreads = 1024 };

/* A step of xorshift64; the state is not 0. */
static inline uint64_t next_random(uint64_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* The state that thread `index` of generation `round` begins with: never 0, and no two alike. */
static inline uint64_t seed_of(uint64_t index, uint64_t round) {
  return 0x9e3779b97f4a7c15u ^ (round << 20) ^ (index + 1);
}

/* Ends the program with status 1 and a line that says what is missing. */
_Noreturn void fail(const char* what);

/* malloc with the first and the last byte written; a refusal ends the program. The size is at least 1. */
char* filled(size_t size, uint64_t value);

/* Runs body(context, 0 … threads - 1), each on a thread of its own with a stack of 64 KiB, and joins them all. */
void run_threads(uint64_t threads, void (*body)(void* context, uint64_t index), void* context);
