# `doctor`: what is missing here, and what of this machine limits a run.
# shellcheck shell=bash disable=SC2154
doctor() {
  local missing count
  missing=$("$ASSAY_ROOT/scripts/bootstrap.sh" --missing)
  count=$(wc -w <<<"$missing")

  local rights=no
  if ((EUID == 0)) || sudo -n true 2>/dev/null; then
    rights=yes
  fi
  local memory_mib disk_mib overcommit
  memory_mib=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
  disk_mib=$(df -Pm "$ASSAY_ROOT" | awk 'NR == 2 { print $4 }')
  overcommit=$(cat /proc/sys/vm/overcommit_memory 2>/dev/null || echo unknown)

  if $json; then
    local list='' name
    for name in $missing; do
      list+=${list:+, }$(json_string "$name")
    done
    json_answer "$( ((count == 0)) && echo clean || echo violation)" "$count packages missing" \
      missing "[$list]" cores "$(nproc)" memory_mib "$memory_mib" disk_mib "$disk_mib" \
      can_install "$([[ $rights == yes ]] && echo true || echo false)"
  else
    echo "packages   ${count} missing${missing:+: ${missing//$'\n'/ }}"
    echo "install    $([[ $rights == yes ]] && echo 'possible here' || echo 'needs root: scripts/bootstrap.sh')"
    echo "cores      $(nproc)"
    echo "memory     ${memory_mib} MiB available$( ((memory_mib >= 3000)) || echo '; the fuzz flavour likes 3,000')"
    echo "disk       ${disk_mib} MiB free here$( ((disk_mib >= 2000)) || echo '; the builds need 2,000')"
    echo "overcommit $overcommit$([[ $overcommit != 2 ]] || echo ': strict; ximalloc reserves smaller arenas')"
    echo "flavours   $(for name in "${flavours[@]}"; do [[ -x $ASSAY_ROOT/build/$name/bin/assay ]] && printf '%s (built) ' "$name" || printf '%s ' "$name"; done)"
  fi
  ((count == 0)) || exit 1
}
