#include "harness/subject/subject_spec.h"

#include <unistd.h>

#include <algorithm>

#include "harness/op/program.h"

namespace assay {
namespace {

// The parts; a brace that is not closed makes the rest of the list one part.
std::vector<std::string> split(std::string_view list, int& depth) {
  std::vector<std::string> parts(1);
  depth = 0;
  for (const char c : list) {
    if (c == ',' && depth == 0) {
      parts.emplace_back();
      continue;
    }
    if (c == '{') ++depth;
    if (c == '}') --depth;
    if (depth < 0 || depth > 1) break;
    parts.back() += c;
  }
  return parts;
}

InputError refused(std::string_view list, const std::string& why) {
  return InputError{"subjects " + std::string(list) + ": " + why};
}

}  // namespace

SubjectSpec parse_subject_spec(std::string_view spec) {
  const auto bad = [spec](const char* why) { return InputError{"subject " + std::string(spec) + ": " + why}; };
  const size_t open = spec.find('{');
  if (open == std::string_view::npos) {
    if (spec.find('}') != std::string_view::npos) throw bad("a brace without its other");
    return {std::string(spec), {}};
  }
  if (spec.find('}') != spec.size() - 1 || spec.find('{', open + 1) != std::string_view::npos) {
    throw bad("a brace without its other");
  }
  SubjectSpec parsed{std::string(spec.substr(0, open)), {}};
  std::string_view rest = spec.substr(open + 1, spec.size() - open - 2);
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      if (parsed.settings.empty()) throw bad("a setting is NAME=value");
      parsed.settings.back().value += "," + std::string(part);
      continue;
    }
    const std::string name(part.substr(0, equals));
    if (name.empty()) throw bad("a setting without a name");
    if (std::ranges::find(parsed.settings, name, &SubjectSetting::name) != parsed.settings.end()) {
      throw bad("the same setting twice");
    }
    parsed.settings.push_back({name, std::string(part.substr(equals + 1))});
  }
  if (parsed.settings.empty()) throw bad("no setting between the braces");
  return parsed;
}

bool is_subject_list(std::string_view spec) {
  int depth = 0;
  return split(spec, depth).size() > 1 && ::access(std::string(spec).c_str(), F_OK) != 0;
}

std::vector<std::string> split_subjects(std::string_view list) {
  int depth = 0;
  std::vector<std::string> subjects = split(list, depth);
  if (depth != 0) throw refused(list, "a brace without its other");
  if (std::ranges::any_of(subjects, &std::string::empty)) throw refused(list, "an empty name");
  if (subjects.size() < 2) throw refused(list, "at least two are compared");
  for (auto it = subjects.begin(); it != subjects.end(); ++it) {
    if (std::find(std::next(it), subjects.end(), *it) != subjects.end()) {
      throw refused(list, *it + " stands there twice");
    }
  }
  return subjects;
}

}  // namespace assay
