// Reads the byte form. Past the end there are zeros, so that reading cannot fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace assay {

class ByteReader {
 public:
  explicit ByteReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool at_end() const { return position_ >= bytes_.size(); }
  size_t position() const { return position_; }
  void seek(size_t position) { position_ = position; }
  uint8_t u8() { return at_end() ? uint8_t{0} : bytes_[position_++]; }
  uint16_t u16() { return static_cast<uint16_t>(little_endian(2)); }
  uint64_t little_endian(size_t width) {
    uint64_t number = 0;
    for (size_t i = 0; i < width; i++) number |= uint64_t{u8()} << (8 * i);
    return number;
  }

 private:
  std::span<const uint8_t> bytes_;
  size_t position_ = 0;
};

}  // namespace assay
