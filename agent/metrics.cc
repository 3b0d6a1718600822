// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <exception>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sabot::agent {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using sabot::v1::Counters;
using sabot::v1::FaultStatus;

MetricFamily CounterFamily(const char* name, const char* help, const std::vector<FaultStatus>& faults,
                           uint64_t (Counters::*value)() const) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = prometheus::MetricType::Counter;
  for (const FaultStatus& fault : faults) {
    ClientMetric metric;
    metric.label = {
        {"experiment", absl::StrCat(fault.experiment().namespace_(), "/", fault.experiment().name())},
        {"id", fault.id()},
        {"kind", fault.kind()},
        {"mechanism", fault.mechanism()},
        {"target", fault.target()},
    };
    metric.counter.value = static_cast<double>((fault.counters().*value)());
    family.metric.push_back(std::move(metric));
  }
  return family;
}

MetricFamily PhaseFamily(const std::vector<FaultStatus>& faults) {
  std::map<std::pair<std::string, std::string>, int> counts;
  for (const FaultStatus& fault : faults) {
    ++counts[{fault.kind(), sabot::v1::FaultPhase_Name(fault.phase())}];
  }
  MetricFamily family;
  family.name = "sabot_faults";
  family.help = "Faults that this process holds or has just ended.";
  family.type = prometheus::MetricType::Gauge;
  for (const auto& [key, count] : counts) {
    ClientMetric metric;
    metric.label = {{"kind", key.first}, {"phase", key.second}};
    metric.gauge.value = count;
    family.metric.push_back(std::move(metric));
  }
  return family;
}

class FaultCollector : public prometheus::Collectable {
 public:
  explicit FaultCollector(Reconciler& reconciler) : reconciler_(reconciler) {}

  std::vector<MetricFamily> Collect() const override {
    const std::vector<FaultStatus> faults = reconciler_.Status();
    return {
        CounterFamily("sabot_fault_seen_total", "Packets that came past the fault's hook.", faults,
                      &Counters::seen),
        CounterFamily("sabot_fault_matched_total", "Packets that fitted the fault's rule.", faults,
                      &Counters::matched),
        CounterFamily("sabot_fault_affected_total", "Packets that were dropped or delayed.", faults,
                      &Counters::affected),
        PhaseFamily(faults),
    };
  }

 private:
  Reconciler& reconciler_;
};

}  // namespace

struct MetricsServer::Parts {
  std::shared_ptr<FaultCollector> collector;
  prometheus::Exposer exposer;
};

MetricsServer::MetricsServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
MetricsServer::~MetricsServer() = default;

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(const std::string& address,
                                                                    Reconciler& reconciler) {
  try {
    std::unique_ptr<Parts> parts(
        new Parts{std::make_shared<FaultCollector>(reconciler), prometheus::Exposer(address, 2)});
    parts->exposer.RegisterCollectable(parts->collector);
    return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(parts)));
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("serve metrics on ", address, ": ", error.what()));
  }
}

}  // namespace sabot::agent
