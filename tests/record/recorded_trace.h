// What the tests of the recorder share: running a shell line and recording a program.
#pragma once

#include <string>
#include <vector>

#include "harness/op/trace.h"

namespace assay {

struct Ended {
  int status = 0;  // as in a shell's $?
  std::string out, err;
};

// A folder of its own for each test, gone afterwards.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::vector<std::string> files() const;
  // Runs `line` in the shell, in this folder.
  Ended shell(const std::string& line) const;
  // "assay record -o trace -- <prefix>/recorded_<program>".
  Ended record(const std::string& program) const;

 private:
  std::string folder_;
};

std::string file_text(const std::string& path);

// The calls of one process of a trace, one by one: "p0=malloc 24", "free p0 @t1".
std::vector<std::string> calls(const TraceFile& trace, size_t process, TraceTally* tally = nullptr);
// How often one of them stands in the whole trace; slots count as "p".
size_t count_call(const TraceFile& trace, const std::string& call);

}  // namespace assay
