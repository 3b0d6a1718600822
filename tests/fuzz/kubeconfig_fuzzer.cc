// SPDX-License-Identifier: Apache-2.0
//
// Kubeconfigs, and what credential plugins print.
#include <cstddef>
#include <cstdint>
#include <string>

#include "controller/kube/config.h"
#include "controller/kube/credentials.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)sabot::kube::ParseKubeconfig(text, "/nonexistent");
  (void)sabot::kube::ParseExecCredential(text);
  return 0;
}
