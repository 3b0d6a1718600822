// SPDX-License-Identifier: Apache-2.0
#include "loader/prefix_tree.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "loader/clock.h"
#include "loader/status.h"

namespace sabot::loader {
namespace {

constexpr size_t kFirstCapacity = 256;
constexpr size_t kMaxCells = size_t{1} << 22;
// Programs run for microseconds; this is for the slowest of machines.
constexpr uint64_t kGraceNs = 1'000'000'000;
constexpr int kNone = -1;

struct Bits {
  uint64_t high, low;
};

Bits BitsOf(const Prefix& prefix) {
  const auto word = [&](int from) {
    uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | prefix.address[from + i];
    return value;
  };
  return {.high = word(0), .low = word(8)};
}

int CommonBits(const Bits& a, const Bits& b) {
  const int high = std::countl_zero(a.high ^ b.high);
  return high < 64 ? high : 64 + std::countl_zero(a.low ^ b.low);
}

uint32_t NibbleAt(const Bits& bits, int position) {
  return static_cast<uint32_t>(position < 16 ? bits.high >> (60 - 4 * position)
                                             : bits.low >> (124 - 4 * position)) &
         15;
}

// Writes one tree. Leaf i is that of prefix i, in cell `cells[i]`; nodes take the cells behind.
class Builder {
 public:
  Builder(std::span<const PrefixRules> prefixes, MappedArray<sabot_cell>& memory,
          const std::vector<uint32_t>& cells)
      : prefixes_(prefixes), memory_(memory), cells_(cells), used_(prefixes.size()) {}

  uint32_t Build() {
    WriteLeaves();
    return Subtree(0, prefixes_.size(), kNone);
  }
  size_t used() const { return used_; }

 private:
  // Prefixes are sorted so that a stack holds the ones around the current one.
  void WriteLeaves() {
    std::vector<int> around;
    std::vector<int> parent(prefixes_.size(), kNone);
    for (size_t i = 0; i < prefixes_.size(); ++i) {
      while (!around.empty() && !Covers(prefixes_[around.back()].prefix, prefixes_[i].prefix))
        around.pop_back();
      parent[i] = around.empty() ? kNone : around.back();
      around.push_back(static_cast<int>(i));
      WriteLeaf(i, parent);
    }
  }

  void WriteLeaf(size_t i, const std::vector<int>& parent) {
    const Bits bits = BitsOf(prefixes_[i].prefix);
    sabot_leaf leaf = {};
    leaf.high = bits.high;
    leaf.low = bits.low;
    int at = static_cast<int>(i);
    for (; at != kNone && leaf.count < SABOT_LEAF_PREFIXES; at = parent[at]) {
      leaf.rules[leaf.count] = prefixes_[at].rules;
      leaf.length[leaf.count++] = prefixes_[at].prefix.length;
    }
    leaf.next = at == kNone ? 0 : LeafRef(at);
    memory_[cells_[i]].leaf = leaf;
  }

  uint32_t LeafRef(int i) const { return i == kNone ? 0 : SABOT_REF_LEAF | cells_[i]; }

  // The tree of prefixes [begin, end), all covered by `cover`, the longest such outside of the range.
  uint32_t Subtree(size_t begin, size_t end, int cover) {
    while (begin < end && Covers(prefixes_[begin].prefix, prefixes_[end - 1].prefix)) {
      cover = static_cast<int>(begin++);
    }
    if (begin == end) return LeafRef(cover);
    const int shared = CommonBits(BitsOf(prefixes_[begin].prefix), BitsOf(prefixes_[end - 1].prefix));
    const int position = shared / 4;
    sabot_node node = {};
    // Of the prefixes that end inside these four bits, the longest for each value.
    int shorter[SABOT_NODE_CHILDREN];
    std::fill(std::begin(shorter), std::end(shorter), cover);
    for (uint32_t value = 0; value < SABOT_NODE_CHILDREN; ++value) {
      for (; begin < end && Nibble(begin, position) == value && Ends(begin, position); ++begin) {
        const int beyond = 4 * position + 4 - prefixes_[begin].prefix.length;
        for (uint32_t covered = value; covered < value + (1u << beyond); ++covered) {
          shorter[covered] = static_cast<int>(begin);
        }
      }
      size_t next = begin;
      while (next < end && Nibble(next, position) == value) ++next;
      node.child[value] = Subtree(begin, next, shorter[value]);
      begin = next;
    }
    const uint32_t cell = cells_[used_++];
    memory_[cell].node = node;
    return static_cast<uint32_t>(position) << SABOT_REF_POSITION_SHIFT | cell;
  }

