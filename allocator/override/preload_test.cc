// Real programs run with the library preloaded, and say the same as without.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <regex>
#include <string>

namespace {

struct Ran {
  int status;
  std::string output;
};

Ran run(const std::string& command) {
  FILE* const pipe = popen(("exec 2>&1; " + command).c_str(), "r");
  std::string output;
  std::array<char, 4096> buffer;
  while (const size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), got);
  return {pclose(pipe), output};
}

std::string preloaded(const std::string& settings = "") {
  return "export " + settings + " LD_PRELOAD=" XIMALLOC_SO "; ";
}

class PreloadTest : public testing::TestWithParam<const char*> {};

TEST_P(PreloadTest, SaysTheSame) {
  const Ran plain = run(GetParam());
  const Ran with = run(preloaded() + GetParam());
  EXPECT_EQ(plain.status, 0) << plain.output;
  EXPECT_EQ(with.status, plain.status) << with.output;
  EXPECT_EQ(with.output, plain.output);
}

INSTANTIATE_TEST_SUITE_P(
    Programs, PreloadTest,
    testing::Values(
        "seq 200000 | sort -r | tail -3", "seq 200000 | sort --parallel=2 -S 1M | md5sum",
        "echo 'int main(void){return 0;}' | cc -O2 -x c -c -o /dev/null - && echo compiled",
        "python3 -c 'import json,threading;d=[{str(i):[i]*9} for i in range(30000)];"
        "t=[threading.Thread(target=lambda: json.loads(json.dumps(d))) for _ in range(3)];"
        "[x.start() for x in t];[x.join() for x in t];print(len(json.dumps(d)))'",
        "python3 -c 'import subprocess;print(subprocess.check_output([\"echo\",\"child\"]))'",
        "perl -e 'my %h; $h{$_ % 1000} .= \"x$_\" for 1..100000; print length(join \"\", values %h), \"\\n\"'",
        "git --version && ls -lR /usr/include | md5sum",
        "awk 'BEGIN{for(i=0;i<300000;i++)a[i]=i\"x\";n=0;for(k in a)n+=length(a[k]);print n}'"));

TEST(PreloadTest, ItIsReallyThisLibraryThatServes) {
  const Ran maps = run(preloaded() + "cat /proc/self/maps");
  EXPECT_NE(maps.output.find("libximalloc.so"), std::string::npos);
  EXPECT_EQ(maps.output.find("[heap]"), std::string::npos) << "libc's own malloc would have made one";
}

TEST(PreloadTest, NeedsTheCLibraryAndNothingElse) {
  EXPECT_EQ(run("readelf -d " XIMALLOC_SO " | grep -o 'NEEDED.*'").output,
            "NEEDED)             Shared library: [libc.so.6]\n");
}

// What gperftools' pprof and jemalloc's jeprof make of it, where there is one of them.
TEST(PreloadTest, AtExitTheHeapProfileIsThere) {
  const std::string folder = testing::TempDir() + "ximalloc_profile_" + std::to_string(getpid());
  const std::string enter = "mkdir -p " + folder + " && cd " + folder + " && ";
  const Ran ran = run(enter + preloaded("XIMALLOC_PROFILE_INTERVAL=4096 XIMALLOC_PROFILE_AT_EXIT=1") +
                      "awk 'BEGIN{for(i=0;i<100000;i++)a[i]=i\"x\"}'");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_EQ(ran.output, "");
  const Ran profile = run(enter + "cat ximalloc.*.heap");
  EXPECT_TRUE(std::regex_search(profile.output, std::regex(R"(^heap profile: [1-9]\d*: \d+ \[)")));
  EXPECT_NE(profile.output.find("/libximalloc.so"), std::string::npos) << "of the mapped libraries";
  for (const char* const reader : {"jeprof", "google-pprof"}) {
    if (run(std::string("command -v ") + reader).status != 0) continue;
    const Ran read = run(enter + reader + " --text $(command -v awk) ximalloc.*.heap 2>&1");
    EXPECT_EQ(read.status, 0) << read.output;
    // Megabytes, and where they were asked for: 100,000 elements take more than 3 MB and less than 100.
    std::smatch total;
    ASSERT_TRUE(std::regex_search(read.output, total, std::regex(R"(Total: ([0-9.]+) MB)"))) << read.output;
    EXPECT_GT(std::stod(total[1]), 3.0);
    EXPECT_LT(std::stod(total[1]), 100.0);
    EXPECT_NE(read.output.find("xi_"), std::string::npos) << read.output;
  }
  run("rm -r " + folder);
}

TEST(PreloadTest, OptionsComeFromTheEnvironment) {
  const Ran bad = run(preloaded("XIMALLOC_PURGE_DELAY=soon") + "/bin/true");
  EXPECT_EQ(bad.status, 0);
  EXPECT_EQ(bad.output, "ximalloc: XIMALLOC_PURGE_DELAY=soon: no number in range; the default is taken\n");
  const Ran unknown = run(preloaded("XIMALLOC_PURGE_DELAYS=1 XIMALLOC_PURGE_DELAY=5") + "/bin/true");
  EXPECT_EQ(unknown.output, "ximalloc: XIMALLOC_PURGE_DELAYS=1: there is no such option; ignored\n");
  const Ran limited = run(preloaded("XIMALLOC_ARENA_RESERVE=16M XIMALLOC_ARENA_LIMIT=64M") +
                          "python3 -c 'x=bytearray(200*1024*1024)' | tail -1");
  EXPECT_NE(limited.output.find("MemoryError"), std::string::npos) << limited.output;
}

// A program frees 64 MiB and calls nothing after that; its thread keeps eight empty pages of 4 MiB. Its forked child,
// which has one thread, looks at it from outside.
TEST(PreloadTest, TheBackgroundThreadGivesBackWhatAnIdleProgramFreed) {
  const std::string program =
      "python3 -c 'import os,time\n"
      "def status(pid,key):\n"
      "  return int(open(\"/proc/%s/status\"%pid).read().split(key)[1].split()[0])\n"
      "x=[bytearray(100000) for _ in range(640)]\n"
      "full=status(\"self\",\"VmRSS:\")\n"
      "print(\"threads\",status(\"self\",\"Threads:\"),flush=True)\n"
      "if os.fork()==0:\n"
      "  time.sleep(3)\n"
      "  gone=full-status(os.getppid(),\"VmRSS:\")>30000\n"
      "  print(\"threads of the child\",status(\"self\",\"Threads:\"),\"gone\",gone,flush=True)\n"
      "  os._exit(0)\n"
      "del x\n"
      "os.wait()'";
  const Ran with = run(preloaded("XIMALLOC_PURGE_DELAY=1000 XIMALLOC_BACKGROUND_PURGE=1") + program);
  EXPECT_EQ(with.status, 0);
  EXPECT_EQ(with.output, "threads 2\nthreads of the child 1 gone True\n");
  EXPECT_EQ(run(preloaded("XIMALLOC_PURGE_DELAY=1000") + program).output,
            "threads 1\nthreads of the child 1 gone False\n");
}

// Little address space: the reserve of an arena is halved until it fits.
TEST(PreloadTest, RunsWhereAddressSpaceIsScarce) {
  const Ran ran = run("ulimit -v 200000; " + preloaded() + "perl -e '$x = \"a\" x 20000000; print length $x'");
  EXPECT_EQ(ran.output, "20000000");
}

}  // namespace
