// SPDX-License-Identifier: Apache-2.0
//
// What upstream's webhook says of a NetworkChaos, and what it admits though it makes no sense.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/api/manifests.h"

namespace sabot::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kTarget = "target: {mode: all, selector: {}}\n";

std::vector<std::string> ErrorsWith(std::string_view lines) { return ErrorsOf(NetworkChaosWith(lines)); }
std::vector<std::string> WarningsWith(std::string_view lines) {
  EXPECT_THAT(ErrorsWith(lines), IsEmpty()) << lines;
  return WarningsOf(NetworkChaosWith(lines));
}

TEST(NetworkChaosAdmission, DurationIsAGoDuration) {
  for (std::string_view text : {"10s", "1h30m", "0", "''", "1.5h", "100ms"}) {
    EXPECT_THAT(ErrorsWith(StrCat("duration: ", text == "0" ? "'0'" : text)), IsEmpty()) << text;
  }
  EXPECT_THAT(
      ErrorsWith("duration: 5y"),
      ElementsAre(
          "spec.duration: Invalid value: \"5y\": parse duration field error: time: unknown unit \"y\" in "
          "duration \"5y\""));
  EXPECT_THAT(
      ErrorsWith("duration: '5'"),
      ElementsAre("spec.duration: Invalid value: \"5\": parse duration field error: time: missing unit in "
                  "duration \"5\""));
  EXPECT_THAT(
      ErrorsWith("duration: x"),
      ElementsAre("spec.duration: Invalid value: \"x\": parse duration field error: time: invalid duration "
                  "\"x\""));
}

TEST(NetworkChaosAdmission, LatencyThatFitsThePatternMayStillBeTooLong) {
  EXPECT_THAT(ErrorsWith("delay: {latency: 2562047h}"), IsEmpty());
  EXPECT_THAT(
      ErrorsWith("delay: {latency: 2562048h}"),
      ElementsAre(
          "spec.delay.latency: Invalid value: \"2562048h\": parse duration field error: time: invalid "
          "duration \"2562048h\""));
}

TEST(NetworkChaosAdmission, PercentagesAreGoFloats) {
  const struct {
    std::string_view before;
    std::string_view after;
    std::string_view field;
  } kFields[] = {
      {"loss: {loss: '", "'}", "spec.loss.loss"},
      {"loss: {loss: '1', correlation: '", "'}", "spec.loss.correlation"},
      {"duplicate: {duplicate: '", "'}", "spec.duplicate.duplicate"},
      {"duplicate: {duplicate: '1', correlation: '", "'}", "spec.duplicate.correlation"},
      {"corrupt: {corrupt: '", "'}", "spec.corrupt.corrupt"},
      {"corrupt: {corrupt: '1', correlation: '", "'}", "spec.corrupt.correlation"},
      {"delay: {latency: 1ms, correlation: '", "'}", "spec.delay.correlation"},
      {"delay: {latency: 1ms, reorder: {gap: 1, reorder: '", "'}}", "spec.delay.reorder.reorder"},
      {"delay: {latency: 1ms, reorder: {gap: 1, reorder: '1', correlation: '", "'}}",
       "spec.delay.reorder.correlation"},
  };
  for (const auto& field : kFields) {
    for (std::string_view text : {"0", "100", "0.5", "1e1"}) {
      EXPECT_THAT(WarningsWith(StrCat(field.before, text, field.after)), IsEmpty())
          << field.field << " " << text;
    }
    EXPECT_THAT(ErrorsWith(StrCat(field.before, "20%", field.after)),
                ElementsAre(StrCat(field.field,
                                   ": Invalid value: \"20%\": parse correlation field error:"
                                   "strconv.ParseFloat: parsing \"20%\": invalid syntax")));
    for (std::string_view text : {"101", "-1", "NaN", "Inf", "100.0001"}) {
      EXPECT_THAT(WarningsWith(StrCat(field.before, text, field.after)),
                  ElementsAre(StrCat(field.field, ": \"", text, "\" is no percentage from 0 to 100")));
    }
  }
}

// A value field is checked even when it is empty; only what has a default escapes.
TEST(NetworkChaosAdmission, EmptyPercentageIsAnError) {
  EXPECT_THAT(
      ErrorsWith("loss: {loss: ''}"),
      ElementsAre("spec.loss.loss: Invalid value: \"\": parse correlation field error:strconv.ParseFloat: "
                  "parsing \"\": invalid syntax"));
}