  uint32_t Nibble(size_t i, int position) const { return NibbleAt(BitsOf(prefixes_[i].prefix), position); }
  bool Ends(size_t i, int position) const { return prefixes_[i].prefix.length < 4 * position + 4; }

  std::span<const PrefixRules> prefixes_;
  MappedArray<sabot_cell>& memory_;
  const std::vector<uint32_t>& cells_;
  size_t used_;
};

}  // namespace

bool Covers(const Prefix& outer, const Prefix& inner) {
  if (outer.v6 != inner.v6 || outer.length > inner.length) return false;
  return CommonBits(BitsOf(outer), BitsOf(inner)) >= outer.length;
}

absl::StatusOr<uint32_t> PrefixCells::Build(std::span<const PrefixRules> prefixes,
                                            std::vector<uint32_t>& cells) {
  if (prefixes.empty()) return 0;
  // Every node parts at least two prefixes, or one from what covers it.
  const size_t bound = 2 * prefixes.size();
  SABOT_RETURN_IF_ERROR(Reserve(bound));
  cells.assign(free_.end() - static_cast<ptrdiff_t>(bound), free_.end());
  free_.resize(free_.size() - bound);
  Builder builder(prefixes, *memory_, cells);
  const uint32_t root = builder.Build();
  free_.insert(free_.end(), cells.begin() + static_cast<ptrdiff_t>(builder.used()), cells.end());
  cells.resize(builder.used());
  return root;
}

void PrefixCells::Retire(std::vector<uint32_t> cells) {
  if (!cells.empty()) retired_.push_back({BootTimeNs() + kGraceNs, std::move(cells)});
}

absl::Status PrefixCells::Reserve(size_t count) {
  const uint64_t now = BootTimeNs();
  std::erase_if(retired_, [&](const Retired& batch) {
    if (batch.free_at_ns > now) return false;
    free_.insert(free_.end(), batch.cells.begin(), batch.cells.end());
    return true;
  });
  if (free_.size() >= count) return absl::OkStatus();
  const size_t old = memory_ == nullptr ? 1 : memory_->size();  // cell 0 is nobody's
  return Grow(std::max(kFirstCapacity, std::bit_ceil(old + count - free_.size())));
}

absl::Status PrefixCells::Grow(size_t capacity) {
  if (capacity > kMaxCells) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the prefixes of all peers together need more than ", kMaxCells, " cells"));
  }
  const auto entries = static_cast<uint32_t>(capacity);
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
  UniqueFd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "sabot_cells", sizeof(uint32_t), sizeof(sabot_cell),
                              entries, &options));
  if (!map.valid()) return ErrnoStatus(errno, absl::StrCat("create BPF map sabot_cells of ", capacity));
  SABOT_ASSIGN_OR_RETURN(auto mapped, MappedArray<sabot_cell>::Create(map.get(), entries, "sabot_cells"));
  auto memory = std::make_unique<MappedArray<sabot_cell>>(std::move(mapped));
  const uint32_t old = memory_ == nullptr ? 1 : memory_->size();
  if (memory_ != nullptr) std::memcpy(&(*memory)[0], &(*memory_)[0], old * sizeof(sabot_cell));
  const uint32_t slot = 0;
  const int fd = map.get();
  // The kernel returns once no program uses the map that was there.
  if (bpf_map_update_elem(outer_, &slot, &fd, BPF_ANY) != 0) {
    return ErrnoStatus(errno, "put BPF map sabot_cells into its slot");
  }
  memory_ = std::move(memory);
  map_ = std::move(map);
  for (uint32_t cell = entries; cell-- > old;) free_.push_back(cell);
  return absl::OkStatus();
}

}  // namespace sabot::loader
