// SPDX-License-Identifier: Apache-2.0
//
// Typed views of BPF maps. A view borrows the map's descriptor, which must outlive it. Look-ups and updates
// of the kernel are atomic per element as the map type defines; the views themselves are thread-compatible.
#ifndef SABOT_LOADER_MAP_H_
#define SABOT_LOADER_MAP_H_

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "loader/status.h"

namespace sabot::loader {

// Any map that is keyed.
template <typename Key, typename Value>
class MapRef {
 public:
  MapRef(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  absl::Status Set(const Key& key, const Value& value) {
    if (bpf_map_update_elem(fd_, &key, &value, BPF_ANY) == 0) return absl::OkStatus();
    const std::string attempt = absl::StrCat("update BPF map ", name_);
    if (errno == E2BIG || errno == ENOSPC)
      return absl::ResourceExhaustedError(absl::StrCat(attempt, ": it is full"));
    return ErrnoStatus(errno, attempt);
  }

  // Erasing what is not there is fine.
  absl::Status Erase(const Key& key) {
    if (bpf_map_delete_elem(fd_, &key) == 0 || errno == ENOENT) return absl::OkStatus();
    return ErrnoStatus(errno, absl::StrCat("delete from BPF map ", name_));
  }

 private:
  int fd_;
  std::string name_;
};

// An array with one value per CPU, whose value is a struct of u64 counters only.
template <typename Value>
class PerCpuArrayRef {
  static constexpr size_t kWords = sizeof(Value) / sizeof(uint64_t);
  static_assert(sizeof(Value) % sizeof(uint64_t) == 0);

 public:
  PerCpuArrayRef(int fd, std::string name)
      : fd_(fd), name_(std::move(name)), cpus_(libbpf_num_possible_cpus()) {}

  // The sum over all CPUs.
  absl::StatusOr<Value> Sum(uint32_t index) const {
    std::vector<Value> values(cpus_);
    if (bpf_map_lookup_elem(fd_, &index, values.data()) != 0) {
      return ErrnoStatus(errno, absl::StrCat("read BPF map ", name_));
    }
    Value sum = {};
    auto* words = reinterpret_cast<uint64_t*>(&sum);
    for (const Value& value : values) {
      const auto* add = reinterpret_cast<const uint64_t*>(&value);
      for (size_t i = 0; i < kWords; ++i) words[i] += add[i];
    }
    return sum;
  }

  absl::Status Clear(uint32_t index) {
    std::vector<Value> zeros(cpus_);
    if (bpf_map_update_elem(fd_, &index, zeros.data(), BPF_ANY) == 0) return absl::OkStatus();
    return ErrnoStatus(errno, absl::StrCat("clear BPF map ", name_));
  }

 private:
  int fd_;
  std::string name_;
  int cpus_;
};

// An mmap-able array, seen as memory that the kernel's programs read at the same time. 64-bit fields are
// written with Store(), so that a program sees the old or the new value and stores are seen in order.
template <typename Value>
class MappedArray {
  static_assert(sizeof(Value) % 8 == 0, "the kernel rounds values up to 8 bytes");

 public:
  static absl::StatusOr<MappedArray> Create(int fd, uint32_t entries, const std::string& name) {
    const size_t size = sizeof(Value) * entries;
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return ErrnoStatus(errno, absl::StrCat("mmap BPF map ", name));
    return MappedArray(static_cast<Value*>(memory), entries);
  }
  MappedArray(MappedArray&& other) noexcept
      : values_(std::exchange(other.values_, nullptr)), entries_(other.entries_) {}
  MappedArray& operator=(MappedArray&&) = delete;
  ~MappedArray() {
    if (values_ != nullptr) munmap(values_, sizeof(Value) * entries_);
  }

  uint32_t size() const { return entries_; }
  Value& operator[](uint32_t index) { return values_[index]; }

 private:
  MappedArray(Value* values, uint32_t entries) : values_(values), entries_(entries) {}

  Value* values_;
  uint32_t entries_;
};

// Writes one word that BPF programs read concurrently.
template <typename Word>
void Store(Word& word, std::type_identity_t<Word> value) {
  std::atomic_ref<Word>(word).store(value, std::memory_order_seq_cst);
}

}  // namespace sabot::loader

#endif  // SABOT_LOADER_MAP_H_
