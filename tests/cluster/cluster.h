// SPDX-License-Identifier: Apache-2.0
//
// The cluster of tests/cluster/run as tests see it. Only for programs that are started by it.
#ifndef SABOT_TESTS_CLUSTER_CLUSTER_H_
#define SABOT_TESTS_CLUSTER_CLUSTER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "controller/kube/client.h"

namespace sabot::test {

// Fails the test when there is none.
std::unique_ptr<kube::Client> ConnectedClient();
std::unique_ptr<kube::Client> ConnectedClient(const kube::Config& config);
kube::Config ClusterConfig();

// Whether `held` becomes true within `timeout`.
bool Eventually(const std::function<bool()>& held, absl::Duration timeout = absl::Seconds(30));

// While it lives, the API server is dead; afterwards it is started again. Waits for both.
class ApiServerOutage {
 public:
  ApiServerOutage();
  ~ApiServerOutage();
};

// A call of etcd's JSON gateway with curl: ("kv/put", R"({"key":"YQ==","value":"YQ=="})"). Its answer.
std::string CallEtcd(const std::string& method, const std::string& body);

// A new namespace. It ends with the cluster.
class TestNamespace {
 public:
  explicit TestNamespace(kube::Client& client);
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

}  // namespace sabot::test

#endif  // SABOT_TESTS_CLUSTER_CLUSTER_H_
