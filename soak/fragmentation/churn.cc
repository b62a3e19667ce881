#include "soak/fragmentation/churn.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

namespace assay {
namespace {

constexpr size_t kPageBytes = 4096;

// A part of the bytes in use is in blocks that live sixteen times as long: they hold on to pages that all others leave.
constexpr uint64_t kOldOneIn = 8;
constexpr uint64_t kGrowsOldOneIn = 16;
constexpr uint64_t kFreedElsewhereOneIn = 8;

// Sizes between the two, every doubling as likely as the other.
struct Demand {
  double least, most;
};
constexpr Demand kDemands[] = {{32, 1024}, {256, 8192}, {1024, 32768}, {32, 32768}};

}  // namespace

void BlockPool::add(const ChurnBlock& block) {
  blocks_.push_back(block);
  bytes_ += block.bytes;
}

ChurnBlock BlockPool::take(size_t index) {
  const ChurnBlock block = blocks_[index];
  blocks_[index] = blocks_.back();
  blocks_.pop_back();
  bytes_ -= block.bytes;
  return block;
}

Churn::Churn(const Subject& subject, uint64_t live_bytes, unsigned threads, uint64_t seed)
    : subject_(subject), seat_bytes_(live_bytes / threads), seats_(threads) {
  for (unsigned i = 0; i < threads; ++i) seats_[i].random.seed(static_cast<unsigned>(seed * 1000 + i + 1));
}

Churn::~Churn() {
  for (Seat& seat : seats_) {
    free_returned(seat);
    for (BlockPool* pool : {&seat.young, &seat.old}) {
      while (pool->count() > 0) free_block(pool->take(pool->count() - 1));
    }
  }
}

void Churn::free_block(const ChurnBlock& block) const {
  subject_.api().free(block.address);
}

bool Churn::allocate(Seat& seat, uint64_t phase) {
  const Demand& demand = kDemands[phase % std::size(kDemands)];
  const double place = static_cast<double>(seat.random() - std::minstd_rand::min()) /
                       static_cast<double>(std::minstd_rand::max() - std::minstd_rand::min());
  ChurnBlock block;
  block.bytes = static_cast<size_t>(demand.least * std::exp(place * std::log(demand.most / demand.least)));
  block.address = static_cast<unsigned char*>(subject_.api().malloc(block.bytes));
  if (block.address == nullptr) return false;
  // As a program would use it: every page of it becomes resident.
  for (size_t at = 0; at < block.bytes; at += kPageBytes) block.address[at] = 1;
  seat.young.add(block);
  return true;
}

// One young block goes: it is freed, here or by the neighbour, or grows old, and then old ones make room for it.
void Churn::retire_one(Seat& seat, Seat& neighbour) {
  if (seat.young.count() == 0) return;
  const ChurnBlock block = seat.young.take(seat.random() % seat.young.count());
  if (seat.random() % kGrowsOldOneIn == 0) {
    seat.old.add(block);
    while (seat.old.bytes() > seat_bytes_ / kOldOneIn) free_block(seat.old.take(seat.random() % seat.old.count()));
  } else if (seat.random() % kFreedElsewhereOneIn == 0) {
    const std::lock_guard guard(neighbour.lock);
    neighbour.returned.push_back(block);
  } else {
    free_block(block);
  }
}

void Churn::free_returned(Seat& seat) const {
  const std::lock_guard guard(seat.lock);
  for (const ChurnBlock& block : seat.returned) free_block(block);
  seat.returned.clear();
}

void Churn::work(Seat& seat, Seat& neighbour, uint64_t operations, uint64_t phase) {
  for (uint64_t i = 0; i < operations; ++i) {
    retire_one(seat, neighbour);
    while (seat.young.bytes() + seat.old.bytes() < seat_bytes_) {
      if (!allocate(seat, phase)) {
        std::atomic_ref(failed_).store(true);
        return;
      }
    }
    if (i % 64 == 0) free_returned(seat);
  }
}

bool Churn::run(uint64_t operations, uint64_t phase) {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < seats_.size(); ++i) {
    threads.emplace_back([this, i, operations, phase] {
      work(seats_[i], seats_[(i + 1) % seats_.size()], operations / seats_.size(), phase);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (Seat& seat : seats_) free_returned(seat);
  return !failed_;
}

uint64_t Churn::live_bytes() const {
  uint64_t bytes = 0;
  for (const Seat& seat : seats_) bytes += seat.young.bytes() + seat.old.bytes();
  return bytes;
}

uint64_t Churn::touched_bytes() const {
  std::vector<uintptr_t> pages;
  for (const Seat& seat : seats_) {
    for (const BlockPool* pool : {&seat.young, &seat.old}) {
      for (const ChurnBlock& block : pool->blocks()) {
        const auto first = reinterpret_cast<uintptr_t>(block.address) / kPageBytes;
        const auto last = (reinterpret_cast<uintptr_t>(block.address) + block.bytes - 1) / kPageBytes;
        for (uintptr_t page = first; page <= last; ++page) pages.push_back(page);
      }
    }
  }
  std::sort(pages.begin(), pages.end());
  return static_cast<uint64_t>(std::unique(pages.begin(), pages.end()) - pages.begin()) * kPageBytes;
}

}  // namespace assay
