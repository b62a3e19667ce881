// The pieces of C that an exported program stands on: a table of live blocks and the checks on it. Only what a program
// uses is emitted, since an unused static function is a warning. What each piece does follows
// harness/exec/operations.cc.
//
// The allocator is called through volatile pointers: compilers know what malloc promises (that it aligns, that a new
// block is no other one, that calloc's is zero, that errno stays), and would take for granted what is to be checked.
#pragma once

#include <string_view>

namespace assay::c_runtime {

inline constexpr std::string_view kIncludes = R"(#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
)";
inline constexpr std::string_view kThreadIncludes = "#include <pthread.h>\n#include <semaphore.h>\n";
inline constexpr std::string_view kWaitInclude = "#include <sys/wait.h>\n";
inline constexpr std::string_view kSharedInclude = "#include <sys/mman.h>\n";

inline constexpr std::string_view kFailing = R"(
/* ---- what is checked; the program itself is at the end ---- */

static volatile int running;        /* the operation, for the message */
static volatile sig_atomic_t done;

static _Noreturn void fail(const char *what) {
    char text[200];
    int length = snprintf(text, sizeof text, "FAILED at operation %d: %s\n", running, what);
    if (write(2, text, (size_t)length) < 0) _exit(2);
    _exit(1);
}

static void on_signal(int number) {
    fail(number == SIGALRM ? "it hangs" : number == SIGABRT ? "the process was aborted" : "crash");
}

static void on_exit_inside(void) {
    if (!done) fail("the process was ended");
}

/* Nothing may end the process, or keep it waiting, unnoticed. */
static void watch(void) {
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGALRM};
    static char stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) sigaction(fatal[i], &action, NULL);
    atexit(on_exit_inside);
}

static void operation(int number) {
    running = number;
    alarm(20);
}

static void finished(void) {
    alarm(0);
    done = 1;
}

)";

inline constexpr std::string_view kBlocks = R"(struct block {
    unsigned char *address;         /* NULL: the slot is empty */
    size_t requested, usable;
    uint64_t seed;
    size_t align;                   /* that its first byte was asked to have */
};
static struct block p[SLOTS];
static size_t live_bytes, huge_bytes, checked_bytes;    /* huge: above kHuge, hardly touched */
static const size_t kHuge = (size_t)4 << 30;

enum { MIB = 1 << 20 };
static const size_t kWholeLimit = (size_t)16 * MIB;     /* of larger blocks, the first and the last MiB are checked */
static const size_t kCheckLimit = (size_t)512 * MIB;    /* so many bytes are checked between operations */

/* The function of that name, NULL unless malloc comes from the same allocator: a preloaded one may lack some. */
static void *offered(const char *prefix, const char *name) {
    Dl_info of_malloc, of_function;
    char whole[100];
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    void *address = dlsym(RTLD_DEFAULT, whole);
    if (address == NULL || !dladdr(address, &of_function)) return NULL;
    if (!dladdr(dlsym(RTLD_DEFAULT, PREFIX "malloc"), &of_malloc)) return NULL;
    return of_malloc.dli_fbase == of_function.dli_fbase ? address : NULL;
}

__attribute__((unused)) static int offers(const char *name) { return offered(PREFIX, name) != NULL; }

/* Through volatile pointers, so that no compiler takes for granted what is checked here. */
static void (*volatile the_free)(void *) = OURS(free);

static size_t usable_size(void *address, size_t requested) {
    static size_t (*volatile the_usable_size)(void *);
    static int known;
    if (!known) {
        static const char *const names[] = {"malloc_usable_size", "usable_size", "malloc_size"};
        size_t last = sizeof names / sizeof names[0] - 1;
        for (size_t i = 0; the_usable_size == NULL && i <= last; i++)
            the_usable_size = (size_t (*)(void *))offered(PREFIX, names[i]);
        known = 1;
    }
    return the_usable_size != NULL ? the_usable_size(address) : requested;
}

