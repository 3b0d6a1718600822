// SPDX-License-Identifier: Apache-2.0
#include "loader/vdso.h"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "loader/status.h"

namespace sabot::loader {
namespace {

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#endif
// Real ones have two to four pages.
constexpr size_t kMaxImage = 64 * 1024;

absl::Status Bad(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("vDSO: ", std::string(what)));
}

// A bounded look at a structure within the bytes.
template <typename T>
std::optional<T> At(std::string_view bytes, uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

class Parser {
 public:
  explicit Parser(std::string bytes) { image_.bytes = std::move(bytes); }

  absl::StatusOr<VdsoImage> Parse() {
    const auto header = At<Elf64_Ehdr>(image_.bytes, 0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return Bad("is no ELF file");
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != kMachine) {
      return Bad("is not of this machine's 64-bit architecture");
    }
    header_ = *header;
    SABOT_RETURN_IF_ERROR(ReadSegments());
    SABOT_RETURN_IF_ERROR(ReadDynamic());
    SABOT_RETURN_IF_ERROR(ReadSymbols());
    return FindRoom();
  }

 private:
  // One loaded segment, at address 0, from offset 0: an offset in the image is an address.
  absl::Status ReadSegments() {
    int loads = 0;
    for (int i = 0; i < header_.e_phnum; ++i) {
      const auto segment =
          At<Elf64_Phdr>(image_.bytes, header_.e_phoff + uint64_t{header_.e_phentsize} * unsigned(i));
      if (!segment) return Bad("its program headers are outside of it");
      if (segment->p_type == PT_DYNAMIC) dynamic_ = segment->p_offset;
      if (segment->p_type != PT_LOAD) continue;
      if (++loads > 1 || segment->p_vaddr != 0 || segment->p_offset != 0) {
        return Bad("is not one segment at address 0");
      }
      end_ = segment->p_memsz;
    }
    if (loads == 0 || dynamic_ == 0) return Bad("has no segment, or no dynamic section");
    return absl::OkStatus();
  }

  absl::Status ReadDynamic() {
    uint64_t hash = 0;
    for (uint64_t at = dynamic_;; at += sizeof(Elf64_Dyn)) {
      const auto entry = At<Elf64_Dyn>(image_.bytes, at);
      if (!entry) return Bad("its dynamic section has no end");
      if (entry->d_tag == DT_NULL) break;
      if (entry->d_tag == DT_SYMTAB) symbols_ = entry->d_un.d_ptr;
      if (entry->d_tag == DT_STRTAB) strings_ = entry->d_un.d_ptr;
      if (entry->d_tag == DT_STRSZ) strings_size_ = entry->d_un.d_val;
      if (entry->d_tag == DT_HASH) hash = entry->d_un.d_ptr;
    }
    if (symbols_ == 0 || strings_ == 0) return Bad("has no symbols");
    // The tables stand one after the other; without DT_HASH nothing else tells how many symbols there are.
    const auto chains = hash == 0 ? std::nullopt : At<uint32_t>(image_.bytes, hash + 4);
    symbol_count_ = chains ? *chains : strings_ > symbols_ ? (strings_ - symbols_) / sizeof(Elf64_Sym) : 0;
    if (symbol_count_ > image_.bytes.size() / sizeof(Elf64_Sym)) return Bad("has too many symbols");
    return absl::OkStatus();
  }

  std::optional<std::string> NameAt(uint64_t offset) const {
    if (offset >= strings_size_ || strings_ > image_.bytes.size() ||
        strings_size_ > image_.bytes.size() - strings_) {
      return std::nullopt;
    }
    const std::string_view rest =
        std::string_view(image_.bytes).substr(strings_ + offset, strings_size_ - offset);
    const size_t end = rest.find('\0');
    if (end == rest.npos) return std::nullopt;
    return std::string(rest.substr(0, end));
  }

  absl::Status ReadSymbols() {
    image_.text_begin = image_.bytes.size();
    for (uint64_t i = 0; i < symbol_count_; ++i) {
      const auto symbol = At<Elf64_Sym>(image_.bytes, symbols_ + i * sizeof(Elf64_Sym));
      if (!symbol) return Bad("its symbols are outside of it");
      if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF) continue;
      const auto name = NameAt(symbol->st_name);
      if (!name) return Bad("a symbol's name is outside of it");
      if (symbol->st_value >= end_ || symbol->st_size > end_ - symbol->st_value) {
        return Bad(absl::StrCat("its function ", *name, " is outside of it"));
      }
      image_.functions[*name] = {symbol->st_value, symbol->st_size};
      image_.text_begin = std::min<size_t>(image_.text_begin, symbol->st_value);
      image_.text_end = std::max<size_t>(image_.text_end, symbol->st_value + symbol->st_size);
    }
    return image_.functions.empty() ? Bad("has no functions") : absl::OkStatus();
  }

  absl::StatusOr<VdsoImage> FindRoom() {
    // Section headers stand behind what is loaded and are mapped with it.
    const uint64_t sections =
        header_.e_shnum == 0 ? 0 : header_.e_shoff + uint64_t{header_.e_shentsize} * header_.e_shnum;
    if (end_ > image_.bytes.size()) return Bad("is cut off");
    image_.room_begin = std::max<uint64_t>(end_, sections <= image_.bytes.size() ? sections : end_);
    image_.room_begin = std::min((image_.room_begin + 31) / 32 * 32, image_.bytes.size());
    if (image_.bytes.find_first_not_of('\0', image_.room_begin) != std::string::npos) {
      return Bad("has something behind its end");
    }
    return std::move(image_);
  }

  VdsoImage image_;
  Elf64_Ehdr header_ = {};
  uint64_t end_ = 0, dynamic_ = 0, symbols_ = 0, strings_ = 0, strings_size_ = 0, symbol_count_ = 0;
};

// "7ffd12345000-7ffd12347000 r-xp ... [vdso]".
std::optional<VdsoMapping> ParseMapsLine(const std::string& line) {
  if (line.size() < 6 || line.compare(line.size() - 6, 6, "[vdso]") != 0) return std::nullopt;
  unsigned long begin = 0, end = 0;
  if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) != 2 || end <= begin) return std::nullopt;
  return VdsoMapping{begin, end - begin};
}

}  // namespace

