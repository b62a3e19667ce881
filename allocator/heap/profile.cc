#include "allocator/heap/profile.h"

#include "allocator/base/lock.h"
#include "allocator/os/memory.h"

namespace xi {

namespace {

// As many as a page has numbers for; memory that no sample was noted in is not touched.
constexpr uint16_t kMaxSamples = 16'384;
constexpr uint16_t kNone = 0xffff;
constexpr size_t kTableBytes = align_up(kMaxSamples * sizeof(ProfileSample), kSliceSize);

struct Profile {
  Lock lock;
  ProfileSample* samples = nullptr;
  uint16_t used = 0;            // of the table, so far
  uint16_t first_free = kNone;  // linked by `depth`
};
constinit Profile profile;

uint16_t take_place() {
  if (profile.first_free != kNone) {
    const uint16_t place = profile.first_free;
    profile.first_free = static_cast<uint16_t>(profile.samples[place].depth);
    return place;
  }
  if (profile.samples == nullptr) {
    void* memory = nullptr;
    if (os::map(kTableBytes, kSliceSize, os::Purpose::kMetadata, &memory) != 0) return kNone;
    profile.samples = static_cast<ProfileSample*>(memory);
  }
  if (profile.used == kMaxSamples) return kNone;
  os::will_use(address_of(&profile.samples[profile.used]), sizeof(ProfileSample));
  return profile.used++;
}

}  // namespace

void add_sample(Page* page, size_t bytes, void* const* frames, size_t depth) {
  LockGuard guard(profile.lock);
  const uint16_t place = take_place();
  if (place == kNone) return;
  ProfileSample& sample = profile.samples[place];
  sample.is_live = true;
  sample.bytes = bytes;
  sample.depth = static_cast<uint32_t>(depth);
  for (size_t i = 0; i < depth; ++i) sample.frames[i] = frames[i];
  page->sample = place;
}

void forget_sample(Page* page) {
  if (page->sample == Page::kNoSample) return;
  LockGuard guard(profile.lock);
  ProfileSample& sample = profile.samples[page->sample];
  sample.is_live = false;
  sample.depth = profile.first_free;
  profile.first_free = page->sample;
  page->sample = Page::kNoSample;
}

bool next_sample(size_t* at, ProfileSample* out) {
  LockGuard guard(profile.lock);
  for (; *at < profile.used; ++*at) {
    if (!profile.samples[*at].is_live) continue;
    *out = profile.samples[(*at)++];
    return true;
  }
  return false;
}

void lock_profile() {
  profile.lock.lock();
}
void unlock_profile() {
  profile.lock.unlock();
}

void reset_profile() {
  profile.samples = nullptr;
  profile.used = 0;
  profile.first_free = kNone;
}

}  // namespace xi
