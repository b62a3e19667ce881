// A file on disk as a program.
#pragma once

#include <string>

#include "harness/op/form.h"
#include "harness/op/program.h"

namespace assay {

// The form of the file. Throws InputError for a file that is missing, a directory, or unreadable, and for an unknown
// version.
Form form_of_file(const std::string& path);

// Loads the text or the byte form. Throws InputError as form_of_file() does, for a mistake in a text, and for a trace,
// which does not fit into memory and has a reader of its own. Bytes beyond kMaxBytes are not part of a program.
Program read_program(const std::string& path);

}  // namespace assay
