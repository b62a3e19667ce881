#!/usr/bin/env bash
# Installs the packages of packages.txt that are missing. Without --missing it needs root, or a sudo that does not ask,
# and the network, but only when something is missing.
#
#   scripts/bootstrap.sh             installs
#   scripts/bootstrap.sh --missing   prints what is missing, one a line
set -euo pipefail

list=${ASSAY_PACKAGES:-$(dirname -- "$(readlink -f -- "$0")")/packages.txt}

missing_packages() {
  if ! command -v dpkg-query >/dev/null; then
    # No Debian: what counts is that the compiler is there under Debian's name.
    command -v clang++-19 >/dev/null || echo clang-19
    return
  fi
  sed 's/[[:space:]]*#.*//; s/[[:space:]]*$//; /^$/d' "$list" | sort -u |
    comm -23 - <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p' | sort -u)
}

missing=$(missing_packages)
case ${1:-} in
  --missing)
    [[ -z $missing ]] || echo "$missing"
    exit 0 ;;
  '') ;;
  *)
    echo "bootstrap.sh: unknown option '$1'" >&2
    exit 2 ;;
esac
[[ -n $missing ]] || exit 0

names=$(tr '\n' ' ' <<<"$missing")
names=${names% }
if ! command -v apt-get >/dev/null; then
  echo "these packages are missing and this is no Debian: $names" >&2
  exit 2
fi
as_root=()
if ((EUID != 0)); then
  if ! sudo -n true 2>/dev/null; then
    echo "these packages are missing and installing needs root: $names (as root: scripts/bootstrap.sh)" >&2
    exit 2
  fi
  as_root=(sudo -n)
fi

export DEBIAN_FRONTEND=noninteractive
install_missing() {
  # Another apt may be running, as on a machine that has just started.
  # shellcheck disable=SC2086
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $names
}
# The package lists may be old or absent.
if ! install_missing 2>&1; then
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 update -qq 2>&1 || true
  if ! install_missing 2>&1; then
    echo "these packages could not be installed: $names (log: work/logs/bootstrap.log)" >&2
    exit 2
  fi
fi
