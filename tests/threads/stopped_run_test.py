"""Under ThreadSanitizer a violation is reported as what it is: `stopped_run_test.py BUILD`, of flavour tsan.

A run that one thread has stopped is added up while others still count. A race there, which ends the process, would hide what was found.
"""

import os
import subprocess
import sys

TEST = "FreeRunning.WhatIsFoundIsNotHiddenByAddingUp"
# Which thread comes first is chance.
TIMES = 10


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    # Threads that were stopped are left behind on purpose.
    environment = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1 report_thread_leaks=0"}
    command = [f"{sys.argv[1]}/bin/harness_exec_tests", f"--gtest_filter={TEST}"]
    for _ in range(TIMES):
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=300, check=False)
        if done.returncode != 0 or "[  PASSED  ] 1 test." not in done.stdout:
            sys.exit(f"status {done.returncode}\n{done.stdout}")
    print(f"{TIMES} of {TIMES} runs said what was found")


if __name__ == "__main__":
    main()
