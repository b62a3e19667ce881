// Growable arrays in anonymous mappings of their own: the model's memory never comes from a subject, also when the
// subject is the libc that this process lives on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace assay {

// Zeroed pages straight from the kernel; ends the process with a HARNESS BUG line when there are none left.
void* map_pages(size_t bytes);
void unmap_pages(void* pages, size_t bytes);
// As mremap with MREMAP_MAYMOVE: contents stay, new bytes are zero.
void* remap_pages(void* pages, size_t old_bytes, size_t new_bytes);

// An array whose elements are all zero bytes until written, with the size given by the highest index asked for.
template <typename T>
class MappedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  MappedArray() = default;
  ~MappedArray() {
    if (data_ != nullptr) unmap_pages(data_, capacity_ * sizeof(T));
  }
  MappedArray(MappedArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), capacity_(std::exchange(other.capacity_, 0)) {}
  MappedArray(const MappedArray&) = delete;
  MappedArray& operator=(const MappedArray&) = delete;

  T& operator[](size_t index) { return data_[index]; }
  const T& operator[](size_t index) const { return data_[index]; }
  size_t capacity() const { return capacity_; }

  // Makes indices below `count` valid; references into the array die.
  void reserve(size_t count) {
    if (count > capacity_) grow(count);
  }

 private:
  void grow(size_t count) {
    size_t wanted = capacity_ == 0 ? kFirstBytes / sizeof(T) + 1 : capacity_ * 2;
    if (wanted < count) wanted = count;
    data_ = static_cast<T*>(data_ == nullptr ? map_pages(wanted * sizeof(T))
                                             : remap_pages(data_, capacity_ * sizeof(T), wanted * sizeof(T)));
    capacity_ = wanted;
  }

  static constexpr size_t kFirstBytes = size_t{64} << 10;
  T* data_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace assay