absl::StatusOr<VdsoImage> VdsoImage::Parse(std::string bytes) {
  if (bytes.size() > kMaxImage) return Bad("is larger than any that is known");
  return Parser(std::move(bytes)).Parse();
}

absl::StatusOr<VdsoMapping> FindVdso(pid_t pid, const ProcessMemory& memory) {
  std::ifstream maps(absl::StrCat("/proc/", pid, "/maps"));
  bool any = false;
  for (std::string line; std::getline(maps, line); any = true) {
    const auto mapping = ParseMapsLine(line);
    if (!mapping) continue;
    if (mapping->size > kMaxImage) return Bad("is larger than any that is known");
    SABOT_ASSIGN_OR_RETURN(const std::string head, memory.Read(mapping->address, EI_NIDENT));
    if (head.compare(0, SELFMAG, ELFMAG) != 0 || head[EI_CLASS] != ELFCLASS64) {
      return absl::FailedPreconditionError(absl::StrCat("process ", pid, " is a 32-bit one"));
    }
    return *mapping;
  }
  if (!any) return absl::NotFoundError(absl::StrCat("process ", pid, " has no memory: it has ended"));
  return absl::FailedPreconditionError(absl::StrCat("process ", pid, " has no vDSO mapped"));
}

absl::StatusOr<VdsoImage> OwnVdso() {
  SABOT_ASSIGN_OR_RETURN(const ProcessMemory memory, ProcessMemory::Open(::getpid()));
  SABOT_ASSIGN_OR_RETURN(const VdsoMapping mapping, FindVdso(::getpid(), memory));
  SABOT_ASSIGN_OR_RETURN(std::string bytes, memory.Read(mapping.address, mapping.size));
  return VdsoImage::Parse(std::move(bytes));
}

}  // namespace sabot::loader
