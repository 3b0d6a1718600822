#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/cluster/run tests/cluster/crd_test.py: the CRDs of the chart on a real API server, without any webhook.

Applies them with kubectl, tries every admission case, and that `sabot validate` judges alike. Ends with a line of
counts."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from admission_cases import CASES, PLURALS, SOUND, api_version  # noqa: E402
from api import Api  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SABOT = os.environ.get("SABOT_BIN", str(ROOT / "build/bin/sabot"))
# Of the kinds without remoteCluster.
CHANGES = {"Schedule": {"schedule": "@every 2h"}, "Workflow": {"entry": "b"}, "WorkflowNode": {"templateName": "b"},
           "StatusCheck": {"timeoutSeconds": 7}, "PhysicalMachine": {"address": "b"},
           "RemoteCluster": {"version": "b"}}
counts = {True: 0, False: 0}


def check(name, held, why=""):
    counts[bool(held)] += 1
    if not held:
        print(f"FAILED: {name}: {why}")


def kubectl(*arguments, stdin=None):
    return subprocess.run(["kubectl", *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)


def collection(kind):
    base = f"/apis/{api_version(kind)}" + ("" if kind == "RemoteCluster" else "/namespaces/default")
    return f"{base}/{PLURALS.get(kind, kind.lower())}"


def made(kind, spec, name):
    return {"apiVersion": api_version(kind), "kind": kind, "metadata": {"name": name}, "spec": spec}


def message_of(answer):
    return json.dumps(answer.get("message", answer), ensure_ascii=False)


def installs():
    result = kubectl("apply", "-f", str(ROOT / "helm/sabot/crds"))
    check("kubectl applies the CRDs", result.returncode == 0, result.stdout)
    result = kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
    check("all are established", result.returncode == 0, result.stdout)
    result = kubectl("apply", "-f", str(ROOT / "helm/sabot/crds"))
    check("applying them again changes nothing", " configured" not in result.stdout and result.returncode == 0,
          result.stdout)


def serves(api):
    """Waits until the handlers of all kinds are there, which is a moment after they are established."""
    deadline = time.monotonic() + 30
    for kind in SOUND:
        while api.call("GET", collection(kind))[0] != 200 and time.monotonic() < deadline:
            time.sleep(0.05)


def admits(api):
    for number, case in enumerate(CASES):
        status, answer = api.call("POST", f"{collection(case.kind)}?dryRun=All",
                                  made(case.kind, case.spec(), f"case-{number}"))
        expected = (case.admitted and not case.defaulted) or case.code
        said = message_of(answer)
        check(case.name, (status == 201) == expected and status in (201, 422), f"{status} {said[:600]}")
        if not case.admitted and not expected and status == 422:
            check(f"{case.name}, and why", case.message in json.loads(said), said[:600])


def judged_alike():
    """`sabot validate` on the kinds that it carries out."""
    known = {}
    for kind, spec in SOUND.items():
        known[kind] = "is not supported by this version" not in validate([made(kind, spec, "x")])[0]
    cases = [case for case in CASES if known[case.kind]]
    check("sabot validate knows a kind", len(cases) > 100, str(known))
    verdicts = validate([made(case.kind, case.spec(), "x") for case in cases])
    for case, said in zip(cases, verdicts):
        check(f"sabot validate: {case.name}", (said == "") == case.admitted, said[:600])


def validate(objects):
    """For each object what `sabot validate` has against it, or ""."""
    with tempfile.TemporaryDirectory() as directory:
        files = []
        for number, value in enumerate(objects):
            files.append(f"{directory}/{number}.json")
            pathlib.Path(files[-1]).write_text(json.dumps(value), encoding="utf-8")
        result = subprocess.run([SABOT, "validate", "-o", "json", *files], stdout=subprocess.PIPE, text=True)
    return ["; ".join(f"{problem['field']}: {problem['message']}" for problem in file["problems"]
                      if problem["severity"] == "error") for file in json.loads(result.stdout)["files"]]


def frozen(api):
    """An update of spec is refused where upstream refuses it; annotations are always free."""
    for kind, spec in SOUND.items():
        status, live = api.call("POST", collection(kind), made(kind, spec, "frozen"))
        check(f"{kind} is created", status == 201, message_of(live))
        if status != 201:
            continue
        path = f"{collection(kind)}/frozen"
        patch = {"metadata": {"annotations": {"experiment.chaos-mesh.org/pause": "true"}}}
        status, answer = api.call("PATCH", path, patch, "application/merge-patch+json")
        check(f"{kind} can be annotated", status == 200, message_of(answer))
        change = {"remoteCluster": "x"} if kind.endswith("Chaos") else CHANGES[kind]
        status, answer = api.call("PATCH", path, {"spec": change}, "application/merge-patch+json")
        if kind in ("Schedule", "Workflow", "WorkflowNode"):
            check(f"{kind} can be changed", status == 200, message_of(answer))
        else:
            check(f"{kind} cannot be changed", status == 422 and "Cannot update chaos spec" in message_of(answer),
                  f"{status} {message_of(answer)}")
        status, answer = api.call("DELETE", path)
        check(f"{kind} is deleted", status == 200, message_of(answer))


def defaults(api):
    for kind, change, path, value in (
            ("NetworkChaos", {}, ("direction",), "to"), ("IOChaos", {}, ("percent",), 100),
            ("StressChaos", {"stressors": {"memory": {"workers": 1}}}, ("stressors", "memory", "oomScoreAdj"), 0),
            ("Schedule", {}, ("concurrencyPolicy",), "Forbid"), ("StatusCheck", {}, ("intervalSeconds",), 10),
            ("StatusCheck", {}, ("timeoutSeconds",), 1), ("StatusCheck", {}, ("failureThreshold",), 3),
            ("StatusCheck", {}, ("successThreshold",), 1), ("StatusCheck", {}, ("recordsHistoryLimit",), 100),
            ("StatusCheck", {}, ("http", "method"), "GET")):
        _, answer = api.call("POST", f"{collection(kind)}?dryRun=All", made(kind, {**SOUND[kind], **change}, "default"))
        at = answer.get("spec", {})
        for part in path:
            at = at.get(part, {})
        check(f"{kind}: {'.'.join(path)} is {value} by default", at == value, str(at))


def looks_like_upstream(api):
    experiment = made("NetworkChaos", {**SOUND["NetworkChaos"], "duration": "30s"}, "shown")
    api.call("POST", collection("NetworkChaos"), experiment)
    shown = kubectl("get", "networkchaos").stdout.split()
    check("kubectl get shows action and duration", shown[:3] == ["NAME", "ACTION", "DURATION"] and
          shown[3:] == ["shown", "delay", "30s"], str(shown))
    check("kubectl explain has the manual",
          "Holds packets back" in kubectl("explain", "networkchaos.spec.delay").stdout)
    check("wf is Workflow", kubectl("get", "wf").returncode == 0)
    check("wfn is WorkflowNode", kubectl("get", "wfn").returncode == 0)
    # Status is part of the object where upstream writes it so.
    status = {"experiment": {"desiredPhase": "Run", "containerRecords": [
        {"id": "default/web", "selectorKey": ".", "phase": "Injected", "injectedCount": 1, "recoveredCount": 0}]},
              "conditions": [{"type": "AllInjected", "status": "True"}], "instances": {"default/web": 1}}
    _, live = api.call("PATCH", f"{collection('NetworkChaos')}/shown", {"status": status},
                       "application/merge-patch+json")
    check("an experiment's status is written with the object", live.get("status") == status, str(live.get("status")))
    code, _ = api.call("GET", f"{collection('NetworkChaos')}/shown/status")
    check("an experiment has no status subresource", code == 404, str(code))
    waited = kubectl("wait", "--for=condition=AllInjected", "--timeout=5s", "networkchaos/shown")
    check("kubectl wait sees AllInjected", waited.returncode == 0, waited.stdout)
    api.call("POST", collection("Workflow"), made("Workflow", SOUND["Workflow"], "shown"))
    code, _ = api.call("GET", f"{collection('Workflow')}/shown/status")
    check("a workflow has a status subresource", code == 200, str(code))


def hostile(api):
    big = made("NetworkChaos", {**SOUND["NetworkChaos"], "externalTargets": ["a" * 99] * 10000}, "big")
    status, answer = api.call("POST", f"{collection('NetworkChaos')}?dryRun=All", big)
    check("a spec of a megabyte is admitted", status == 201, message_of(answer)[:300])
    long_string = made("NetworkChaos", {**SOUND["NetworkChaos"], "duration": "1" * 257 + "s"}, "long")
    status, answer = api.call("POST", f"{collection('NetworkChaos')}?dryRun=All", long_string)
    check("a duration of 258 bytes is refused", status == 422 and "duration" in message_of(answer),
          message_of(answer)[:300])
    unknown = made("NetworkChaos", {**SOUND["NetworkChaos"], "sabot": {"mechanism": "edt", "new": {"a": [1]}}}, "new")
    _, answer = api.call("POST", f"{collection('NetworkChaos')}?dryRun=All", unknown)
    check("what is in spec.sabot is kept", answer.get("spec", {}).get("sabot") == unknown["spec"]["sabot"],
          message_of(answer)[:300])
    for body in ([], "x", {"apiVersion": api_version("NetworkChaos"), "kind": "NetworkChaos"}, made("NetworkChaos", None, "n")):
        status, answer = api.call("POST", collection("NetworkChaos"), body)
        check(f"{str(body)[:40]} is refused", 400 <= status < 500, message_of(answer)[:300])


def main():
    installs()
    api = Api()
    serves(api)
    admits(api)
    judged_alike()
    frozen(api)
    defaults(api)
    looks_like_upstream(api)
    hostile(api)
    print(f"{len(CASES)} admission cases over {len(SOUND)} kinds")
    print(f"{counts[True]} passed, {counts[False]} failed")
    return 1 if counts[False] else 0


if __name__ == "__main__":
    sys.exit(main())
