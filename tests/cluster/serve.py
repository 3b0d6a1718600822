#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""serve.py DIRECTORY: the test cluster for a person's hands, until this process is killed.

The cluster is in namespaces of its own; a port of the machine's loopback device is passed into them, so that kubectl
reaches it. Writes DIRECTORY/kubeconfig when all is ready."""
import asyncio
import os
import pathlib
import re
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


async def copy(reader, writer):
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def relay(reader, writer):
    try:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", 6443)
    except OSError:
        writer.close()
        return
    await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))


async def inside(directory, listener):
    crds = HERE.parents[1] / "helm/sabot/crds"
    subprocess.run(["kubectl", "apply", "-f", str(crds)], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["kubectl", "wait", "--for=condition=Established", "--timeout=30s", "crd", "--all"], check=True,
                   stdout=subprocess.DEVNULL)
    server = await asyncio.start_server(relay, sock=listener)
    port = listener.getsockname()[1]
    text = pathlib.Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8")
    kubeconfig = directory / "kubeconfig"
    new = directory / "kubeconfig.new"
    new.touch(mode=0o600)
    new.write_text(re.sub(r"https://127\.0\.0\.1:\d+", f"https://127.0.0.1:{port}", text), encoding="utf-8")
    new.rename(kubeconfig)
    await server.serve_forever()


def main():
    directory = pathlib.Path(sys.argv[1])
    if len(sys.argv) == 3:
        asyncio.run(inside(directory, socket.socket(fileno=int(sys.argv[2]))))
        return
    listener = socket.create_server(("127.0.0.1", 0))
    os.set_inheritable(listener.fileno(), True)
    run = str(HERE / "run")
    os.execv(run, [run, sys.executable, __file__, str(directory), str(listener.fileno())])


if __name__ == "__main__":
    main()
