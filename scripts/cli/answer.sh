# How the wrapper answers: one line on stderr and an exit status, or with --json the one object on stdout.
# shellcheck shell=bash disable=SC2034,SC2154
json=false
subcommand=''
flavour=''

json_string() {
  local text=$1 out='' char code i
  for ((i = 0; i < ${#text}; i++)); do
    char=${text:i:1}
    case $char in
      '"') out+='\"' ;;
      $'\\') out+=$'\\\\' ;;
      [[:cntrl:]]) printf -v code '\\u%04x' "'$char"; out+=$code ;;
      *) out+=$char ;;
    esac
  done
  # A file name need not be UTF-8, JSON must be.
  printf '"%s"' "$(printf '%s' "$out" | iconv -f UTF-8 -t UTF-8 -c)"
}

# The commit of the tree, with "-dirty" when tracked files differ from it; empty outside a git work tree.
commit_id() {
  local id
  id=$(git -C "$ASSAY_ROOT" rev-parse HEAD 2>/dev/null) || return 0
  if ! git -C "$ASSAY_ROOT" diff --quiet HEAD -- 2>/dev/null; then
    id+='-dirty'
  fi
  printf '%s' "$id"
}

# json_answer VERDICT MESSAGE [KEY JSON_VALUE]…
json_answer() {
  local verdict=$1 message=$2
  shift 2
  local seconds
  seconds=$(awk -v from="$started_at" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.3f", to - from }')
  printf '{"verdict": "%s", "message": %s, "subcommand": %s, "commit": "%s", "flavour": "%s", "mode": "%s", "seconds": %s' \
    "$verdict" "$(json_string "$message")" "$(json_string "$subcommand")" "$(commit_id)" "$flavour" "sequential" "$seconds"
  while (($# > 0)); do
    printf ', "%s": %s' "$1" "$2"
    shift 2
  done
  printf '}\n'
}

# Bad usage or bad input: nothing was done.
refuse() {
  printf 'assay: %s\n' "${1//[$'\n\r']/ }" >&2
  if $json; then
    json_answer error "$1"
  fi
  exit 2
}

# Progress for people. stdout is the result itself in some cases; there the news goes to stderr.
tell() {
  if $json || [[ $subcommand == show || $subcommand == record ]]; then
    printf '%s\n' "$1" >&2
  else
    printf '%s\n' "$1"
  fi
}
