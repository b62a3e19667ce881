# `build PRESET…`: what is used of these flavours. Unit tests are built by `test` only.
# shellcheck shell=bash disable=SC2034,SC2154
build_presets() {
  install_packages
  local name built=''
  for name in "$@"; do
    flavour=$name
    build_flavour "$name" "$(tool_targets "$name")"
    built+=${built:+, }\"$name\"
    tell "build/$name is up to date"
  done
  if $json; then
    json_answer clean "built $*" presets "[$built]"
  fi
}