/* Each block holds a pattern of its own, by words. */
static uint64_t word_at(const struct block *b, size_t i) { return b->seed + i / 8 * 0x9e3779b97f4a7c15u; }

/* The word after the one at i that is filled and checked. */
static size_t after(size_t usable, size_t i) {
    return usable > kWholeLimit && i + 8 == MIB ? (usable - MIB) / 8 * 8 : i + 8;
}

static void check_block(const struct block *b, size_t bytes, const char *what) {
    for (size_t i = 0; i < bytes; i = after(b->usable, i)) {
        uint64_t word = word_at(b, i), seen = word;
        memcpy(&seen, b->address + i, bytes - i < 8 ? bytes - i : 8);
        if (seen != word) fail(what);
    }
}

static void check_all(void) {
    for (int i = 0; i < SLOTS; i++)
        if (p[i].address != NULL) check_block(&p[i], p[i].usable, "a live block lost its contents");
}

/* After each call into the allocator, while it is not too much. */
static void check_between(void) {
    size_t bytes = live_bytes + SLOTS;
    if (bytes > kCheckLimit - checked_bytes) return;
    checked_bytes += bytes;
    check_all();
}

static void check_before_release(const struct block *b) {
    if (usable_size(b->address, b->requested) != b->usable) fail("the usable size of a live block changed");
    check_block(b, b->usable, "a live block lost its contents");
}

static void forget_block(int slot) {
    *(p[slot].requested > kHuge ? &huge_bytes : &live_bytes) -= p[slot].requested;
    p[slot].address = NULL;
}

)";

// For programs that allocate at all.
inline constexpr std::string_view kTake =
    R"(static const size_t kLiveLimit = (size_t)1 << 30;
static const size_t kHugeLimit = (size_t)256 << 30;

/* Requests beyond the limits are skipped. Huge ones may fail or not, with ENOMEM; only the first may be of any size. */
static int affordable(size_t bytes) {
    if (bytes > PTRDIFF_MAX) return 1;
    if (bytes > kHuge) return huge_bytes == 0 || bytes <= kHugeLimit - huge_bytes;
    return bytes <= kLiveLimit - live_bytes;
}

/* Less for a block of which a byte inside is aligned, and for one that stays where it is. */
static size_t natural_limit = 16;
static size_t asked_align = 1;      /* of the first byte of the next block, for functions that have to be told */

/* A new block: aligned, as usable as requested, in no other live one; then filled to its last usable byte. */
static void take_block(int slot, void *address, size_t requested) {
    static uint64_t allocations;
    struct block *b = &p[slot];
    size_t natural = 1;
    while (natural < natural_limit && natural * 2 <= requested) natural *= 2;
    natural_limit = 16;
    if ((uintptr_t)address % natural != 0) fail("a new block is not aligned");
    size_t usable = usable_size(address, requested);
    if (usable < requested) fail("the usable size of a new block is less than was requested");
    if (usable > UINTPTR_MAX - (uintptr_t)address) fail("the usable size of a new block is more than there can be");
    size_t extent = usable == 0 ? 1 : usable;
    for (int i = 0; i < SLOTS; i++) {
        size_t other = p[i].usable == 0 ? 1 : p[i].usable;
        if (p[i].address != NULL && (uintptr_t)address < (uintptr_t)p[i].address + other &&
            (uintptr_t)p[i].address < (uintptr_t)address + extent)
            fail("a new block overlaps a live one");
    }
    *b = (struct block){address, requested, usable, ++allocations * 0xbf58476d1ce4e5b9u, asked_align};
    asked_align = 1;
    *(requested > kHuge ? &huge_bytes : &live_bytes) += requested;
    for (size_t i = 0; i < usable; i = after(usable, i)) {
        uint64_t word = word_at(b, i);
        memcpy(b->address + i, &word, usable - i < 8 ? usable - i : 8);
    }
}

)";

