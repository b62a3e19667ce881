// Where a subcommand will write, looked at before its work begins.
#pragma once

#include <string>

namespace assay {

// Throws InputError when a file cannot be written there. Leaves nothing behind.
void refuse_unwritable(const std::string& path);

}  // namespace assay
