// Several subjects that run each program together and count as one: the first step at which they differ, and nothing
// permits it, is a violation of what the word "allocator" promises.
#pragma once

#include <string>

#include "harness/exec/worker.h"

namespace assay {

class ComparedSubjects {
 public:
  virtual ~ComparedSubjects() = default;
  // `request` says which program in a form that another process can read; `program` is the same. Throws as
  // Worker::run() does.
  virtual RunResult run(const WorkRequest& request, const Program& program) = 0;
  // Of all of them, in one line.
  virtual std::string version() const = 0;
};

}  // namespace assay
