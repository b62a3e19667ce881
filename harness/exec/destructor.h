// Going on in a destructor of thread-local storage: code runs there when its thread has left its body and is about to
// end, before the subject's own destructor, or after it, when the subject has to begin once more for a thread whose end
// it has been told of.
#pragma once

namespace assay {

// A thread may go on so three times. The C library gives destructors four rounds; the last is the subject's.
inline constexpr int kDestructorRounds = 3;

// Whether the calling thread has a round left.
bool has_destructor_round();

// Whether the calling thread has come to one, or will before it ends.
bool in_destructor();

// Has `body` called with `argument` on the calling thread in the next round of its destructors, after the thread's own
// body, or the destructor that it is in now, has returned. Needs has_destructor_round().
void go_on_in_destructor(void (*body)(void*), void* argument);

}  // namespace assay
