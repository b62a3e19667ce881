#include "harness/op/read_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>

#include "harness/op/decode.h"
#include "harness/op/text.h"

namespace assay {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// fopen opens a directory too and fails only at the first read, hence the look before.
File open_for_reading(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw InputError{fmt::format("{}: is a directory", path)};
  File file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) throw InputError{fmt::format("{}: {}", path, std::strerror(errno))};
  return file;
}

// Appends up to `limit` bytes in all; says what failed when a read does.
void read_up_to(std::FILE* file, const std::string& path, size_t limit, std::string& content) {
  char buffer[16 * 1024];
  while (content.size() < limit && !std::feof(file) && !std::ferror(file)) {
    content.append(buffer, std::fread(buffer, 1, std::min(sizeof buffer, limit - content.size()), file));
  }
  if (std::ferror(file)) throw InputError{fmt::format("{}: {}", path, std::strerror(errno))};
}

Form form_with_name(std::string_view first_bytes, const std::string& path) {
  try {
    return form_of(first_bytes);
  } catch (const InputError& error) {
    throw InputError{fmt::format("{}:1:1: {}", path, error.message)};
  }
}

}  // namespace

Form form_of_file(const std::string& path) {
  const File file = open_for_reading(path);
  std::string content;
  read_up_to(file.get(), path, kFormPrefixBytes, content);
  return form_with_name(content, path);
}

Program read_program(const std::string& path) {
  const File file = open_for_reading(path);
  std::string content;
  read_up_to(file.get(), path, kMaxBytes, content);
  switch (form_with_name(std::string_view(content).substr(0, kFormPrefixBytes), path)) {
    case Form::kText:
      read_up_to(file.get(), path, std::numeric_limits<size_t>::max(), content);
      return parse_text(content, path);
    case Form::kTrace: throw InputError{fmt::format("{}: is a recorded trace, not a program", path)};
    case Form::kBytes: break;
  }
  return decode({reinterpret_cast<const uint8_t*>(content.data()), content.size()});
}

}  // namespace assay
