// Which of its three forms a file is in, from its first line alone.
#pragma once

#include <cstdint>
#include <string_view>

namespace assay {

inline constexpr uint64_t kTextVersion = 1;     // "assay 1"
inline constexpr uint64_t kTraceVersion = 1;    // "assay-trace 1"
inline constexpr size_t kFormPrefixBytes = 64;  // as many bytes of a file as form_of() wants to see

enum class Form { kText, kTrace, kBytes };

// A first line `assay N` means text and `assay-trace N` a recorded trace; all else is the byte form, the empty file
// too. Throws InputError when N is a version that this program does not know; its message does not name the file.
Form form_of(std::string_view first_bytes);

}  // namespace assay
