// A folder of programs, a file each, as both engines and a campaign's other hunts write it and take from it meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace assay {

// Empty when the file has gone.
std::string program_bytes(const std::filesystem::path& file);
uint64_t count_programs(const std::filesystem::path& folder);
// Each file that is this program.
void remove_program(const std::filesystem::path& folder, std::string_view bytes);

}  // namespace assay
