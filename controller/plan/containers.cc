// SPDX-License-Identifier: Apache-2.0
#include "controller/plan/containers.h"

#include <algorithm>

#include "controller/api/str_cat.h"

namespace sabot::plan {

absl::StatusOr<std::vector<ChosenContainer>> ChooseContainers(const Pod& pod,
                                                              const std::vector<std::string>& names) {
  const auto chosen = [&pod](const Container& container) {
    return ChosenContainer{api::StrCat(pod.Id(), "/", container.name), container.target};
  };
  if (names.empty() && pod.containers.empty()) return std::vector<ChosenContainer>{{pod.Id(), pod.target}};
  if (names.empty()) return std::vector<ChosenContainer>{chosen(pod.containers.front())};
  std::vector<ChosenContainer> all;
  for (const std::string& name : names) {
    const auto found = std::find_if(pod.containers.begin(), pod.containers.end(),
                                    [&](const Container& container) { return container.name == name; });
    if (found == pod.containers.end()) {
      return absl::NotFoundError(api::StrCat("pod ", pod.Id(), " has no container ", name));
    }
    all.push_back(chosen(*found));
  }
  return all;
}

}  // namespace sabot::plan
