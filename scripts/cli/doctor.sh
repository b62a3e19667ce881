# `doctor`: what is missing here, and what of this machine limits a run.
# shellcheck shell=bash disable=SC2154

# What only some things need, and no test does: "NAME:COMMAND…:what for" each, any of the commands will do.
optional_programs=(
  'npm:npm:charts of ./assay report as HTML'
  'node:node nodejs:charts of ./assay report as HTML'
  'chromium:chromium chromium-browser google-chrome:a look at that page in ./assay test --full'
)

# A line each: name, "there" or "missing", what for.
optional_state() {
  local entry name commands purpose command state
  for entry in "${optional_programs[@]}"; do
    IFS=: read -r name commands purpose <<<"$entry"
    state=missing
    for command in $commands; do
      [[ ! -x $(type -P "$command") ]] || state=there
    done
    printf '%s\t%s\t%s\n' "$name" "$state" "$purpose"
  done
}

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
    local optional='' state
    while IFS=$'\t' read -r name state _; do
      optional+=${optional:+, }"\"$name\": $([[ $state == there ]] && echo true || echo false)"
    done < <(optional_state)
    json_answer "$( ((count == 0)) && echo clean || echo violation)" "$count packages missing" \
      missing "[$list]" optional "{$optional}" cores "$(nproc)" memory_mib "$memory_mib" disk_mib "$disk_mib" \
      can_install "$([[ $rights == yes ]] && echo true || echo false)"
  else
    echo "packages   ${count} missing${missing:+: ${missing//$'\n'/ }}"
    echo "install    $([[ $rights == yes ]] && echo 'possible here' || echo 'needs root: scripts/bootstrap.sh')"
    echo "cores      $(nproc)"
    echo "memory     ${memory_mib} MiB available$( ((memory_mib >= 3000)) || echo '; the fuzz flavour likes 3,000')"
    echo "disk       ${disk_mib} MiB free here$( ((disk_mib >= 2000)) || echo '; the builds need 2,000')"
    echo "overcommit $overcommit$([[ $overcommit != 2 ]] || echo ': strict; ximalloc reserves smaller arenas')"
    optional_state | while IFS=$'\t' read -r name state purpose; do
      printf '%-10s %s (optional: %s)\n' "$name" "$state" "$purpose"
    done
    echo "flavours   $(for name in "${flavours[@]}"; do [[ -x $ASSAY_ROOT/build/$name/bin/assay ]] && printf '%s (built) ' "$name" || printf '%s ' "$name"; done)"
  fi
  ((count == 0)) || exit 1
}
