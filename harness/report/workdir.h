// Where output goes: the one place that knows the paths under work/, which is never committed.
#pragma once

#include <filesystem>
#include <string_view>

namespace assay {

// The repository: $ASSAY_ROOT, which the wrapper sets, else the folder above build/<preset>/bin/ of this executable,
// else the current folder.
std::filesystem::path repository_root();

std::filesystem::path work_root();                          // work/, or $ASSAY_WORK: a campaign has a folder of its own
std::filesystem::path corpus_dir(std::string_view target);  // work/corpus/<target>/: grows from run to run
std::filesystem::path findings_dir();                       // work/findings/: bytes, and text beside them
std::filesystem::path explored_dir();                       // work/explored/: programs with a schedule that violates
std::filesystem::path swept_dir();                          // work/swept/: programs with the failure that a sweep found
std::filesystem::path logs_dir();                           // work/logs/
std::filesystem::path traces_dir();                         // work/traces/

// The same path, after making it and what is above it; throws InputError when that is not possible.
std::filesystem::path ensure_dir(const std::filesystem::path& path);

}  // namespace assay
