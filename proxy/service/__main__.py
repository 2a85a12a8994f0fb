"""``python -m proxy.service PARENT CHANNEL [SOCKET]``: a worker, started by its leader and by nobody else."""

import gc
import socket
import sys

gc.disable()  # as service.settling says; before the imports that it is about

import uvloop  # noqa: E402 - see above

from proxy.backplane.embedded import die_with  # noqa: E402
from proxy.service.worker import Worker  # noqa: E402


async def work(arguments: list[str]) -> None:
    """Be a worker on the file descriptors that were inherited."""
    channel, *listening = (socket.socket(fileno=int(number)) for number in arguments)
    await Worker(listening[0] if listening else None).run(channel)


if __name__ == "__main__":
    parent, *descriptors = sys.argv[1:]
    if (ask := die_with(int(parent))) is not None:
        ask()
    uvloop.run(work(descriptors))
