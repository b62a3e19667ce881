/* Patterns of shared structures: what one thread has allocated another one frees. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "workload.h"

enum {
  kBuckets = 128,
  kNodes = 4,
  kSnapshots = 12,
  kBuffers = 16,
  kFirstBuffer = 64,
  kLastBuffer = 65536,
  kStormNodes = 10,
};

struct path {
  _Atomic unsigned holders;
  char* nodes[kNodes];
};

static struct {
  pthread_mutex_t lock;
  struct path* path;
} trie[kBuckets];

static struct path* new_path(uint64_t* state) {
  struct path* path = malloc(sizeof *path);
  if (!path) fail("out of memory");
  atomic_init(&path->holders, 1);
  for (size_t i = 0; i < kNodes; ++i) path->nodes[i] = filled(88 + next_random(state) % 113, i);
  return path;
}

static void drop(struct path* path) {
  if (!path || atomic_fetch_sub(&path->holders, 1) != 1) return;
  for (size_t i = 0; i < kNodes; ++i) free(path->nodes[i]);
  free(path);
}

struct share {
  uint64_t operations; /* of each thread */
};

static void trie_thread(void* context, uint64_t index) {
  const struct share* share = context;
  struct path* snapshots[kSnapshots] = {NULL};
  uint64_t state = seed_of(index, 0);
  for (uint64_t i = 0; i < share->operations; ++i) {
    const uint64_t random = next_random(&state);
    const size_t bucket = random % kBuckets;
    struct path* dropped;
    if (random >> 63) {
      struct path* written = new_path(&state);
      pthread_mutex_lock(&trie[bucket].lock);
      dropped = trie[bucket].path;
      trie[bucket].path = written;
      pthread_mutex_unlock(&trie[bucket].lock);
    } else {
      pthread_mutex_lock(&trie[bucket].lock);
      struct path* snapshot = trie[bucket].path;
      if (snapshot) atomic_fetch_add(&snapshot->holders, 1);
      pthread_mutex_unlock(&trie[bucket].lock);
      dropped = snapshots[i % kSnapshots];
      snapshots[i % kSnapshots] = snapshot;
    }
    drop(dropped);
  }
  for (size_t i = 0; i < kSnapshots; ++i) drop(snapshots[i]);
}

void cow_trie(uint64_t operations, uint64_t threads) {
  for (size_t i = 0; i < kBuckets; ++i) pthread_mutex_init(&trie[i].lock, NULL);
  struct share share = {operations / threads};
  run_threads(threads, trie_thread, &share);
  for (size_t i = 0; i < kBuckets; ++i) drop(trie[i].path);
}

static char* buffers[kMaxThreads][kBuffers];

static void bulk_thread(void* context, uint64_t index) {
  (void)context;
  for (size_t i = 0; i < kBuffers; ++i) {
    char* buffer = filled(kFirstBuffer, i);
    for (size_t size = 2 * kFirstBuffer; size <= kLastBuffer; size *= 2) {
      buffer = realloc(buffer, size);
      if (!buffer) fail("out of memory");
      for (size_t at = size / 2; at < size; at += 64) buffer[at] = (char)at;
    }
    buffers[index][i] = buffer;
  }
}

void bulk_two_phase(uint64_t operations, uint64_t threads) {
  for (uint64_t done = 0; done < operations; done += threads * kBuffers) {
    run_threads(threads, bulk_thread, NULL);
    for (uint64_t i = 0; i < threads; ++i) {
      for (size_t k = 0; k < kBuffers; ++k) free(buffers[i][k]);
    }
  }
}

static void storm_thread(void* context, uint64_t index) {
  uint64_t state = seed_of(index, 0);
  pthread_barrier_wait(context);
  char* root = filled(32, index);
  char* nodes[kStormNodes];
  for (size_t i = 0; i < kStormNodes; ++i) nodes[i] = filled(88 + next_random(&state) % 113, i);
  for (size_t i = 0; i < kStormNodes; ++i) free(nodes[i]);
  free(root);
}

void trie_storm(uint64_t operations, uint64_t threads) {
  pthread_barrier_t all;
  if (pthread_barrier_init(&all, NULL, (unsigned)threads)) fail("no barrier");
  for (uint64_t done = 0; done < operations; done += threads * (1 + kStormNodes)) {
    run_threads(threads, storm_thread, &all);
  }
  pthread_barrier_destroy(&all);
}