inline constexpr std::string_view kRandom = R"(/* splitmix64, which draws sizes and random halves */
static uint64_t mixed(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t random_at(uint64_t seed, uint64_t index) {
    return mixed(mixed(seed) + (index + 1) * 0x9e3779b97f4a7c15u);
}

__extension__ typedef unsigned __int128 uint128;
static uint64_t below(uint64_t bits, uint64_t bound) { return (uint64_t)(((uint128)bits * bound) >> 64); }

)";

inline constexpr std::string_view kDrawn = R"(/* What the i-th operation of a loop draws from [low, high]. */
static size_t drawn(uint64_t low, uint64_t high, uint64_t seed, uint64_t i) {
    uint64_t bits = random_at(seed, i), count = high - low + 1;
    return count == 0 ? bits : low + below(bits, count);
}

)";

inline constexpr std::string_view kHalf = R"(/* A random half of the slots first, first + step, ... */
struct half {
    uint64_t seed;
    int first, step;
    uint64_t span, left, position;
};

static int next_of_half(struct half *h) {
    while (below(random_at(h->seed, h->position), h->span - h->position) >= h->left) h->position++;
    h->left--;
    return h->first + (int)h->position++ * h->step;
}

)";

// For malloc itself, and the child of a fork.
inline constexpr std::string_view kTheMalloc = R"(static void *(*volatile the_malloc)(size_t) = OURS(malloc);

)";

inline constexpr std::string_view kMalloc = R"(static void do_malloc(int slot, size_t size) {
    if (p[slot].address != NULL || !affordable(size)) return;
    errno = 0;
    void *address = the_malloc(size);
    if (address != NULL && size > PTRDIFF_MAX) fail("malloc of more than PTRDIFF_MAX bytes answered a block");
    if (address != NULL) take_block(slot, address, size);
    else if (size > kLiveLimit && errno != ENOMEM) fail("malloc failed without ENOMEM");
    else if (size <= kLiveLimit && size != 0) fail("malloc answered NULL");
    check_between();
}

)";

inline constexpr std::string_view kCalloc = R"(static void *(*volatile the_calloc)(size_t, size_t) = OURS(calloc);

static void do_calloc(int slot, size_t count, size_t size) {
    size_t bytes = 0;
    int too_much = __builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX;
    /* It might be cleared by hand, for minutes. */
    int too_slow = !too_much && bytes > kHuge && bytes >> 47 == 0;
    if (p[slot].address != NULL || !(too_much || affordable(bytes)) || too_slow || !offers("calloc")) return;
    errno = 0;
    unsigned char *address = the_calloc(count, size);
    if (address != NULL && too_much) fail("calloc of more than PTRDIFF_MAX bytes answered a block");
    if (address == NULL && (too_much || bytes > kLiveLimit) && errno != ENOMEM) fail("calloc failed without ENOMEM");
    if (address == NULL && !too_much && bytes != 0 && bytes <= kLiveLimit) fail("calloc answered NULL");
    if (address != NULL) {
        for (size_t i = 0; i < bytes; i = after(bytes, i)) {
            uint64_t seen = 0;
            memcpy(&seen, address + i, bytes - i < 8 ? bytes - i : 8);
            if (seen != 0) fail("a new block of calloc is not zero");
        }
        take_block(slot, address, bytes);
    }
    check_between();
}

)";

inline constexpr std::string_view kRealloc = R"(static void *(*volatile the_realloc)(void *, size_t) = OURS(realloc);

