// The first byte of a program, which says what the program may hold, and the first byte of an operation, which says
// which one it is. Both map every value of a byte, and both are stable: a program that encode() wrote never changes its
// meaning when operations are added.
//
// Operation byte: an assigned opcode stands for its operation, and encode() writes nothing else. Every other value is
// an alias for an operation, so that noise is a good program: each operation holds as many tickets for it as its
// weight, and the highest ticket wins (rendezvous hashing). A new row of ops.def takes over some aliases and moves no
// other.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/op/byte_reader.h"
#include "harness/op/program.h"

namespace assay {

// What only some programs hold, because it costs time: threads in about one of 6 random programs, fork in one of 64.
struct Features {
  bool threads = false;  // each operation is followed by a thread byte; thread_exit may occur
  bool fork = false;
  bool failures = false;  // each operation is followed by the system calls that fail in it; os_heal and end may occur
  bool heaps = false;     // heaps, arenas, options and statistics may occur
  bool operator==(const Features&) const = default;
};

// Of failures and heaps this byte says nothing: marks before it do.
Features features_of_byte(uint8_t byte);
uint8_t byte_of_features(Features features);
Features features_needed(std::span<const Operation> lines);

OpCode op_of_byte(uint8_t byte, Features features);

// Thread byte: the upper two bits. The lower six are free, and choose another thread where t0 would make no sense.
uint32_t thread_of_byte(uint8_t byte, const OpInfo& row);
uint8_t byte_of_thread(uint32_t thread);

// Header lines come before the features as 0xd3 'h' 'd' and, for each of the four keys, a length (0: not there; else
// one more than the bytes that follow). Returns how many bytes they take, 0 when there are none or when they are not
// right.
size_t read_header_block(std::span<const uint8_t> bytes, Header& header);
void write_header_block(const Header& header, std::vector<uint8_t>& out);  // throws InputError for a value too long

// The mark of a program in which system calls fail; true when it comes next, and it is read then.
bool read_failure_mark(ByteReader& reader);
void write_failure_mark(std::vector<uint8_t>& out);

// The same of a program that is about heaps.
bool read_heap_mark(ByteReader& reader);
void write_heap_mark(std::vector<uint8_t>& out);

}  // namespace assay
