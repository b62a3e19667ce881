// The words that stand for subjects: "jemalloc", "./libmine.so:my_", either with settings, "jemalloc{MALLOC_CONF=
// narenas:2,tcache:false}", and several in one word, "ximalloc,mimalloc,jemalloc". Where such a list stands for a
// subject, they run every program together and are compared.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace assay {

// A variable of the environment that the subject's process has; of ximalloc an option.
struct SubjectSetting {
  std::string name;
  std::string value;
};

struct SubjectSpec {
  std::string subject;  // without settings
  std::vector<SubjectSetting> settings;
};

// "NAME=value,NAME=value" in braces behind the subject; a part without '=' goes on with the value before it. Throws
// InputError for a brace without its other, for nothing between them, and for the same name twice.
SubjectSpec parse_subject_spec(std::string_view spec);

// Whether it names more than one. A file whose name has a comma is a subject of its own.
bool is_subject_list(std::string_view spec);

// The parts of a list. Throws InputError for fewer than two, an empty name, the same twice, and a brace without its
// other.
std::vector<std::string> split_subjects(std::string_view list);

}  // namespace assay
