// Runs a program with the recorder preloaded, and otherwise as if the user had typed it.
#pragma once

#include <string>
#include <vector>

namespace assay {

struct RecordedCommand {
  std::vector<std::string> arguments;  // the program first
  std::string trace;                   // absolute path of a file that exists
  std::string recorder;                // absolute path of libassay_record.so
  bool stdout_to_stderr = false;       // stdout belongs to somebody else
};

// The file that execvp would run. Throws InputError, which says why there is none.
std::string find_program(const std::string& name);

// The recorder that belongs to this build, or to the release build beside it. Throws InputError when neither exists.
std::string find_recorder();

// Returns what a shell's $? would be: the exit status, or 128 + n after signal n. Signals that a terminal or a
// supervisor sends to end the program reach it, not us. Throws InputError when the program cannot be started.
int run_recorded(const RecordedCommand& command);

}  // namespace assay
