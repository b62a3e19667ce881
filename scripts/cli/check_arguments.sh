# Refuses what needs no parser, before anything is installed or built.
# shellcheck shell=bash disable=SC2034,SC2154
# What was typed after the subcommand, and what of it are operands.
words=()
positionals=()
help_wanted=false
flavour_option=''
mode_option=''
engine_option=''
subject_options=()
output_given=false

# A number as everywhere in assay: decimal or 0x, below 2^64.
is_number() {
  local digits=$1
  if [[ $digits =~ ^0[xX]0*([0-9a-fA-F]{0,16})$ && $digits != 0[xX] ]]; then
    return 0
  fi
  [[ $digits =~ ^0*([0-9]+)$ ]] || return 1
  digits=${BASH_REMATCH[1]}
  # Of two numbers with 20 digits, the greater one is the later one as text.
  # shellcheck disable=SC2071
  ((${#digits} < 20)) || { ((${#digits} == 20)) && ! [[ $digits > 18446744073709551615 ]]; }
}

check_readable_file() {
  [[ -n $1 ]] || refuse "$subcommand: the name of a file is empty"
  [[ -e $1 ]] || refuse "$1: no such file"
  [[ ! -d $1 ]] || refuse "$1: is a directory"
  [[ -r $1 ]] || refuse "$1: cannot be read"
}

check_output_path() {
  [[ -n $1 ]] || refuse "$subcommand: the name of the output is empty"
  local folder=.
  [[ $1 == */* ]] && folder=${1%/*}/
  [[ -d $folder ]] || refuse "$1: its folder does not exist"
}

# check_value WHERE KIND VALUE
check_value() {
  local where=$1 kind=$2 value=$3
  case $kind in
    number) is_number "$value" || refuse "$where: '$value' is not a number from 0 to 2^64-1" ;;
    count | seconds)
      if ! [[ $value =~ ^0*[1-9][0-9]{0,8}$ ]]; then
        refuse "$where: '$value' is not a whole number from 1 to 999999999"
      fi ;;
    threads)
      [[ $value =~ ^0*[1-9][0-9]{0,3}$ ]] && ((10#$value <= 1022)) ||
        refuse "$where: '$value' is not a whole number from 1 to 1022" ;;
    rounds)
      [[ $value =~ ^0*[1-9][0-9]{0,5}$ ]] && ((10#$value <= 100000)) ||
        refuse "$where: '$value' is not a whole number from 1 to 100000" ;;
    workload)
      [[ " $(workload_names) " == *" $value "* && -n $value ]] ||
        refuse "unknown workload '$value' (here: $(workload_names))" ;;
    engine) [[ $value =~ ^(libfuzzer|afl)$ ]] || refuse "$where: unknown engine '$value' (libfuzzer or afl)" ;;
    how)
      [[ $value =~ ^(once|persistent|both)$ ]] || refuse "$where: unknown way '$value' (once, persistent or both)" ;;
    strategy)
      [[ $value =~ ^(dfs|pct|random)$ ]] || refuse "$where: unknown strategy '$value' (dfs, pct or random)" ;;
    flavour)
      [[ " ${flavours[*]} " == *" $value "* && -n $value ]] || refuse "$where: unknown flavour '$value' (here: ${flavours[*]})" ;;
    mode) [[ " ${modes[*]} " == *" $value "* && -n $value ]] || refuse "$where: unknown mode '$value' (here: ${modes[*]})" ;;
    file | files) check_readable_file "$value" ;;
    directory)
      [[ -e $value ]] || refuse "$value: no such directory"
      [[ -d $value ]] || refuse "$value: is not a directory" ;;
    output)
      check_output_path "$value"
      [[ ! -d $value ]] || refuse "$value: is a directory" ;;
    output_dir)
      check_output_path "${value%/}"
      [[ ! -e $value || -d $value ]] || refuse "$value: is not a directory" ;;
    subject)
      [[ -n $value ]] || refuse "$where: the name of the subject is empty"
      # A path may be followed by :prefix_ and {settings}; a name is looked up by the tool, and so is a list.
      if [[ $value == */* && ($value != *,* || -e $value) ]]; then
        local path=${value%%\{*}
        [[ -e $path || $path != *:* ]] || path=${path%:*}
        check_readable_file "$path"
      fi ;;
    subjects)
      # Commas in braces belong to settings; the tool says what it does not know.
      [[ $value == *,* ]] || refuse "$where: '$value': at least two are compared, parted by commas"
      subject_options+=("$value") ;;
    target)
      [[ $value == "${value//[^a-z_]/}" && -n $value && -f $ASSAY_ROOT/fuzz/$value/${value}_fuzz.cc ]] ||
        refuse "unknown fuzz target '$value' (here: $(fuzz_targets))" ;;
    mutant_glob)
      local patch name
      for patch in "$ASSAY_ROOT"/mutants/*.patch; do
        name=${patch##*/}
        # The right side is a pattern on purpose.
        # shellcheck disable=SC2053
        [[ ${name%.patch} == $value ]] && return
      done
      refuse "$where: no mutant matches '$value'" ;;
    subcommand) [[ -n ${synopsis[$value]+known} ]] || refuse "unknown subcommand '$value' ('./assay --help' lists them)" ;;
    text) [[ -n $value ]] || refuse "$where: the value is empty" ;;
  esac
}

