// SPDX-License-Identifier: Apache-2.0
#include "controller/kube/lease.h"

#include "loader/status.h"

namespace sabot::kube {
namespace {

using nlohmann::json;

Resource Leases(const LeaseOptions& options) {
  return {.group = "coordination.k8s.io", .version = "v1", .plural = "leases", .ns = options.ns};
}

std::string MicroTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

std::string TextAt(const json& value, const char* pointer) {
  const json::json_pointer at(pointer);
  return value.contains(at) && value[at].is_string() ? value[at].get<std::string>() : "";
}

}  // namespace

absl::StatusOr<bool> Lease::TryHold() {
  const absl::Time now = absl::Now();
  absl::StatusOr<json> lease = client_.Get(Leases(options_), options_.name);
  if (absl::IsNotFound(lease.status())) {
    return Take({{"apiVersion", "coordination.k8s.io/v1"},
                 {"kind", "Lease"},
                 {"metadata", {{"name", options_.name}, {"namespace", options_.ns}}}},
                false, now);
  }
  if (!lease.ok()) return lease.status();
  const std::string holder = TextAt(*lease, "/spec/holderIdentity");
  const std::string version = TextAt(*lease, "/metadata/resourceVersion");
  if (version != seen_version_) {
    seen_version_ = version;
    seen_since_ = now;
  }
  const bool ours = holder == options_.identity;
  absl::Duration term = options_.duration;
  const json::json_pointer seconds("/spec/leaseDurationSeconds");
  if (lease->contains(seconds) && (*lease)[seconds].is_number_integer()) {
    term = absl::Seconds((*lease)[seconds].get<int64_t>());
  }
  if (!ours && !holder.empty() && now - seen_since_ < term) {
    held_until_ = absl::InfinitePast();
    return false;
  }
  return Take(*std::move(lease), true, now);
}

absl::StatusOr<bool> Lease::Take(json lease, bool exists, absl::Time now) {
  json& spec = lease["spec"];
  if (!spec.is_object()) spec = json::object();
  if (TextAt(lease, "/spec/holderIdentity") != options_.identity) {
    const json before = spec.value("leaseTransitions", json(0));
    spec["leaseTransitions"] = exists ? (before.is_number_integer() ? before.get<int64_t>() : 0) + 1 : 0;
    spec["acquireTime"] = MicroTime(now);
  }
  spec["holderIdentity"] = options_.identity;
  spec["leaseDurationSeconds"] = absl::ToInt64Seconds(options_.duration);
  spec["renewTime"] = MicroTime(now);
  const absl::StatusOr<json> written =
      exists ? client_.Replace(Leases(options_), lease) : client_.Create(Leases(options_), lease);
  // Another was quicker.
  if (absl::IsAborted(written.status()) || absl::IsAlreadyExists(written.status())) {
    held_until_ = absl::InfinitePast();
    return false;
  }
  if (!written.ok()) return written.status();
  seen_version_ = TextAt(*written, "/metadata/resourceVersion");
  seen_since_ = now;
  held_until_ = now + options_.duration;
  return true;
}

absl::Status Lease::Release() {
  held_until_ = absl::InfinitePast();
  absl::StatusOr<json> lease = client_.Get(Leases(options_), options_.name);
  if (!lease.ok()) return absl::IsNotFound(lease.status()) ? absl::OkStatus() : lease.status();
  if (TextAt(*lease, "/spec/holderIdentity") != options_.identity) return absl::OkStatus();
  (*lease)["spec"]["holderIdentity"] = "";
  const absl::Status status = client_.Replace(Leases(options_), *lease).status();
  return absl::IsAborted(status) ? absl::OkStatus() : status;
}

}  // namespace sabot::kube
