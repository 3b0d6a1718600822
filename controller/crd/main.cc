// SPDX-License-Identifier: Apache-2.0
//
// sabot-crds DIRECTORY: writes the CustomResourceDefinitions of all kinds, one file each. `--check` writes
// nothing and says which files are not as they would be written.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "controller/api/str_cat.h"
#include "controller/crd/crd.h"

namespace sabot::crd {
namespace {

constexpr std::string_view kHead =
    "# SPDX-License-Identifier: Apache-2.0\n"
    "# Made by `build/bin/sabot-crds helm/sabot/crds` from the tables in controller/crd; do not edit.\n";

std::string Content(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// Writes or checks one kind; false after saying what is wrong.
bool Handle(const Kind& kind, const std::filesystem::path& directory, bool check) {
  const absl::StatusOr<nlohmann::json> crd = MakeCrd(kind);
  if (!crd.ok()) {
    std::cerr << "sabot-crds: " << crd.status().message() << "\n";
    return false;
  }
  const std::string text = std::string(kHead) + ToYaml(*crd);
  const std::filesystem::path path = directory / api::StrCat(kind.group, "_", kind.plural, ".yaml");
  if (check) {
    if (Content(path) == text) return true;
    std::cerr << path.string() << " is not what the tables say: run `build/bin/sabot-crds helm/sabot/crds`\n";
    return false;
  }
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  if (!file.good()) std::cerr << "sabot-crds: write " << path.string() << ": failed\n";
  return file.good();
}

int Main(int argc, char** argv) {
  const bool check = argc == 3 && std::string_view(argv[1]) == "--check";
  if (argc != 2 && !check) {
    std::cerr << "usage: sabot-crds [--check] DIRECTORY\n";
    return 2;
  }
  bool ok = true;
  for (const Kind& kind : AllKinds()) ok &= Handle(kind, argv[argc - 1], check);
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace sabot::crd

int main(int argc, char** argv) { return sabot::crd::Main(argc, argv); }
