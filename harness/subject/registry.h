// From the words that a user writes after --subject to a Subject.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/subject/subject.h"

namespace assay {

// Opens a name that list_subjects() gives, a path to a shared object ("./libmine.so", anything with a slash or that
// ends in .so), or "path:prefix_" where its functions carry a prefix, with settings in braces (subject_spec.h). Those
// of other subjects than ximalloc must be in the environment of this process from its start. Throws InputError, one
// line: an unknown name, no file, no ELF file, no malloc in it, dies while it is loaded. What it promises is probed in
// a child process.
std::unique_ptr<Subject> open_subject(std::string_view spec);

struct SubjectListing {
  std::string name;
  std::string version;
  std::string path;
  bool available = false;
  std::vector<std::string> capabilities;
};
// Every name that open_subject knows, whether or not it is installed here.
std::vector<SubjectListing> list_subjects();

// What a subject can do besides the standard's five functions, as words: "usable_size", "collect", "reset", ...
std::vector<std::string> capabilities_of(const Subject& subject);

// The file that a spec names, "" for a subject that is not loaded from one (ximalloc, libc).
std::string subject_file(std::string_view spec);

}  // namespace assay
