// The text form: what people, corpora and later versions keep. The grammar is in docs/program_syntax.md.
#pragma once

#include <string>
#include <string_view>

#include "harness/op/program.h"

namespace assay {

// Throws InputError "file_name:line:column: what is wrong" at the first mistake; columns count bytes from 1.
Program parse_text(std::string_view text, std::string_view file_name);

// The canonical text of a program: one spelling for each program, and parse_text(print_text(p)) == p. Comments and
// blank lines are not part of a program.
std::string print_text(const Program& program);
std::string print_line(const Operation& operation);  // one line of it, without the line's end

// Why `value` may not stand behind a header line's key, or an empty string when it may.
std::string header_fault(std::string_view key, std::string_view value);

}  // namespace assay
