// The system calls of a subject that has no seam of its own: the kernel catches them all (failpoints/syscall_trap.h),
// and those count that a thread makes between two marks, while it is inside of the subject.
#pragma once

#include "harness/subject/subject.h"

namespace assay {

// The mark: true while the calling thread runs the subject's code. Kept by whoever calls the subject.
extern constinit thread_local bool inside_subject;

// What is watched once stays so: only a process that is there for the subject alone may be, and says so first. Where it
// never did, or the kernel refuses, watch_system_calls() answers false and does nothing.
void permit_system_call_watch();
bool watch_system_calls(OsWatcher* watcher);

}  // namespace assay
