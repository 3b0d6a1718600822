// SPDX-License-Identifier: Apache-2.0
//
// The shim: code and data that stand in the unused end of a process's private copy of the vDSO and add to
// what its clocks say. What is common to all architectures; the code itself is in shim_<architecture>.cc.
//
// A clock that is not in the mask goes to the kernel's function at once. For one that is, the shim calls that
// function, and adds what its table says while the clock has not reached the table's end: agent or no agent,
// a shim whose end is not moved on does nothing any more.
//
// The table exists twice. A change is written to the one that is not in use, and then the sequence is
// counted on: a reader takes the table that the sequence's lowest bit names and reads again if the sequence
// changed meanwhile. No reader ever waits, and none sees a mixture.
#ifndef SABOT_AGENT_CLOCK_SHIM_H_
#define SABOT_AGENT_CLOCK_SHIM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "loader/vdso.h"

namespace sabot::agent {

// CLOCK_REALTIME (0) to CLOCK_BOOTTIME_ALARM (9), by their numbers.
inline constexpr int kClockCount = 10;

// What is added to one clock, as the shim reads it. All zero: nothing.
struct [[gnu::packed]] ShimClock {
  // In the clock's own time; in CLOCK_MONOTONIC's for the two that count processor time. From then on nothing
  // is added.
  int64_t end_sec = 0;
  int64_t offset_sec = 0;
  uint32_t end_nsec = 0;     // below 10^9
  uint32_t offset_nsec = 0;  // below 10^9
  // Added for every 10^9 ns that the clock is away from its end: -10^9 stands still, 10^9 goes twice as fast.
  int32_t rate_ppb = 0;

  friend bool operator==(const ShimClock&, const ShimClock&) = default;
};
static_assert(sizeof(ShimClock) == 28);

// Clocks mostly share what is added to them, and a vDSO has little room.
inline constexpr int kShimSums = 6;
struct ShimTable {
  uint8_t index[12] = {};  // by clock: which of the sums
  ShimClock sums[kShimSums] = {};

  friend bool operator==(const ShimTable&, const ShimTable&) = default;
};

// As it stands in the target's memory, behind the shim's code.
struct ShimData {
  char magic[8] = {};
  uint64_t owner = 0;     // which agent's it is
  uint32_t mask = 0;      // bit N: clock N is looked up in the table
  uint32_t sequence = 0;  // the lowest bit says which table is in use
  ShimTable tables[2] = {};
};
static_assert(offsetof(ShimData, mask) == 16 && offsetof(ShimData, sequence) == 20 &&
              offsetof(ShimData, tables) == 24 && sizeof(ShimTable) == 180 && sizeof(ShimData) == 384);

inline constexpr char kShimMagic[8] = {'S', 'a', 'b', 'o', 't', 'C', 'l', '1'};

// A piece of the image that changes, in bytes from the image's begin.
struct ShimPatch {
  size_t offset = 0;
  std::string original;
  std::string changed;
};

// How to change one image. Offsets are from the image's begin.
struct Shim {
  ShimPatch body;                  // code and data, in what was unused
  size_t data = 0;                 // of the ShimData within the image
  std::vector<ShimPatch> entries;  // the functions' first instructions: a jump into the body

  // Whether an instruction at this address would be executed after half of it was exchanged.
  bool InsideEntry(size_t offset) const;
  bool InsideBody(size_t offset) const;
};

// FAILED_PRECONDITION says what about the image is not understood: a function that is missing, first
// instructions that cannot be moved, a jump into them, no room. Pure.
absl::StatusOr<Shim> BuildShim(const loader::VdsoImage& image, uint64_t owner);

}  // namespace sabot::agent

#endif  // SABOT_AGENT_CLOCK_SHIM_H_
