// How a worker process is started for a subject: which executable, with what in its environment.
#pragma once

#include <string>
#include <string_view>

#include "harness/exec/worker.h"

namespace assay {

// The folder that holds this executable.
std::string executable_dir();

// `name` of another flavour's build, beside ours: build/<flavour>/bin/<name>. "" when it is not there.
std::string sibling_executable(const std::string& flavour, const std::string& name);

// True when the subject's own calls of malloc would bind elsewhere, so that it must be the process's malloc, and when
// it has settings that a process must be started with. Throws InputError for a subject that cannot be one.
bool must_run_apart(const std::string& subject);

// True when `flavour` watches with ThreadSanitizer and knows nothing of how threads inside of `subject` wait for each
// other: it takes a block that goes from one to the next for a race, so that they run in a process without it. One that
// was compiled with -fsanitize=thread is understood. Throws as above, and InputError for our own allocator in a mode
// that the flavour is not there for.
bool hidden_from_thread_sanitizer(const std::string& subject, std::string_view flavour, Mode mode);

// A worker for such a subject: the plain executable of the release flavour, or $ASSAY_WORKER, with the settings in its
// environment, and the subject for its malloc where that must be. Throws InputError when it has not been built.
WorkerCommand worker_apart(const std::string& subject);

// A worker that is `executable` itself, which must answer to "serve-worker" (tools/main.cc), with the subject in it.
WorkerCommand own_worker(const std::string& executable, const std::string& subject);

}  // namespace assay
