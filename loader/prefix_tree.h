// SPDX-License-Identifier: Apache-2.0
//
// Longest-prefix match in a map of cells (bpf/abi/network.h): a tree that branches by four bits at a time and
// skips bits that all below it share, so that a look-up reads about log16(prefixes) cells and one leaf, where
// the kernel's own trie walks down bit by bit. Trees are never changed: a new one is built beside the old
// one, and the old one's cells are used again only after programs that still read it must have ended.
#ifndef SABOT_LOADER_PREFIX_TREE_H_
#define SABOT_LOADER_PREFIX_TREE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bpf/abi/network.h"
#include "loader/fd.h"
#include "loader/map.h"
#include "loader/prefix.h"

namespace sabot::loader {

// Owns the map of cells, which grows as needed; 64 bytes of kernel memory a cell. Thread-compatible.
class PrefixCells {
 public:
  // `outer` is the map of maps in whose only slot the programs find the cells. Borrowed.
  explicit PrefixCells(int outer) : outer_(outer) {}

  // A root for the programs to begin at: 0, which matches nothing, for an empty list. `prefixes` are of one
  // family, sorted, without duplicates, none a whole IPv6 address. RESOURCE_EXHAUSTED beyond 2^22 cells.
  // `cells` receives what the tree takes; they are to be given back by Retire().
  absl::StatusOr<uint32_t> Build(std::span<const PrefixRules> prefixes, std::vector<uint32_t>& cells);

  // Cells of a tree that no program finds any more from now on.
  void Retire(std::vector<uint32_t> cells);

 private:
  struct Retired {
    uint64_t free_at_ns;  // CLOCK_BOOTTIME
    std::vector<uint32_t> cells;
  };

  absl::Status Reserve(size_t count);
  absl::Status Grow(size_t capacity);

  int outer_;
  UniqueFd map_;
  std::unique_ptr<MappedArray<sabot_cell>> memory_;
  std::vector<uint32_t> free_;
  std::vector<Retired> retired_;
};

}  // namespace sabot::loader

#endif  // SABOT_LOADER_PREFIX_TREE_H_
