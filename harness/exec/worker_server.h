// The other end of a WorkerChannel: the process that opens the subject and runs what it is asked to.
#pragma once

#include <memory>
#include <string>

#include "harness/exec/compared_subjects.h"
#include "harness/exec/worker_channel.h"

namespace assay {

// What lies above this layer and the process needs all the same.
struct ServerHooks {
  // Fills in `crash` when this process dies of a signal, an abort, an exit or a sanitizer's report.
  void (*watch_for_crashes)(const Subject& subject, const Progress& progress, Violation& crash) = nullptr;
  // Opens a list of subjects; null: there are no lists.
  std::unique_ptr<ComparedSubjects> (*open_list)(const std::string& list) = nullptr;
  // The coverage counters of the subject, where it was compiled so; null: nobody looks at them.
  struct Coverage {
    size_t (*known)();
    void (*clear)();
    void (*add_to)(OutcomeCounters::Cells& cells);
  };
  const Coverage* coverage = nullptr;
};

// Opens the subject, then serves requests until the parent dies. Returns an exit status when it cannot begin.
int serve_worker(int channel_fd, const std::string& subject, const ServerHooks& hooks);

}  // namespace assay