static void do_realloc(int to, int from, size_t size) {
    struct block old = {0};
    if (from != NONE) old = p[from];
    if ((from != NONE && old.address == NULL) || (to != from && p[to].address != NULL)) return;
    size_t kept = old.requested < size ? old.requested : size;
    if (kept > kLiveLimit || !affordable(size) || !offers("realloc")) return;
    if (from != NONE) check_before_release(&old);
    errno = 0;
    unsigned char *address = the_realloc(old.address, size);
    if (address != NULL && size > PTRDIFF_MAX) fail("realloc to more than PTRDIFF_MAX bytes answered a block");
    if (address == NULL && size != 0) {
        if (size <= kLiveLimit) fail("realloc answered NULL");
        if (errno != ENOMEM) fail("realloc failed without ENOMEM");
        if (from != NONE) check_block(&p[from], p[from].usable, "a realloc that failed changed the block");
    }
    /* realloc to 0 bytes that answers NULL has freed the block, or keeps it (C11 leaves that open): it is not used again. */
    if (from != NONE && (address != NULL || size == 0)) forget_block(from);
    if (address != NULL) {
        if (address == old.address) natural_limit = 1;
        old.address = address;
        check_block(&old, kept, "realloc lost contents");
        take_block(to, address, size);
    }
    check_between();
}

)";

inline constexpr std::string_view kAlignedAlloc =
    R"(static void *(*volatile the_aligned_alloc)(size_t, size_t) = OURS(aligned_alloc);

static void do_aligned_alloc(int slot, size_t align, size_t size) {
    int power = align != 0 && (align & (align - 1)) == 0;
    /* C11 leaves open what a size that is no multiple of the alignment gets. */
    int must = power && size % align == 0 && align <= kLiveLimit;
    if (p[slot].address != NULL || !affordable(size) || !offers("aligned_alloc")) return;
    errno = 0;
    void *address = the_aligned_alloc(align, size);
    if (address == NULL && must && size <= kLiveLimit && size != 0) fail("aligned_alloc answered NULL");
    if (address == NULL && must && size > kLiveLimit && errno != ENOMEM) fail("aligned_alloc failed without ENOMEM");
    if (address != NULL) {
        if (size > PTRDIFF_MAX) fail("aligned_alloc of more than PTRDIFF_MAX bytes answered a block");
        if (power && (uintptr_t)address % align != 0) fail("a new block is not aligned as requested");
        asked_align = power ? align : 1;
        take_block(slot, address, size);
    }
    check_between();
}

)";

inline constexpr std::string_view kPosixMemalign =
    R"(static int (*volatile the_posix_memalign)(void **, size_t, size_t) = OURS(posix_memalign);

static void do_posix_memalign(int slot, size_t align, size_t size) {
    int valid = align % sizeof(void *) == 0 && align != 0 && (align & (align - 1)) == 0;
    int modest = align <= kLiveLimit;
    if (p[slot].address != NULL || !affordable(size) || !offers("posix_memalign")) return;
    void *out = p;
    int error = the_posix_memalign(&out, align, size);
    void *address = error == 0 ? out : NULL;
    if (error == 0 && !valid) fail("posix_memalign accepted an alignment that is not valid");
    if (error == 0 && size > PTRDIFF_MAX) fail("posix_memalign of more than PTRDIFF_MAX bytes succeeded");
    if (error == 0 && (address == (void *)p || (address == NULL && size != 0))) fail("posix_memalign answered no block");
    if (error != 0 && valid && modest && size <= kLiveLimit) fail("posix_memalign failed");
    if (CHECK_ERRORS && error != 0) {
        if (!valid && size <= PTRDIFF_MAX && error != EINVAL) fail("an alignment that is not valid is EINVAL");
        if (valid && modest && error != ENOMEM) fail("posix_memalign failed without ENOMEM");
        if (out != (void *)p) fail("a posix_memalign that failed changed the pointer");
    }
    if (address != NULL) {
        if ((uintptr_t)address % align != 0) fail("a new block is not aligned as requested");
        asked_align = align;
        take_block(slot, address, size);
    }
    check_between();
}

)";