fuzz_targets() {
  local file names=()
  for file in "$ASSAY_ROOT"/fuzz/*/*_fuzz.cc; do
    names+=("$(basename "$(dirname "$file")")")
  done
  echo "${names[*]}"
}

workload_names() {
  sed -n 's/^ *{"\([a-z_]*\)",.*/\1/p' "$ASSAY_ROOT/harness/op/workloads/workload.cc" | paste -sd ' '
}

# The kind of an option of this subcommand, or nothing.
option_kind() {
  local word
  [[ $1 == --json ]] && { echo flag; return; }
  for word in ${options[$subcommand]}; do
    if [[ ${word%%:*} == "$1" ]]; then
      echo "${word#*:}"
      return
    fi
  done
}

check_arguments() {
  words=("$@")
  local word name value kind
  while (($# > 0)); do
    word=$1
    shift
    case $word in
      -h | --help) help_wanted=true; return ;;
      --)
        # After it everything is an operand; `record` hands it to the program.
        positionals+=("$@")
        break ;;
      -?*)
        name=${word%%=*}
        kind=$(option_kind "$name")
        [[ -n $kind ]] || refuse "$subcommand: unknown option '$name' ('./assay $subcommand --help' lists them)"
        if [[ $kind == flag ]]; then
          [[ $word != *=* ]] || refuse "$subcommand: $name takes no value"
          continue
        fi
        if [[ $word == *=* ]]; then
          value=${word#*=}
        else
          (($# > 0)) || refuse "$subcommand: $name needs a value"
          value=$1
          shift
        fi
        check_value "$subcommand $name" "$kind" "$value"
        case $name in
          --flavour) flavour_option=$value ;;
          --mode) mode_option=$value ;;
          --engine) engine_option=$value ;;
          --subject) subject_options+=("$value") ;;
          -o | --output) output_given=true ;;
        esac
        while [[ $kind == files ]] && (($# > 0)) && [[ $1 != -* ]]; do
          check_value "$subcommand $name" "$kind" "$1"
          shift
        done ;;
      *)
        positionals+=("$word")
        # The program that is recorded has options of its own.
        if [[ $subcommand == record ]]; then
          positionals+=("$@")
          break
        fi ;;
    esac
  done
  check_operands
  check_required_output
}

check_operands() {
  local spec=${operands[$subcommand]} count=${#positionals[@]} operand
  if [[ -z $spec ]]; then
    ((count == 0)) || refuse "$subcommand: unexpected '${positionals[0]}'"
    return
  fi
  local kind=${spec%?} many=${spec: -1}
  if [[ $many != '*' ]] && ((count == 0)); then
    refuse "$subcommand: nothing given (usage: ./assay $subcommand ${synopsis[$subcommand]})"
  fi
  if [[ $many == 1 ]] && ((count > 1)); then
    refuse "$subcommand: unexpected '${positionals[1]}'"
  fi
  if [[ $kind == command ]]; then
    type -P -- "${positionals[0]}" >/dev/null || refuse "${positionals[0]}: no such program"
    return
  fi
  for operand in "${positionals[@]}"; do
    check_value "$subcommand" "$kind" "$operand"
  done
}

check_required_output() {
  case $subcommand in
    encode | import) $output_given || refuse "$subcommand: -o is missing (usage: ./assay $subcommand ${synopsis[$subcommand]})" ;;
  esac
}
