#include "harness/oracle/structure.h"

#include "harness/oracle/describe.h"

namespace assay {
namespace {

struct Complaints {
  Violation* violation;
  uint64_t count = 0;
};

void complain(void* context, const char* what) {
  auto& complaints = *static_cast<Complaints*>(context);
  if (complaints.count++ == 0)
    describe(complaints.violation->sentence, "the allocator's structure is broken: {}", what);
}

}  // namespace

bool check_structure(const Subject& subject, Violation& violation) {
  if (subject.instruments().check_structure == nullptr) return true;
  Complaints complaints{&violation};
  if (subject.instruments().check_structure(complain, &complaints) && complaints.count == 0) return true;
  violation.oracle = Oracle::kStructure;
  if (complaints.count == 0) describe(violation.sentence, "the allocator's structure is broken");
  describe(violation.expected, "every validator content");
  describe(violation.seen, "{} complaint{}", complaints.count, complaints.count == 1 ? "" : "s");
  return false;
}

}  // namespace assay
