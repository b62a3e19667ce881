// Files that a subcommand writes appear whole or not at all.
#pragma once

#include <string>
#include <string_view>

namespace assay {

// Writes `contents` to a temporary file beside `path` and renames it there. Throws InputError when that cannot be done;
// nothing is left behind then. An existing file that is not a regular one (/dev/stdout, a pipe) is written to directly.
void write_atomically(const std::string& path, std::string_view contents);

}  // namespace assay