TEST(NetworkChaosAdmission, RatesHaveAUnit) {
  EXPECT_THAT(ErrorsWith("rate: {rate: 10 Mbps}"), IsEmpty());
  EXPECT_THAT(ErrorsWith("rate: {rate: 10mb}"),
              ElementsAre("spec.rate.rate: Invalid value: \"10mb\": parse rate field error:invalid unit"));
  EXPECT_THAT(
      ErrorsWith("bandwidth: {rate: xbps, limit: 1, buffer: 1}"),
      ElementsAre("spec.bandwidth.rate: Invalid value: \"xbps\": parse rate field error:strconv.ParseUint: "
                  "parsing \"x\": invalid syntax"));
}

TEST(NetworkChaosAdmission, ExternalTargetsAreForDirectionTo) {
  constexpr std::string_view kError =
      "external targets cannot be used with `from` and `both` direction in netem action yet";
  const std::string external = "externalTargets: [1.2.3.4]\n";
  EXPECT_THAT(ErrorsWith(external + "direction: to"), IsEmpty());
  EXPECT_THAT(ErrorsWith(external), IsEmpty());
  EXPECT_THAT(ErrorsWith(StrCat(external, kTarget, "direction: from")),
              ElementsAre(StrCat("spec.direction: Invalid value: \"from\": ", kError)));
  EXPECT_THAT(ErrorsWith(StrCat(external, kTarget, "direction: both")),
              ElementsAre(StrCat("spec.direction: Invalid value: \"both\": ", kError)));
  EXPECT_THAT(ErrorsWith(external + "direction: both"),
              ElementsAre(StrCat("spec.direction: Invalid value: \"both\": ", kError)));
  EXPECT_THAT(ErrorsWith(StrCat("externalTargets: []\n", kTarget, "direction: both")), IsEmpty());
}

TEST(NetworkChaosAdmission, FromAndBothNeedATarget) {
  EXPECT_THAT(
      ErrorsWith("direction: from"),
      ElementsAre("spec.direction: Invalid value: \"from\": `from` and `both` direction cannot be used when "
                  "targets is empty in netem action"));
  EXPECT_THAT(
      ErrorsWith("direction: both"),
      ElementsAre("spec.direction: Invalid value: \"both\": `from` and `both` direction cannot be used when "
                  "targets is empty in netem action"));
  EXPECT_THAT(ErrorsWith(StrCat(kTarget, "direction: from")), IsEmpty());
  EXPECT_THAT(ErrorsWith(StrCat(kTarget, "direction: both")), IsEmpty());
}

TEST(NetworkChaosAdmission, PartitionMayDoAllThat) {
  for (std::string_view direction : {"to", "from", "both"}) {
    EXPECT_THAT(ErrorsWith(StrCat("action: partition\n-delay\ndirection: ", direction)), IsEmpty());
    EXPECT_THAT(
        ErrorsWith(StrCat("action: partition\n-delay\nexternalTargets: [1.2.3.4]\ndirection: ", direction)),
        IsEmpty());
  }
}

TEST(NetworkChaosAdmission, SenselessThingsAreAdmittedWithAWarning) {
  const struct {
    std::string_view lines;
    std::string_view warning;
  } kCases[] = {
      {"duration: -5s", "spec.duration: \"-5s\" is negative"},
      {"externalTargets: [1.2.3.4, 'not an ip!']",
       "spec.externalTargets[1]: \"not an ip!\" is no address, no prefix and no host name"},
      {"externalTargets: ['']", "spec.externalTargets[0]: \"\" is no address, no prefix and no host name"},
      {"device: a-device-with-16",
       "spec.device: \"a-device-with-16\" is longer than the 15 bytes that a device's name "
       "can have"},
      {"targetDevice: a-device-with-16",
       "spec.targetDevice: \"a-device-with-16\" is longer than the 15 bytes that a "
       "device's name can have"},
      {"-delay",
       "spec.action: nothing to inject: at least one is required from delay, loss, duplicate, corrupt, rate"},
      {"action: partition", "spec.delay: has no effect: action partition looks at no such block"},
  };
  for (const auto& one : kCases) EXPECT_THAT(WarningsWith(one.lines), ElementsAre(one.warning));
}

TEST(NetworkChaosAdmission, SensibleThingsAreNot) {
  EXPECT_THAT(
      WarningsWith("externalTargets: [1.2.3.4, 'fd00::/8', example.com, 'a.b:80', '[::1]:80', 10.0.0.0/8]"),
      IsEmpty());
  EXPECT_THAT(WarningsWith("device: device-with-15b"), IsEmpty());
  EXPECT_THAT(WarningsWith("action: bandwidth\n-delay\nbandwidth: {rate: 1bps, limit: 1, buffer: 1}"),
              IsEmpty());
  // The blocks decide, not the action.
  EXPECT_THAT(WarningsWith("action: delay\nloss: {loss: '1'}"), IsEmpty());
}

}  // namespace
}  // namespace sabot::api
