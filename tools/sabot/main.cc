// SPDX-License-Identifier: Apache-2.0
//
// The command line of Sabot.
#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/sabot/commands.h"

namespace sabot::cli {
namespace {

const std::map<std::string, Format> kFormats = {
    {"table", Format::kTable}, {"json", Format::kJson}, {"yaml", Format::kYaml}};

constexpr char kExamples[] = R"(
Examples:
  sabot demo                                       see it work on something that it starts itself
  sabot validate experiment.yaml                   what is wrong with a manifest
  sabot plan experiment.yaml --target web=pid:4242,app=web
                                                   what would be hit, by which mechanism and why; changes nothing
  sabot run experiment.yaml --target web=pid:4242,app=web --duration 30s
                                                   inject, watch the counters, undo at the end or at Ctrl-C
  sabot status                                     every live fault on this machine
  sabot halt                                       end every fault now, refuse new ones until `sabot resume`

Exit codes: 0 all done and all undone; 1 something failed; 2 bad input, nothing was touched.)";

void AddFormat(CLI::App* command, Format& format) {
  command->add_option("-o,--output", format, "How to print: table, json or yaml")
      ->transform(CLI::CheckedTransformer(kFormats, CLI::ignore_case))
      ->type_name("FORMAT");
}

void AddStateDir(CLI::App* command, std::string& dir) {
  command
      ->add_option("--state-dir", dir,
                   "Where live faults are known from (default: $SABOT_STATE_DIR or /run/sabot)")
      ->type_name("DIR");
}

void AddExperiment(CLI::App* command, ExperimentOptions& options) {
  command->add_option("FILE", options.files, "Manifests with experiments (YAML; - for standard input)")
      ->required();
  command
      ->add_option(
          "--target", options.targets,
          "A local thing that plays a pod: [NAMESPACE/]NAME=KIND:VALUE[,LABEL=VALUE...], KIND one of pid, "
          "netns, cgroup, unit, container; repeatable")
      ->type_name("TARGET");
  command
      ->add_option("--inventory", options.inventory,
                   "A file that lists targets (see examples/inventory.yaml)")
      ->type_name("FILE");
  command
      ->add_option("-d,--duration", options.duration, "How long, instead of what the manifests say: 30s, 2m")
      ->type_name("DURATION");
  command->add_option("--mechanism", options.mechanisms, "Take this rung and no other; repeatable")
      ->type_name("FAMILY=RUNG");
  command->add_option("--no-feature", options.no_features, "Do as if the kernel lacked this; repeatable")
      ->type_name("FEATURE");
  command
      ->add_option("--cri-socket", options.cri_sockets,
                   "Container runtime socket (default: the usual places)")
      ->type_name("PATH");
  command->add_flag(
      "--allow-host-network", options.allow_host_network,
      "Permit targets in the machine's own network namespace; they are hit by cgroup hooks only");
  command->add_option("--seed", options.seed, "Fixes what random modes select");
  AddStateDir(command, options.state_dir);
  AddFormat(command, options.format);
}

int Main(int argc, char** argv) {
  CLI::App app(
      "Sabot throws a small wooden shoe into the works, inside the kernel, and always takes it out again.");
  app.footer(kExamples);
  app.require_subcommand(1);
  app.set_version_flag("--version", SABOT_VERSION);
  int code = kExitOk;

  RunOptions run;
  CLI::App* run_command =
      app.add_subcommand("run", "Inject the experiments, show counters, undo everything at the end");
  AddExperiment(run_command, run);
  run_command->add_option("--metrics", run.metrics, "Serve Prometheus metrics while running")
      ->type_name("HOST:PORT");
  run_command->add_option("--helper", run.helper_path, "Path of sabot-helper (default: beside this program)");
  run_command->callback([&] { code = Run(run); });

  ExperimentOptions plan;
  CLI::App* plan_command = app.add_subcommand("plan", "Show targets, mechanisms and reasons; change nothing");
  AddExperiment(plan_command, plan);
  plan_command->callback([&] { code = Plan(plan); });

  std::vector<std::string> files;
  Format format = Format::kTable;
  CLI::App* validate = app.add_subcommand("validate", "Check manifests as admission would");
  validate->add_option("FILE", files, "Manifests (YAML; - for standard input)")->required();
  AddFormat(validate, format);
  validate->callback([&] { code = Validate(files, format); });

  std::vector<std::string> no_features;
  CLI::App* doctor = app.add_subcommand("doctor", "What this kernel offers, and which mechanisms are usable");
  doctor->add_option("--no-feature", no_features, "Do as if the kernel lacked this; repeatable");
  AddFormat(doctor, format);
  doctor->callback([&] { code = Doctor(no_features, format); });

  std::string state_dir;
  const auto add_holder = [&](const char* name, const char* help, auto function) {
    CLI::App* command = app.add_subcommand(name, help);
    AddStateDir(command, state_dir);
    command->callback([&, function] { code = function(state_dir); });
    return command;
  };
  CLI::App* status = add_holder("status", "Every live fault on this machine",
                                [&](const std::string& dir) { return Status(dir, format); });
  AddFormat(status, format);
  add_holder("halt", "End every fault on this machine now and refuse new ones", Halt);
  add_holder("resume", "Allow faults again after halt", Resume);
  add_holder("undo", "Repair what dead runs and agents left, from their journals", Undo);

  std::string examples;
  CLI::App* demo =
      app.add_subcommand("demo", "Show it on a client and a server that it starts itself; under a minute");
  demo->add_option("--examples", examples,
                   "Directory of the example manifests (default: found beside this program)");
  demo->callback([&] { code = Demo(examples); });

  if (argc < 2) {
    std::cerr << app.help();
    return kExitBadInput;
  }
  const auto is_named = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
  if (argv[1][0] != '-' && app.get_subcommands(is_named).empty()) {
    PrintError(absl::StrCat("there is no command ", argv[1], "; `sabot --help` lists them"));
    return kExitBadInput;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitBadInput;
  }
  return code;
}

}  // namespace
}  // namespace sabot::cli

int main(int argc, char** argv) { return sabot::cli::Main(argc, argv); }
