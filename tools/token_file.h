// The operand of --known: tokens of violations that are known, one a line.
#pragma once

#include <set>
#include <string>

namespace assay {

// "" is no file, and no token. Throws InputError where the file cannot be read.
std::set<std::string> read_tokens(const std::string& path);

}  // namespace assay
