/* Patterns of servers: threads that come and go, and hand blocks to each other. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "workload.h"

enum {
  kGenerations = 50,
  kLarsonSlots = 1000,
  kBatch = 64,
  kQueued = 32, /* batches that wait at most */
  kScratchWrites = 100,
  kStressSlots = 64,
  kTransfers = 1000,
};

struct generation {
  uint64_t operations; /* of each thread */
  uint64_t threads;
  uint64_t round;
};

static char* larson_slots[kMaxThreads][kLarsonSlots];

static void larson_thread(void* context, uint64_t index) {
  const struct generation* generation = context;
  /* A thread goes on with the blocks of another of the generation before. */
  char** slots = larson_slots[(index + generation->round) % generation->threads];
  uint64_t state = seed_of(index, generation->round);
  for (uint64_t i = 0; i < generation->operations; ++i) {
    const uint64_t random = next_random(&state);
    char** slot = &slots[random % kLarsonSlots];
    free(*slot);
    *slot = filled(8 + (random >> 32) % 993, i);
  }
}

void larson(uint64_t operations, uint64_t threads) {
  for (uint64_t round = 0; round < kGenerations; ++round) {
    struct generation generation = {operations / threads / kGenerations, threads, round};
    run_threads(threads, larson_thread, &generation);
  }
  for (uint64_t i = 0; i < threads; ++i) {
    for (size_t slot = 0; slot < kLarsonSlots; ++slot) free(larson_slots[i][slot]);
  }
}

struct batch {
  struct batch* next;
  char* blocks[kBatch];
};

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct batch* first;
  uint64_t queued, producers;
} queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0, 0};

static void produce(uint64_t batches, uint64_t seed) {
  for (uint64_t i = 0; i < batches; ++i) {
    struct batch* batch = malloc(sizeof *batch);
    if (!batch) fail("out of memory");
    for (size_t k = 0; k < kBatch; ++k) batch->blocks[k] = filled(8 + next_random(&seed) % 505, k);
    pthread_mutex_lock(&queue.lock);
    while (queue.queued >= kQueued) pthread_cond_wait(&queue.changed, &queue.lock);
    batch->next = queue.first;
    queue.first = batch;
    ++queue.queued;
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
  }
  pthread_mutex_lock(&queue.lock);
  --queue.producers;
  pthread_cond_broadcast(&queue.changed);
  pthread_mutex_unlock(&queue.lock);
}

static void consume(void) {
  for (;;) {
    pthread_mutex_lock(&queue.lock);
    while (!queue.first && queue.producers) pthread_cond_wait(&queue.changed, &queue.lock);
    struct batch* batch = queue.first;
    if (batch) {
      queue.first = batch->next;
      --queue.queued;
      pthread_cond_broadcast(&queue.changed);
    }
    pthread_mutex_unlock(&queue.lock);
    if (!batch) return;
    for (size_t k = 0; k < kBatch; ++k) free(batch->blocks[k]);
    free(batch);
  }
}

static void xmalloc_thread(void* context, uint64_t index) {
  const struct generation* generation = context;
  if (index < generation->threads / 2) {
    produce(generation->operations / kBatch, seed_of(index, 0));
  } else {
    consume();
  }
}

void xmalloc(uint64_t operations, uint64_t threads) {
  queue.producers = threads / 2;
  struct generation generation = {operations / queue.producers, threads, 0};
  run_threads(threads, xmalloc_thread, &generation);
}

static char* scratch[kMaxThreads];

static void scratch_thread(void* context, uint64_t index) {
  const struct generation* generation = context;
  free(scratch[index]);
  for (uint64_t i = 0; i < generation->operations; ++i) {
    char* volatile block = filled(8, i);
    for (int k = 0; k < kScratchWrites; ++k) ++*(volatile char*)block;
    free(block);
  }
}

void cache_scratch(uint64_t operations, uint64_t threads) {
  for (uint64_t i = 0; i < threads; ++i) scratch[i] = filled(8, i);
  struct generation generation = {operations / threads, threads, 0};
  run_threads(threads, scratch_thread, &generation);
}

static _Atomic(char*) transfers[kTransfers];

static void stress_thread(void* context, uint64_t index) {
  const struct generation* generation = context;
  char* slots[kStressSlots] = {NULL};
  uint64_t state = seed_of(index, generation->round);
  for (uint64_t i = 0; i < generation->operations; ++i) {
    const uint64_t random = next_random(&state);
    char** slot = &slots[random % kStressSlots];
    if (random >> 62 == 0) {
      *slot = atomic_exchange(&transfers[(random >> 8) % kTransfers], *slot);
    } else {
      /* One block in 256 is of up to 64 KiB. */
      const size_t most = (random >> 20) % 256 == 0 ? 65536 : 512;
      free(*slot);
      *slot = filled(8 + (random >> 32) % most, i);
    }
  }
  /* Half of what it holds at its end stays with the others. */
  for (size_t k = 0; k < kStressSlots; ++k) {
    if (k % 2 == 0) slots[k] = atomic_exchange(&transfers[next_random(&state) % kTransfers], slots[k]);
    free(slots[k]);
  }
}

void mstress(uint64_t operations, uint64_t threads) {
  for (uint64_t round = 0; round < kGenerations; ++round) {
    struct generation generation = {operations / threads / kGenerations, threads, round};
    run_threads(threads, stress_thread, &generation);
  }
  for (size_t k = 0; k < kTransfers; ++k) free(atomic_exchange(&transfers[k], NULL));
}
