#include "harness/exec/destructor.h"

#include <pthread.h>

namespace assay {
namespace {

struct Continuation {
  void (*body)(void*) = nullptr;
  void* argument = nullptr;
  int rounds = 0;
};
thread_local Continuation continuation;

void go_on(void*) {
  const Continuation now = continuation;
  now.body(now.argument);
}

pthread_key_t make_key() {
  pthread_key_t key{};
  pthread_key_create(&key, go_on);
  return key;
}

// Made before main, so that the order of the destructors of one round, which is that of the keys, does not depend on
// which programs ran before: this one comes first, and from the second round on the subject's has run before it.
const pthread_key_t key = make_key();

}  // namespace

bool has_destructor_round() {
  return continuation.rounds < kDestructorRounds;
}

bool in_destructor() {
  return continuation.rounds > 0;
}

void go_on_in_destructor(void (*body)(void*), void* argument) {
  continuation = {body, argument, continuation.rounds + 1};
  pthread_setspecific(key, &continuation);
}

}  // namespace assay
