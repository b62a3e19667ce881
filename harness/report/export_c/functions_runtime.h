// The pieces of C for functions that only some allocators have: looked up by name in the library that malloc is from,
// and left out where it has none, so that the same file runs on every malloc.
#pragma once

#include <string_view>

namespace assay::c_runtime {

inline constexpr std::string_view kFunction =
    R"(/* A function of the allocator that malloc belongs to, by its plain name or with a prefix; NULL: it has none. */
static void *function(const char *name) {
    static const char *const prefixes[] = {PREFIX, "xi_", "mi_"};
    size_t count = *PREFIX == '\0' ? sizeof prefixes / sizeof prefixes[0] : 1;
    void *address = NULL;
    for (size_t i = 0; address == NULL && i < count; i++) address = offered(prefixes[i], name);
    return address;
}

)";

inline constexpr std::string_view kAsked = R"(__attribute__((unused)) static size_t product(size_t a, size_t b) {
    size_t bytes;
    return __builtin_mul_overflow(a, b, &bytes) ? SIZE_MAX : bytes;
}

static void check_alignment(void *address, size_t align, size_t offset) {
    if (align != 0 && (align & (align - 1)) == 0 && ((uintptr_t)address + offset) % align != 0)
        fail("a new block is not aligned as requested");
    if (align != 0 && offset % align == 0) asked_align = align;
}

)";

inline constexpr std::string_view kUsableOf = R"(static size_t usable_of(int slot) {
    return slot == NONE || p[slot].address == NULL ? 0 : p[slot].usable;
}

)";

// What a function tells of a block's size beside the block.
inline constexpr std::string_view kTold = R"(static void told(size_t said, size_t usable) {
    if (said != usable) fail("a function told another usable size than the block has");
}

)";

inline constexpr std::string_view kSource = R"(/* A string of that length, the end of one that is as long as any. */
static const char *source(size_t length) {
    enum { LONGEST = 1 << 20 };
    static char text[LONGEST + 1];
    for (size_t i = 0; text[0] == '\0' && i < LONGEST; i++) text[LONGEST - 1 - i] = (char)('!' + (LONGEST - 1 - i) * 7 % 94);
    return text + (LONGEST - length);
}

static void copied(void *copy, const char *text, size_t length) {
    if (copy == NULL) return;
    char *bytes = copy;
    if (memcmp(bytes, text, length) != 0 || bytes[length] != '\0') fail("the copy of a string is not what it was");
}

)";

inline constexpr std::string_view kExpanded =
    R"(static void expanded(int slot, void *address, size_t size) {
    if (address != NULL && address != address_of(slot)) fail("expand answered another block");
    if (address != NULL && size > p[slot].usable) fail("expand answered the block although it has no room");
    if (address != NULL) {
        *(p[slot].requested > kHuge ? &huge_bytes : &live_bytes) -= p[slot].requested;
        *(size > kHuge ? &huge_bytes : &live_bytes) += size;
        p[slot].requested = size;
    }
    check_between();
}

)";

inline constexpr std::string_view kOurs = R"(static void ours(int slot, int answer) {
    if (slot == NONE && answer) fail("NULL is claimed");
    if (slot != NONE && !answer) fail("a live block is not known");
    check_between();
}

)";

inline constexpr std::string_view kFilled = R"(static int can_fill(int slot, size_t bytes) {
    return p[slot].address == NULL && affordable(bytes) && (bytes <= kHuge || bytes >> 47 != 0);
}

/* Allocators differ in what their own functions refuse, so that NULL is not judged. */
static void filled(int slot, void *block, size_t bytes, int zeroed, size_t align, size_t offset) {
    unsigned char *address = block;
    if (address != NULL && bytes > PTRDIFF_MAX) fail("a request of more than PTRDIFF_MAX bytes answered a block");
    if (address != NULL) {
        check_alignment(address, align, offset);
        if (offset != 0) natural_limit = 1;
        for (size_t i = 0; zeroed && i < bytes; i = after(bytes, i)) {
            uint64_t seen = 0;
            memcpy(&seen, address + i, bytes - i < 8 ? bytes - i : 8);
            if (seen != 0) fail("a new block is not zero");
        }
        take_block(slot, address, bytes);
    }
    check_between();
}

)";

inline constexpr std::string_view kAddressOf =
    R"(static void *address_of(int slot) { return slot == NONE ? NULL : p[slot].address; }

)";

inline constexpr std::string_view kMoved =
    R"(static int can_move(int to, int from, size_t bytes) {
    if ((from != NONE && p[from].address == NULL) || (to != from && p[to].address != NULL)) return 0;
    if (bytes == 0 || (bytes > kHuge && bytes >> 47 == 0) || !affordable(bytes)) return 0;
    if (from != NONE) check_before_release(&p[from]);
    return 1;
}

static void moved(int to, int from, void *address, size_t bytes, int failure_frees, size_t align, size_t offset) {
    struct block old = {0};
    if (from != NONE) old = p[from];
    if (address != NULL && bytes > PTRDIFF_MAX) fail("a request of more than PTRDIFF_MAX bytes answered a block");
    asked_align = 1;
    if (from != NONE && (address != NULL || failure_frees)) forget_block(from);
    if (from != NONE && address == NULL && !failure_frees)
        check_block(&p[from], p[from].usable, "a realloc that failed changed the block");
    if (address != NULL) {
        check_alignment(address, align, offset);
        if (offset != 0 || address == old.address) natural_limit = 1;
        old.address = address;
        check_block(&old, old.requested < bytes ? old.requested : bytes, "realloc lost contents");
        take_block(to, address, bytes);
    }
    check_between();
}

)";

inline constexpr std::string_view kRelease =
    R"(static int can_free(int slot) { return slot != NONE && p[slot].address != NULL; }

static void *release(int slot) {
    void *address = p[slot].address;
    check_before_release(&p[slot]);
    forget_block(slot);
    return address;
}

)";

}  // namespace assay::c_runtime
