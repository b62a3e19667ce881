#include "harness/report/export_c/looked_up.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "harness/oracle/request.h"

namespace assay {
namespace {

struct FunctionRow {
  OpCode code;
  std::string_view name, result, parameters;
};
constexpr FunctionRow kFunctions[] = {
#define ASSAY_FUNCTION(operation, name, result, parameters) {OpCode::k##operation, #name, #result, #parameters},
#include "harness/subject/functions.def"
#undef ASSAY_FUNCTION
};

constexpr std::array<uint64_t, kMaxArgs> kNoNumbers{};

// How often the function tells a usable size through a pointer.
size_t sizes_told(const FunctionRow& function) {
  size_t count = 0;
  for (size_t at = 0; (at = function.parameters.find("size_t*", at)) != std::string_view::npos; at++) count++;
  return count;
}

const FunctionRow& row_of(OpCode code) {
  return *std::ranges::find(kFunctions, code, &FunctionRow::code);
}

bool copies_string(OpCode code) {
  return code == OpCode::kStrdup || code == OpCode::kStrndup;
}

// What a call asks for, as C.
struct AskedInC {
  std::string bytes = "1u", alignment = "1u", offset = "0u";
};

AskedInC asked_in_c(OpCode code, const std::vector<std::string>& numbers) {
  AskedInC asked;
  if (code == OpCode::kValloc || code == OpCode::kPvalloc) asked.alignment = "4096u";
  const OpInfo& row = info(code);
  size_t at = 0;
  for (size_t i = 0; i < row.arg_count(); i++) {
    if (row.args[i] == ArgKind::kSlot) continue;
    const std::string& number = numbers[at++];
    switch (row.args[i]) {
      case ArgKind::kCount:
      case ArgKind::kSize:
      case ArgKind::kSmallSize:
        asked.bytes = asked.bytes == "1u" ? number : fmt::format("product({}, {})", asked.bytes, number);
        break;
      case ArgKind::kAlignment: asked.alignment = number; break;
      case ArgKind::kOffset: asked.offset = number; break;
      default: break;
    }
  }
  return asked;
}

// A string of that length is copied, or no more of it than the limit.
std::string copying_call(OpCode code, const std::string& f, const CallInC& call) {
  const std::string& length = call.numbers[0];
  const bool limited = code == OpCode::kStrndup;
  const std::string count =
      limited ? fmt::format("size_t limit = {}, count = limit < {} ? limit : {}; ", call.numbers[1], length, length)
              : fmt::format("size_t count = {}; ", length);
  return fmt::format(
      "int into = {}; {}if (f != NULL && can_fill(into, count + 1)) {{ const char *text = source({}); "
      "void *copy = {}(text{}); copied(copy, text, count); filled(into, copy, count + 1, 0, 1u, 0u); }} }}",
      call.to, count, length, f, limited ? ", limit" : "");
}

std::string resolving_call(const std::string& f, const CallInC& call) {
  return fmt::format(
      "int into = {}, nothing = {} != 0; if (f != NULL && can_fill(into, 2)) {{ "
      "char *path = {}(nothing ? \"/./no such file, says assay\" : \"/./../\", NULL); "
      "if (nothing && path != NULL) fail(\"realpath found what does not exist\"); "
      "if (path != NULL && strcmp(path, \"/\") != 0) fail(\"realpath answered another path\"); "
      "filled(into, path, 2, 0, 1u, 0u); }} }}",
      call.to, call.numbers[0], f);
}

std::string filling_call(OpCode code, const FunctionRow& function, const std::string& f, const CallInC& call) {
  const AskedInC asked = asked_in_c(code, call.numbers);
  const std::string arguments = fmt::format("{}", fmt::join(call.numbers, ", "));
  const bool tells = sizes_told(function) > 0;
  return fmt::format(
      "int into = {}; if (f != NULL && can_fill(into, {})) {{ {}filled(into, {}({}{}), {}, {}, {}, {});{} }} }}",
      call.to, asked.bytes, tells ? "size_t usable = 0; " : "", f, arguments, tells ? ", &usable" : "", asked.bytes,
      request_of(code, kNoNumbers.data()).zeroed ? 1 : 0, asked.alignment, asked.offset,
      tells ? " if (p[into].address != NULL) told(usable, p[into].usable);" : "");
}

std::string moving_call(OpCode code, const FunctionRow& function, const std::string& f, const CallInC& call) {
  const AskedInC asked = asked_in_c(code, call.numbers);
  const std::string begin = fmt::format("int into = {}, taken = {}; if (f != NULL && can_move(into, taken, {})) {{ ",
                                        call.to, call.from, asked.bytes);
  const std::string arguments = fmt::format("{}", fmt::join(call.numbers, ", "));
  const std::string judged =
      fmt::format("{}, {}, {}, {}", asked.bytes, code == OpCode::kReallocf ? 1 : 0, asked.alignment, asked.offset);
  if (code == OpCode::kReallocarr) {
    return begin + fmt::format(
                       "void *old = address_of(taken), *block = old; int error = {}(&block, {}); "
                       "if (error != 0 && block != old) fail(\"a reallocarr that failed changed the pointer\"); "
                       "moved(into, taken, error == 0 ? block : NULL, {}); }} }}",
                       f, arguments, judged);
  }
  if (sizes_told(function) == 2) {
    return begin + fmt::format(
                       "size_t before = 0, usable = 0, had = usable_of(taken); "
                       "void *block = {}(address_of(taken), {}, &before, &usable); told(before, had); "
                       "moved(into, taken, block, {}); if (block != NULL) told(usable, p[into].usable); }} }}",
                       f, arguments, judged);
  }
  return begin + fmt::format("moved(into, taken, {}(address_of(taken), {}), {}); }} }}", f, arguments, judged);
}

std::string freeing_call(OpCode code, const FunctionRow& function, const std::string& f, const CallInC& call) {
  std::string arguments, before, after;
  if (code == OpCode::kFreeSize || code == OpCode::kFreeSizeAligned) arguments += ", p[taken].requested";
  if (code == OpCode::kFreeAligned || code == OpCode::kFreeSizeAligned) arguments += ", p[taken].align";
  if (sizes_told(function) == 1) {
    arguments = ", &usable";
    before = "size_t usable = 0, had = usable_of(taken); ";
    after = " told(usable, had);";
  }
  return fmt::format(
      "int taken = {}; if (f != NULL && can_free(taken)) {{ {}void *address = release(taken); {}(address{});{} "
      "check_between(); }} }}",
      call.from, before, f, arguments, after);
}

// A call that only asks. NULL may be asked about, an empty slot not.
std::string asking_call(OpCode code, const std::string& f, const CallInC& call) {
  if (code == OpCode::kGoodSize || code == OpCode::kMallocGoodSize) {
    return fmt::format(
        "size_t size = {}; if (f != NULL && {}(size) < size) fail(\"the good size for a request is less\"); }}",
        call.numbers[0], f);
  }
  const std::string begin =
      fmt::format("int asked = {}; if (f != NULL && (asked == NONE || p[asked].address != NULL)) ", call.from);
  if (code == OpCode::kExpand) {
    return begin + fmt::format("{{ size_t size = {}; expanded(asked, {}(address_of(asked), size), size); }} }}",
                               call.numbers[0], f);
  }
  if (code == OpCode::kMallocSize) return begin + fmt::format("told({}(address_of(asked)), usable_of(asked)); }}", f);
  // Whose a block is depends on more than a C file can tell; that it is somebody's does not.
  if (code == OpCode::kCheckOwned) {
    return begin + fmt::format("ours(asked, asked == NONE ? {0}(NULL) : ({0}(address_of(asked)), 1)); }}", f);
  }
  return begin + fmt::format("ours(asked, {}(address_of(asked))); }}", f);
}

}  // namespace

bool is_looked_up(OpCode code) {
  switch (code) {
    // Of C, and what calls them by name already.
    case OpCode::kMalloc:
    case OpCode::kCalloc:
    case OpCode::kRealloc:
    case OpCode::kAlignedAlloc:
    case OpCode::kPosixMemalign:
    case OpCode::kFree:
    case OpCode::kUsableSize:
    case OpCode::kCollect: return false;
    default: return std::ranges::find(kFunctions, code, &FunctionRow::code) != std::end(kFunctions);
  }
}

bool needs(OpCode code, Piece piece) {
  if (!is_looked_up(code)) return false;
  const ResultKind result = info(code).result;
  const bool about_block = result == ResultKind::kNone && code != OpCode::kGoodSize && code != OpCode::kMallocGoodSize;
  const bool tells = sizes_told(row_of(code)) > 0;
  switch (piece) {
    case Piece::kAsked: return result == ResultKind::kFills || result == ResultKind::kMoves;
    case Piece::kFilled: return result == ResultKind::kFills;
    case Piece::kAddressOf: return result == ResultKind::kMoves || about_block;
    case Piece::kMoved: return result == ResultKind::kMoves;
    case Piece::kRelease: return result == ResultKind::kEmpties;
    case Piece::kUsableOf: return (tells && result != ResultKind::kFills) || code == OpCode::kMallocSize;
    case Piece::kTold: return tells || code == OpCode::kMallocSize;
    case Piece::kSource: return copies_string(code);
    case Piece::kExpanded: return code == OpCode::kExpand;
    case Piece::kOurs: return code == OpCode::kCheckOwned || code == OpCode::kIsInHeapRegion;
  }
  return false;
}

std::string looked_up_call(OpCode code, const CallInC& call) {
  const FunctionRow& function = row_of(code);
  std::string result(function.result), parameters(function.parameters);
  if (result == "bool") result = "_Bool";
  const std::string f = fmt::format("(({} (*){})f)", result, parameters);
  const std::string begin = fmt::format("{{ void *f = function(\"{}\"); ", function.name);
  if (copies_string(code)) return begin + copying_call(code, f, call);
  if (code == OpCode::kRealpath) return begin + resolving_call(f, call);
  switch (info(code).result) {
    case ResultKind::kFills: return begin + filling_call(code, function, f, call);
    case ResultKind::kMoves: return begin + moving_call(code, function, f, call);
    case ResultKind::kEmpties: return begin + freeing_call(code, function, f, call);
    case ResultKind::kNone: break;
  }
  return begin + asking_call(code, f, call);
}

}  // namespace assay
