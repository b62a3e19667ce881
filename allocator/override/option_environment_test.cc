// Every option of the table through the environment of a real process: the table is what xi_options_print shows, and
// each row's default, ends, what lies beyond them and what is no number are tried.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct Row {
  std::string name, variable;
  long value, standard, smallest, largest;
};

// What a process says on stderr that loads the library with these variables and lets it show all options; the lines
// before the table are warnings.
struct Said {
  std::vector<std::string> warnings;
  std::map<std::string, Row> rows;
};

Said load_with(const std::vector<std::pair<std::string, std::string>>& variables) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    for (const auto& [variable, value] : variables) setenv(variable.c_str(), value.c_str(), 1);
    void* const library = dlopen(XIMALLOC_SO, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) _exit(1);
    reinterpret_cast<void (*)()>(dlsym(library, "xi_options_print"))();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(got));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  static const std::regex shown(R"((\w+)=(-?\d+) \((\w+), default (-?\d+), (-?\d+) to (-?\d+)\))");
  Said said;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch part;
    if (std::regex_match(line, part, shown)) {
      said.rows[part[1]] = {part[1],           part[3], std::stol(part[2]), std::stol(part[4]), std::stol(part[5]),
                            std::stol(part[6])};
    } else {
      said.warnings.push_back(line);
    }
  }
  return said;
}

std::string number_beyond(long value, int step) {
  return std::to_string(static_cast<__int128>(value) + step > INT64_MAX ? INT64_MAX : value + step);
}

TEST(OptionEnvironmentTest, EveryRowTakesItsRangeAndNothingElse) {
  const std::map<std::string, Row> table = load_with({}).rows;
  ASSERT_GE(table.size(), 10u);
  for (const auto& [name, row] : table) {
    EXPECT_EQ(row.value, row.standard) << name;
    for (const long value : {row.smallest, row.largest}) {
      const Said said = load_with({{row.variable, std::to_string(value)}});
      EXPECT_EQ(said.rows.at(name).value, value) << name;
      EXPECT_TRUE(said.warnings.empty()) << name << ": " << said.warnings.front();
    }
    for (const std::string& bad : {number_beyond(row.smallest, -1), number_beyond(row.largest, 1), std::string("soon"),
                                   std::string(), std::string("1x"), std::string("99999999999999999999")}) {
      const Said said = load_with({{row.variable, bad}});
      EXPECT_EQ(said.rows.at(name).value, row.standard) << name << "=" << bad;
      EXPECT_EQ(said.warnings, std::vector<std::string>{"ximalloc: " + row.variable + "=" + bad +
                                                        ": no number in range; the default is taken"});
    }
  }
}

TEST(OptionEnvironmentTest, SeveralAtOnceAndWhatBelongsToNone) {
  const Said said = load_with({{"XIMALLOC_ARENA_RESERVE", "64M"},
                               {"XIMALLOC_RETIRE_TICKS", "7"},
                               {"XIMALLOC_NO_SUCH_OPTION", "1"},
                               {"XIMALLOC_RETIRE_TICK", "1"}});
  EXPECT_EQ(said.rows.at("arena_reserve").value, 64l << 20);
  EXPECT_EQ(said.rows.at("retire_ticks").value, 7);
  ASSERT_EQ(said.warnings.size(), 2u);
  for (const std::string& line : said.warnings) {
    EXPECT_NE(line.find(": there is no such option; ignored"), std::string::npos) << line;
  }
}

}  // namespace
