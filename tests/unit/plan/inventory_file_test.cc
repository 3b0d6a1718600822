// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "controller/api/str_cat.h"
#include "controller/plan/inventory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sabot::plan {
namespace {

using api::StrCat;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::string> ErrorsOf(std::string_view yaml) {
  std::vector<std::string> errors;
  for (const api::Problem& problem : ParseInventory(yaml, "i").problems) {
    errors.push_back(problem.field.empty() ? problem.message : StrCat(problem.field, ": ", problem.message));
  }
  return errors;
}

// Of one pod with these fields (flow style) and, unless they have one, a name and a target.
std::vector<std::string> PodErrors(std::string_view fields) {
  return ErrorsOf(StrCat("pods: [{", fields.starts_with("name:") ? "" : "name: a, pid: 1, ", fields, "}]"));
}

TEST(InventoryFile, KeepsAllFields) {
  const InventoryFile file = ParseInventory(R"(
pods:
- name: client
  namespace: demo
  labels: {app: client}
  annotations: {note: any text}
  phase: Pending
  node: n1
  hostNetwork: true
  addresses: [10.0.0.1, "fd00::1", 10.0.0.1]
  pid: 17
  containers:
  - {name: app, container: containerd://abc}
  - {name: sidecar, pid: 18}
- name: server
  netns: blue
nodes:
- {name: n1, labels: {zone: x}}
namespaces:
- {name: demo, labels: {a: b}, annotations: {c: d}}
)",
                                            "i.yaml");
  ASSERT_THAT(file.problems, IsEmpty()) << ToString(file.problems[0]);
  ASSERT_EQ(file.inventory.pods.size(), 2u);
  const Pod& client = file.inventory.pods[0];
  EXPECT_EQ(client.Id(), "demo/client");
  EXPECT_THAT(client.labels, ElementsAre(Pair("app", "client")));
  EXPECT_THAT(client.annotations, ElementsAre(Pair("note", "any text")));
  EXPECT_EQ(client.phase, "Pending");
  EXPECT_EQ(client.node, "n1");
  EXPECT_TRUE(client.host_network);
  ASSERT_EQ(client.addresses.size(), 2u);
  EXPECT_EQ(client.addresses[1].ToString(), "fd00::1");
  EXPECT_EQ(client.target.pid(), 17u);
  EXPECT_EQ(client.target.name(), "demo/client");
  ASSERT_EQ(client.containers.size(), 2u);
  EXPECT_EQ(client.containers[0].target.name(), "demo/client/app");
  EXPECT_EQ(client.containers[0].target.container(), "containerd://abc");
  EXPECT_EQ(client.containers[1].target.pid(), 18u);
  const Pod& server = file.inventory.pods[1];
  EXPECT_EQ(server.Id(), "default/server");
  EXPECT_EQ(server.phase, "Running");
  EXPECT_EQ(server.target.netns(), "blue");
  EXPECT_THAT(file.inventory.nodes[0].labels, ElementsAre(Pair("zone", "x")));
  EXPECT_THAT(file.inventory.namespaces[0].annotations, ElementsAre(Pair("c", "d")));
}

TEST(InventoryFile, ExactlyOneTarget) {
  for (std::string_view target : {"pid: 1", "netns: x", "cgroup: /x", "unit: x.service", "container: x"}) {
    EXPECT_THAT(PodErrors(StrCat("name: a, ", target)), IsEmpty()) << target;
  }
  EXPECT_THAT(PodErrors("name: a"),
              ElementsAre("pods[0]: one of pid, netns, cgroup, unit, container is required"));
  EXPECT_THAT(PodErrors("name: a, pid: 1, netns: x"),
              ElementsAre("pods[0].netns: only one of pid, netns, cgroup, unit, container can be given"));
  EXPECT_THAT(PodErrors("containers: [{name: b}]"),
              ElementsAre("pods[0].containers[0]: one of pid, netns, cgroup, unit, container is required"));
  EXPECT_THAT(PodErrors("name: a, pid:"),
              ElementsAre("pods[0]: one of pid, netns, cgroup, unit, container is required"));
}

TEST(InventoryFile, EveryRuleNamesItsField) {
  const struct {
    std::string_view fields;
    std::string_view error;
  } kCases[] = {
      {"name: A, pid: 1", "pods[0].name: Invalid value: \"A\": must be 1 to 253"},
      {"name: 5, pid: 1", "pods[0].name: must be a string, got an integer; write \"5\""},
      {"namespace: a.b", "pods[0].namespace: Invalid value: \"a.b\": must be 1 to 63"},
      {"labels: {a b: c}", "pods[0].labels: \"a b\" is no label key"},
      {"labels: {a: b c}", "pods[0].labels: \"b c\" is no label value"},
      {"labels: {a: 1}", "pods[0].labels[a]: must be a string, got an integer; write \"1\""},
      {"phase: running", "pods[0].phase: Unsupported value: \"running\": supported values: \"Pending\""},
      {"node: A", "pods[0].node: Invalid value: \"A\""},
      {"hostNetwork: maybe", "pods[0].hostNetwork: must be a boolean, got a string"},
      {"addresses: [10.0.0.0/8]", "pods[0].addresses: \"10.0.0.0/8\" is no IP address"},
      {"addresses: 10.0.0.1", "pods[0].addresses: must be a list, got a string"},
      {"name: a, pid: 0", "pods[0].pid: pid \"0\": must be a number from 1 to 4194304"},
      {"name: a, pid: 4194305", "pods[0].pid: pid \"4194305\": must be a number from 1 to 4194304"},
      {"name: a, pid: '1'", "pods[0].pid: must be an integer, got a string"},
      {"name: a, netns: 5", "pods[0].netns: must be a string, got an integer; write \"5\""},
      {"name: a, unit: x", "pods[0].unit: unit \"x\": must be the name of a systemd unit"},
      {"lables: {}", "pods[0].lables: unknown field; did you mean \"labels\"?"},
      {"containers: {}", "pods[0].containers: must be a list, got a map"},
      {"containers: [{pid: 1}]", "pods[0].containers[0].name: Required value"},
      {"containers: [{name: a, pid: 1}, {name: a, pid: 2}]",
       "pods[0].containers[1].name: container \"a\" is given twice"},
  };
  for (const auto& one : kCases)
    EXPECT_THAT(PodErrors(one.fields), ElementsAre(testing::StartsWith(std::string(one.error))))
        << one.fields;
}

TEST(InventoryFile, NamesAreUnique) {
  EXPECT_THAT(ErrorsOf("pods: [{name: a, pid: 1}, {name: a, namespace: x, pid: 1}]"), IsEmpty());
  EXPECT_THAT(ErrorsOf("pods: [{name: a, pid: 1}, {name: a, namespace: default, pid: 2}]"),
              ElementsAre("pods[1].name: pod \"default/a\" is given twice"));
  EXPECT_THAT(ErrorsOf("nodes: [{name: a}, {name: a}]"),
              ElementsAre("nodes[1].name: node \"a\" is given twice"));
  EXPECT_THAT(ErrorsOf("namespaces: [{name: a}, {name: a}]"),
              ElementsAre("namespaces[1].name: namespace \"a\" is given twice"));
  EXPECT_THAT(ErrorsOf("pods: [{name: a, pid: 1}]\n---\npods: [{name: a, pid: 1}]"),
              ElementsAre("pods[0].name: pod \"default/a\" is given twice"));
}

TEST(InventoryFile, AllProblemsAreReportedWithTheirLines) {
  const InventoryFile file =
      ParseInventory("pods:\n- name: a\n  pid: x\n- nam: b\n  pid: 1\nnodess: []\n", "i.yaml");
  std::vector<std::string> texts;
  for (const api::Problem& problem : file.problems) texts.push_back(ToString(problem));
  EXPECT_THAT(texts, ElementsAre("i.yaml:3: pods[0].pid: must be an integer, got a string",
                                 "i.yaml:4: pods[1].name: Required value",
                                 "i.yaml:4: pods[1].nam: unknown field; did you mean \"name\"?",
                                 "i.yaml:6: nodess: unknown field; did you mean \"nodes\"?"));
  EXPECT_FALSE(file.ok());
}

TEST(InventoryFile, HostileInput) {
  EXPECT_THAT(ErrorsOf(""), ElementsAre("the inventory is empty"));
  EXPECT_THAT(ErrorsOf("just text"), ElementsAre("must be a map, got a string"));
  EXPECT_THAT(ErrorsOf(std::string(100'000'000, 'x')),
              ElementsAre("file is too large: 100000000 bytes, the limit is 8388608"));
  EXPECT_THAT(ErrorsOf(std::string("pods\0", 5)), ElementsAre("not a text file: control byte 0x00"));
  EXPECT_THAT(ErrorsOf(std::string(100'000, '[')),
              ElementsAre("values are nested too deeply, the limit is 64"));
  EXPECT_THAT(ErrorsOf("pods: [1, {}, [], null]"), Contains("pods[0]: must be a map, got an integer"));
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    api::StrAppend(bomb, "a", i, ": &a", i, " [");
    for (int j = 0; j < 10; ++j) api::StrAppend(bomb, "*a", i - 1, ", ");
    bomb += "]\n";
  }
  EXPECT_THAT(ErrorsOf(bomb), ElementsAre(HasSubstr("aliases expand to too many values")));
}

TEST(InventoryFile, ManyPodsAreNoMatter) {
  std::string yaml = "pods:\n";
  for (int i = 0; i < 50'000; ++i)
    api::StrAppend(yaml, "- {name: p", i, ", pid: ", i + 1, ", labels: {app: x}}\n");
  const InventoryFile file = ParseInventory(yaml, "i");
  EXPECT_TRUE(file.ok());
  EXPECT_EQ(file.inventory.pods.size(), 50'000u);
}

TEST(InventoryFile, AMissingFileIsAProblem) {
  EXPECT_EQ(ToString(LoadInventory("/nonexistent/i.yaml").problems.at(0)),
            "/nonexistent/i.yaml: open: No such file or directory");
}

}  // namespace
}  // namespace sabot::plan
