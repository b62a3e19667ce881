#!/usr/bin/env bash
# OSS-Fuzz's contract: builds the targets for $FUZZING_ENGINE and $SANITIZER with $CC, $CXX, $CFLAGS, $CXXFLAGS and
# $LIB_FUZZING_ENGINE, from $SRC/assay (or the tree that this file is in) into $OUT, with $WORK for what lies between.
#
# Coverage is for the allocator alone, and a target refuses to run when anything else has counters: so the flags that
# would give them to everything are taken out here, and the build system gives them to allocator/.
set -euo pipefail

: "${OUT:?is where the targets go}" "${CXX:?is the compiler}" "${LIB_FUZZING_ENGINE:?is what a target is linked with}"
root=$(cd -- "$(dirname -- "$(readlink -f -- "$0")")/../.." && pwd)
[[ -f $root/cmake/fuzz_target.cmake ]] || root=${SRC:?}/assay
engine=${FUZZING_ENGINE:-libfuzzer}
sanitizer=${SANITIZER:-address}
build=${WORK:-/tmp}/assay-$engine-$sanitizer
targets=(alloc_ops heap_api mt_ops differential)
parts=()
for target in "${targets[@]}"; do parts+=("$target" "${target}_corpus"); done

# without FLAGS: what is left of them.
without() {
  local flag kept=()
  for flag in $1; do
    case $flag in
      -fsanitize=fuzzer-no-link | -fsanitize-coverage=*) ;;
      # MemorySanitizer wants to see every write, so that only the allocator, which needs libc alone, is compiled with it.
      -fsanitize=memory | -fsanitize-memory-*) ;;
      *) kept+=("$flag") ;;
    esac
  done
  echo "${kept[*]}"
}

linker=lld
command -v ld.lld >/dev/null || linker=lld-19
# The runners have libc and none of the allocators that differential compares by default.
options=('-DASSAY_DIFFERENTIAL_SUBJECTS=ximalloc,libc' -DCMAKE_BUILD_TYPE=None -DASSAY_FLAVOUR=fuzz -DASSAY_TEST_SEAMS=ON -DASSAY_FUZZ=ON -DASSAY_FMT_HEADERS=ON
  "-DASSAY_LINKER=$linker" "-DCMAKE_C_COMPILER=${CC:?}" "-DCMAKE_CXX_COMPILER=$CXX"
  "-DCMAKE_C_FLAGS=$(without "${CFLAGS-}") -g" "-DCMAKE_CXX_FLAGS=$(without "${CXXFLAGS-}") -g")
case $sanitizer in
  address | undefined | memory) options+=("-DASSAY_SANITIZE=$sanitizer") ;;
  *)
    echo "build.sh: SANITIZER: '$sanitizer' is none of address, undefined, memory" >&2
    exit 2 ;;
esac
case $engine in
  libfuzzer) options+=("-DASSAY_FUZZ_ENGINE_LINK=$LIB_FUZZING_ENGINE") ;;
  afl)
    # The runtime comes with afl-clang-fast; a plain clang is told where it is.
    runtime=$(find /usr/lib/afl /usr/local/lib/afl "${SRC:-/nowhere}/aflplusplus" -name afl-compiler-rt.o -print -quit 2>/dev/null || true)
    [[ $CXX == *afl* ]] && runtime=
    options+=(-DASSAY_FUZZ_ENGINE=afl -DASSAY_SCHED_HOOKS=ON "-DASSAY_FUZZ_ENGINE_LINK=$LIB_FUZZING_ENGINE${runtime:+;$runtime}")
    for target in "${targets[@]}"; do parts+=("${target}_mutator"); done ;;
  *)
    echo "build.sh: FUZZING_ENGINE: '$engine' is none of libfuzzer, afl" >&2
    exit 2 ;;
esac

cmake -S "$root" -B "$build" -G Ninja "${options[@]}"
ninja -C "$build" -j "${ASSAY_JOBS:-$(nproc)}" "${parts[@]}"

mkdir -p "$OUT"
for target in "${targets[@]}"; do
  cp "$build/bin/$target" "$OUT/"
  [[ ! -f $build/lib/lib${target}_mutator.so ]] || cp "$build/lib/lib${target}_mutator.so" "$OUT/"
  rm -f "$OUT/${target}_seed_corpus.zip"
  python3 -m zipfile -c "$OUT/${target}_seed_corpus.zip" "$build/corpus/$target"/*
  python3 "$root/scripts/oss-fuzz/dictionary.py" "$root/harness/op/ops.def" >"$OUT/$target.dict"
  cp "$root/scripts/oss-fuzz/target.options" "$OUT/$target.options"
done
