import asyncio
import functools
import os
import signal

import pytest

from proxy.cli import signals
from proxy.cli.signals import run_until_told
from proxy.message.errors import SapwoodError


class Service:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.heard = []
        self.started = asyncio.Event()
        self.reloaded = asyncio.Event()

    async def start(self):
        self.heard.append("start")
        self.started.set()

    async def stop(self):
        self.heard.append("stop")
        self.while_draining = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    async def reload(self):
        self.heard.append("reload")
        self.reloaded.set()
        return self.answers.pop(0)


async def send(service, number):
    await service.started.wait()
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("number", "default"), [(signal.SIGTERM, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)]
)
async def test_a_supervisors_signal_drains_and_the_next_one_would_end_at_once(number, default):
    service = Service()
    await asyncio.gather(run_until_told(service), send(service, number))
    assert service.heard == ["start", "stop"]
    assert service.while_draining == {
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGINT: signal.default_int_handler,
    }
    assert signal.getsignal(number) == default


async def test_a_hangup_reloads_and_tells_mistakes_and_the_service_goes_on(capsys):
    service = Service(["f.yaml:1:1: routes: expected a list"], ["f.yaml: cannot be read"], [])
    run = asyncio.ensure_future(run_until_told(service))
    for _ in range(3):
        await send(service, signal.SIGHUP)
        await service.reloaded.wait()
        service.reloaded.clear()
    os.kill(os.getpid(), signal.SIGTERM)
    await run
    assert service.heard == ["start", "reload", "reload", "reload", "stop"]
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "f.yaml:1:1: routes: expected a list"
    assert told[2] == "f.yaml: cannot be read"
    assert len([line for line in told if "not reloaded" in line]) == 2


async def test_a_service_that_cannot_start_is_not_stopped():
    service = Service()

    async def fail():
        raise SapwoodError("cannot listen")

    service.start = fail
    with pytest.raises(SapwoodError, match="cannot listen"):
        await run_until_told(service)
    assert service.heard == []


async def test_a_reload_that_breaks_is_told_and_the_service_goes_on(capsys):
    service = Service()
    run = asyncio.ensure_future(run_until_told(service))
    await send(service, signal.SIGHUP)
    await service.reloaded.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await run
    assert service.heard == ["start", "reload", "stop"]
    assert "sapwood serve: reload: IndexError" in capsys.readouterr().err


async def test_a_watched_file_that_changes_is_a_reason_to_reload(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(signals, "Watch", functools.partial(signals.Watch, every=0.005))
    file = tmp_path / "rules.yaml"
    file.write_text("one")
    service = Service([], ["f.yaml: cannot be read"], [])
    run = asyncio.ensure_future(run_until_told(service, lambda: [str(file)]))
    for text in ("two", "three"):
        await service.reloaded.wait()
        service.reloaded.clear()
        file.write_text(text)
    await send(service, signal.SIGTERM)
    await run
    assert service.heard[:3] == ["start", "reload", "reload"]
    assert "f.yaml: cannot be read" in capsys.readouterr().err
