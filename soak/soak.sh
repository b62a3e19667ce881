#!/usr/bin/env bash
# soak.sh [SECONDS] [DIR]: a campaign of all targets, flavours, modes and engines that this machine has. SECONDS is for
# this call (default: four hours; 28800 for a night); a campaign that is in DIR already (default: work/campaign) goes on.
# Exit status: 0 nothing was found and the canary was; 1 a violation, or the canary was missed; 2 bad usage.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)

refuse() {
  echo "soak.sh: $1" >&2
  exit 2
}

case ${1-} in
  -h | --help)
    sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}"
    exit 0 ;;
esac
(($# <= 2)) || refuse "unexpected '$3' (usage: soak.sh [SECONDS] [DIR])"
seconds=${1:-14400}
[[ $seconds =~ ^0*[1-9][0-9]{0,8}$ ]] || refuse "'$seconds' is not a whole number of seconds from 1 to 999999999"
directory=${2:-$root/work/campaign}
[[ ! -e $directory || -d $directory ]] || refuse "$directory: is not a directory"
# What is wrong with the campaign is said before a build that takes minutes.
python3 "$root/soak/runner.py" --check "$directory"

export ASSAY_ROOT=$root
subcommand=soak json=false
source "$root/scripts/cli/answer.sh"
source "$root/scripts/cli/build.sh"
install_packages
for flavour in fuzz fuzz-sched tsan msan sched afl; do
  build_flavour "$flavour" "$(tool_targets "$flavour")"
done
# What is shipped is hunted as it is.
build_flavour release ximalloc_shared
# What the corpora reach, line by line, is asked at the end.
build_flavour cov assay_tool
# The fork handlers are hunted with their own test.
build_flavour dev ximalloc_tests
# The runner takes the place of this script: who ends one ends the other.
exec python3 "$root/soak/runner.py" "$((10#$seconds))" "$directory"
