// ximalloc for C++: allocators for containers, memory resources, and a heap that ends with its scope. A header alone;
// the library itself needs no C++ library.
#ifndef XIMALLOC_HPP
#define XIMALLOC_HPP

#include <cstddef>
#include <limits>
#include <new>
#include <type_traits>
#if __has_include(<memory_resource>)
#include <memory_resource>
#endif

#include "ximalloc.h"

namespace xi {

namespace detail {

// [allocator.requirements]: what cannot be served is an exception. Where there are none the process ends, as it does in
// xi_new.
[[noreturn]] inline void out_of_memory(bool overflow) {
#if defined(__cpp_exceptions)
  if (overflow) throw std::bad_array_new_length();
  throw std::bad_alloc();
#else
  static_cast<void>(overflow);
  __builtin_abort();
#endif
}

template <class T>
constexpr std::size_t bytes_of(std::size_t count) {
  if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) out_of_memory(true);
  return count * sizeof(T);
}

// What every block of `size` bytes is aligned to anyway.
constexpr bool is_plain(std::size_t size, std::size_t alignment) {
  return alignment <= 16 && size >= alignment;
}

inline void* from_heap(xi_heap_t* heap, std::size_t size, std::size_t alignment) {
  void* const block =
      is_plain(size, alignment) ? xi_heap_malloc(heap, size) : xi_heap_malloc_aligned(heap, size, alignment);
  if (block == nullptr) out_of_memory(false);
  return block;
}

inline void give_back(void* block, std::size_t size, std::size_t alignment) noexcept {
  is_plain(size, alignment) ? xi_free_size(block, size) : xi_free_size_aligned(block, size, alignment);
}

}  // namespace detail

// Allocates as operator new does from the calling thread's default heap: any thread may give back what another got, and
// all allocators are equal. [allocator.requirements]
template <class T>
class allocator {
 public:
  using value_type = T;
  using is_always_equal = std::true_type;
  using propagate_on_container_move_assignment = std::true_type;

  constexpr allocator() noexcept = default;
  template <class U>
  constexpr allocator(const allocator<U>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) {
    const std::size_t size = detail::bytes_of<T>(count);
    return static_cast<T*>(detail::is_plain(size, alignof(T)) ? xi_new(size) : xi_new_aligned(size, alignof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept { detail::give_back(block, count * sizeof(T), alignof(T)); }

  template <class U>
  friend constexpr bool operator==(const allocator&, const allocator<U>&) noexcept {
    return true;
  }
  template <class U>
  friend constexpr bool operator!=(const allocator&, const allocator<U>&) noexcept {
    return false;
  }
};

// A heap of the thread that makes it, which ends with it: kDelete leaves blocks that are still there to the thread's
// first heap, kDestroy frees them all, so that a container may be left without its destructor.
class scoped_heap {
 public:
  enum class end { kDelete, kDestroy };

  explicit scoped_heap(end how = end::kDelete) : heap_(xi_heap_new()), how_(how) {
    if (heap_ == nullptr) detail::out_of_memory(false);
  }
  ~scoped_heap() { how_ == end::kDestroy ? xi_heap_destroy(heap_) : xi_heap_delete(heap_); }
  scoped_heap(const scoped_heap&) = delete;
  scoped_heap& operator=(const scoped_heap&) = delete;

  xi_heap_t* get() const noexcept { return heap_; }

 private:
  xi_heap_t* heap_;
  end how_;
};

// Allocates from one heap, on that heap's thread alone; blocks may be given back anywhere. It does not keep the heap
// alive. std::bad_alloc also where the calling thread may not use the heap.
template <class T>
class heap_allocator {
 public:
  using value_type = T;
  using is_always_equal = std::false_type;
  using propagate_on_container_copy_assignment = std::true_type;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;

  explicit heap_allocator(xi_heap_t* heap) noexcept : heap_(heap) {}
  explicit heap_allocator(const scoped_heap& heap) noexcept : heap_(heap.get()) {}
  template <class U>
  heap_allocator(const heap_allocator<U>& other) noexcept : heap_(other.heap()) {}

  [[nodiscard]] T* allocate(std::size_t count) {
    return static_cast<T*>(detail::from_heap(heap_, detail::bytes_of<T>(count), alignof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept { detail::give_back(block, count * sizeof(T), alignof(T)); }

  xi_heap_t* heap() const noexcept { return heap_; }

  template <class U>
  friend bool operator==(const heap_allocator& one, const heap_allocator<U>& other) noexcept {
    return one.heap() == other.heap();
  }
  template <class U>
  friend bool operator!=(const heap_allocator& one, const heap_allocator<U>& other) noexcept {
    return one.heap() != other.heap();
  }

 private:
  xi_heap_t* heap_;
};

#if defined(__cpp_lib_memory_resource)
// xi::allocator and xi::heap_allocator as std::pmr::memory_resource. [mem.res.class]
class memory_resource : public std::pmr::memory_resource {
 private:
  void* do_allocate(std::size_t size, std::size_t alignment) override {
    return detail::is_plain(size, alignment) ? xi_new(size) : xi_new_aligned(size, alignment);
  }
  void do_deallocate(void* block, std::size_t size, std::size_t alignment) override {
    detail::give_back(block, size, alignment);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other || same_kind(other);
  }
  // Any two give back what the other got. (Without RTTI only one and the same is known to.)
  static bool same_kind(const std::pmr::memory_resource& other) noexcept {
#if defined(__cpp_rtti)
    return dynamic_cast<const memory_resource*>(&other) != nullptr;
#else
    static_cast<void>(other);
    return false;
#endif
  }
};

class heap_memory_resource : public std::pmr::memory_resource {
 public:
  explicit heap_memory_resource(xi_heap_t* heap) noexcept : heap_(heap) {}
  explicit heap_memory_resource(const scoped_heap& heap) noexcept : heap_(heap.get()) {}

  xi_heap_t* heap() const noexcept { return heap_; }

 private:
  void* do_allocate(std::size_t size, std::size_t alignment) override {
    return detail::from_heap(heap_, size, alignment);
  }
  void do_deallocate(void* block, std::size_t size, std::size_t alignment) override {
    detail::give_back(block, size, alignment);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  xi_heap_t* heap_;
};
#endif

}  // namespace xi

#endif  // XIMALLOC_HPP
