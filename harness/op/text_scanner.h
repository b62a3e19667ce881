// Reads one line of the text form from left to right: skips blanks and comments, knows its column, and raises the
// errors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace assay {

class TextScanner {
 public:
  TextScanner(std::string_view file_name, uint64_t line_number, std::string_view line)
      : file_name_(file_name), line_number_(line_number), line_(line) {
    skip_blanks();
  }

  bool at_end() const { return position_ == line_.size(); }  // nothing but a comment is left
  size_t position() const { return position_; }
  bool looking_at(std::string_view token) const { return line_.substr(position_).starts_with(token); }

  // Takes `token` when it comes next, with the blanks behind it.
  bool accept(std::string_view token);
  void expect(std::string_view token, std::string_view where);
  // A name as operations, keywords and header keys have: letters, digits, underscores and dots, no digit first. Empty
  // when none comes next. peek_word() leaves it where it is.
  std::string_view peek_word() const;
  std::string_view word();
  // A number, decimal or 0x; `what` names it in the error.
  uint64_t number(std::string_view what);
  // All that is left of the line before a comment, without the blanks behind it.
  std::string_view rest();
  // All up to the next blank or one of `stops`; blanks behind it are skipped.
  std::string_view token(std::string_view stops);
  // What comes next, for an error message: quoted, shortened, and printable.
  std::string found() const;

  [[noreturn]] void fail(const std::string& what) const { fail_at(position_, what); }
  [[noreturn]] void fail_at(size_t position, const std::string& what) const;

 private:
  bool comment_starts_at(size_t position) const;
  void skip_blanks();

  std::string_view file_name_;
  uint64_t line_number_;
  std::string_view line_;
  size_t position_ = 0;
};

// `text` in single quotes on one line, whatever bytes it holds; cut after 32 of them.
std::string quoted(std::string_view text);

}  // namespace assay