inline constexpr std::string_view kFree = R"(static void do_free(int slot) {
    if (slot != NONE && p[slot].address == NULL) return;
    void *address = slot == NONE ? NULL : p[slot].address;
    if (slot != NONE) {
        check_before_release(&p[slot]);
        forget_block(slot);
    }
    errno = 12345;
    the_free(address);
    if (CHECK_ERRORS && errno != 12345) fail("free changed errno, which POSIX.1-2024 forbids");
    check_between();
}

)";

inline constexpr std::string_view kUsableSize = R"(static void do_usable_size(int slot) {
    if (slot == NONE) {
        if (usable_size(NULL, 0) != 0) fail("the usable size of NULL is not 0");
    } else if (p[slot].address != NULL && usable_size(p[slot].address, p[slot].requested) != p[slot].usable) {
        fail("the usable size of a live block changed");
    }
    check_between();
}

)";

inline constexpr std::string_view kCheck = R"(static void do_check(int slot) {
    if (slot != NONE && p[slot].address != NULL) check_before_release(&p[slot]);
}

)";

inline constexpr std::string_view kCollect = R"(static void do_collect(void) {
    malloc_trim(0);
    check_between();
}

)";

inline constexpr std::string_view kCollectByName = R"(static void do_collect(void) {
    void *collect = offered(PREFIX, "collect"), *trim = offered(PREFIX, "malloc_trim");
    if (collect != NULL) ((void (*)(_Bool))collect)(1);
    else if (trim != NULL) ((int (*)(size_t))trim)(0);
    check_between();
}

)";

inline constexpr std::string_view kAdvanceClock = R"(/* What an allocator does after a delay, it may do now. */
static void wait_ms(size_t ms) {
    usleep((useconds_t)(ms < 2000 ? ms : 2000) * 1000);
    check_between();
}

)";

inline constexpr std::string_view kFork =
    R"(static void take_each_class(size_t largest) {
    int slot = SLOTS - CHILD_SLOTS;
    for (size_t size = 1; size <= largest; size += size < 128 ? 8 : size < 640 * 1024 ? size / 8 : size) {
        while (slot < SLOTS && p[slot].address != NULL) slot++;
        void *address = slot < SLOTS ? the_malloc(size) : NULL;
        if (address != NULL) take_block(slot, address, size);
    }
}

static void free_one_in(int step) {
    for (int i = 0; i < SLOTS; i += step)
        if (p[i].address != NULL) do_free(i);
}

static void *live_in_child(void *unused) {
    free_one_in(2);
    take_each_class(64 * 1024);
    free_one_in(3);
    return unused;
}

/* The child checks every block, allocates in each size class, starts a thread that does so too, frees everything, and
   says by its status how it went. */
static void do_fork(void) {
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) return;
    if (child == 0) {
        alarm(20);
        check_all();
        take_each_class(4 * MIB);
        pthread_t thread;
        if (pthread_create(&thread, NULL, live_in_child, NULL) == 0) pthread_join(thread, NULL);
        check_all();
        free_one_in(1);
        _exit(0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) fail("the forked child failed");
    check_between();
}

)";

// For functions whose names have a prefix.
inline constexpr std::string_view kFound = R"(static void *found(const char *name) {
    void *function = offered(PREFIX, name);
    if (function != NULL) return function;
    fprintf(stderr, "no function " PREFIX "%s here: the library has to be preloaded\n", name);
    exit(2);
}

)";

inline constexpr std::string_view kExitGuard =
    R"(static int *whole;                  /* 1 when the program ran to its end */

/* The program runs in a child, so that an allocator that ends the process with status 0 is noticed. */
static void guard_against_exit(void) {
    whole = mmap(NULL, sizeof *whole, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (child <= 0) return;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) _exit(1);
    if (!*whole) fail("the process was ended");
    _exit(0);
}

)";

inline constexpr std::string_view kThreads = R"(/* Threads take turns, so that the order is the program's. */
static void await(sem_t *semaphore) {
    while (sem_wait(semaphore) != 0) {
    }
}

)";

}  // namespace assay::c_runtime
