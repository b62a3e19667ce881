// A process that is killed while it writes leaves a piece of a chunk. The tool that recorded it takes such pieces out,
// so that its trace ends with the last complete chunk; readers stay strict.
#pragma once

#include <cstdint>
#include <string>

namespace assay {

// Closes the gaps between the complete chunks of a trace, in place, and returns how many bytes were dropped. Throws
// InputError when the file cannot be read or written, or does not begin as a trace.
uint64_t salvage_trace(const std::string& path);

}  // namespace assay
