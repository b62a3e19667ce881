// assay subjects: what can be tested on this machine.
#include <fmt/format.h>

#include "harness/subject/registry.h"
#include "tools/subcommand.h"

namespace assay {

SubcommandRun add_subjects(CLI::App& app) {
  app.description("List the allocators that can be tested here");
  return [](const GlobalOptions& global) {
    SubcommandOutcome outcome;
    nlohmann::json rows = nlohmann::json::array();
    size_t available = 0;
    for (const SubjectListing& listing : list_subjects()) {
      rows.push_back({{"name", listing.name},
                      {"version", listing.version},
                      {"path", listing.path},
                      {"available", listing.available},
                      {"capabilities", listing.capabilities}});
      available += listing.available ? 1 : 0;
      fmt::print(global.human(), "{:<12} {:<12} {:<14} {}\n", listing.name,
                 listing.available ? "available" : "not here", listing.version,
                 listing.available ? fmt::format("{}", fmt::join(listing.capabilities, " ")) : listing.path);
    }
    fmt::print(global.human(), "any other: ./lib.so, or ./lib.so:prefix_ where its functions carry a prefix\n");
    outcome.message = fmt::format("{} of {} available", available, rows.size());
    outcome.fields["subjects"] = std::move(rows);
    return outcome;
  };
}

}  // namespace assay
