#include "harness/subject/quiet_child.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <initializer_list>

// What sanitizers call when they end the process; absent in plain builds.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace assay {
namespace {

void do_nothing() {}

}  // namespace

void become_quiet_child(unsigned seconds) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  for (const int signal_number :
       {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM, SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) {
    signal(signal_number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(do_nothing);
  alarm(seconds);
}

}  // namespace assay
