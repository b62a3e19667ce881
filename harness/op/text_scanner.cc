#include "harness/op/text_scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "harness/op/program.h"

namespace assay {
namespace {

constexpr size_t kQuotedBytes = 32;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name_part(char c) {
  return is_name_start(c) || is_digit(c);
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, kQuotedBytes)) {
    if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out + (text.size() > kQuotedBytes ? "...'" : "'");
}

bool TextScanner::comment_starts_at(size_t position) const {
  return line_[position] == '#' && (position == 0 || is_blank(line_[position - 1]));
}

void TextScanner::skip_blanks() {
  while (position_ < line_.size() && is_blank(line_[position_])) position_++;
  if (position_ < line_.size() && comment_starts_at(position_)) position_ = line_.size();
}

bool TextScanner::accept(std::string_view token) {
  if (!looking_at(token)) return false;
  position_ += token.size();
  skip_blanks();
  return true;
}

void TextScanner::expect(std::string_view token, std::string_view where) {
  if (!accept(token)) fail(fmt::format("expected '{}' {}, found {}", token, where, found()));
}

std::string_view TextScanner::peek_word() const {
  size_t end = position_;
  if (end == line_.size() || !is_name_start(line_[end])) return {};
  while (end < line_.size()) {
    // A dot joins a subject's name and its operation; two dots are a range.
    const bool joins = line_[end] == '.' && end + 1 < line_.size() && is_name_start(line_[end + 1]);
    if (!is_name_part(line_[end]) && !joins) break;
    end++;
  }
  return line_.substr(position_, end - position_);
}

std::string_view TextScanner::word() {
  const std::string_view name = peek_word();
  position_ += name.size();
  skip_blanks();
  return name;
}

uint64_t TextScanner::number(std::string_view what) {
  const bool hex = looking_at("0x") || looking_at("0X");
  const size_t start = position_ + (hex ? 2 : 0);
  size_t end = start;
  while (end < line_.size() && is_name_part(line_[end])) end++;
  if (end == start) fail(fmt::format("expected {}, a number, found {}", what, found()));
  uint64_t number = 0;
  const char* const last = line_.data() + end;
  const auto [parsed, error] = std::from_chars(line_.data() + start, last, number, hex ? 16 : 10);
  if (parsed != last) {
    fail(fmt::format("expected {}, a number, found {}", what, quoted(line_.substr(position_, end - position_))));
  }
  if (error == std::errc::result_out_of_range) fail(fmt::format("{} is larger than 18446744073709551615", what));
  position_ = end;
  skip_blanks();
  return number;
}

std::string_view TextScanner::rest() {
  size_t end = position_;
  while (end < line_.size() && !comment_starts_at(end)) end++;
  while (end > position_ && is_blank(line_[end - 1])) end--;
  const std::string_view rest = line_.substr(position_, end - position_);
  position_ = line_.size();
  return rest;
}

std::string_view TextScanner::token(std::string_view stops) {
  size_t end = position_;
  while (end < line_.size() && !is_blank(line_[end]) && stops.find(line_[end]) == std::string_view::npos) end++;
  const std::string_view token = line_.substr(position_, end - position_);
  position_ = end;
  skip_blanks();
  return token;
}

std::string TextScanner::found() const {
  if (at_end()) return "the end of the line";
  const std::string_view word = peek_word();
  if (!word.empty()) return quoted(word);
  size_t end = position_ + 1;
  if (is_digit(line_[position_])) {
    while (end < line_.size() && is_name_part(line_[end])) end++;
  }
  return quoted(line_.substr(position_, end - position_));
}

void TextScanner::fail_at(size_t position, const std::string& what) const {
  throw InputError{fmt::format("{}:{}:{}: {}", file_name_, line_number_, position + 1, what)};
}

}  // namespace assay
