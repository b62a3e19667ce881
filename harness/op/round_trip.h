// What must hold for every program in all of its forms. Tests and a fuzz target call these; what they return is a bug
// of the harness.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "harness/op/program.h"

namespace assay {

// Whether a program within the caps of the byte form is well-formed and survives bytes and text: text -> program ->
// bytes
// -> program -> text is a fixed point. What is wrong, or nothing.
std::optional<std::string> round_trip_fault(const Program& program);

// Whether `text` is refused with one line that names a place, or is a well-formed program whose canonical text means
// the same program and is its own canonical text.
std::optional<std::string> text_fault(std::string_view text);

}  // namespace assay
