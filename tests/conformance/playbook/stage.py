"""The sidecar between the scripted origin and the client, a clock that only scripts move, and the judgement of a step."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from playbook import client, origin
from playbook.origin import UNSCRIPTED, Origin, Script

if TYPE_CHECKING:
    from collections.abc import Callable

    from playbook.cases import Ask, Case, Expect, Saw, Step
    from playbook.wire import Message

EPOCH: Final = 1_800_000_000.0
PLACEHOLDER: Final = re.compile(r"\{(now)(?:([+-])(\d+))?(?::(\w+))?\}|\{(path|url)\}")
OUTCOMES: Final = {"cache": {"HIT"}, "stale": {"STALE"}, "revalidated": {"REVALIDATED"}, "origin": {"MISS", "BYPASS"}}
TURNS: Final = 200  # of the loop, for what follows an answer: storing, dropping, forgetting


@dataclass(slots=True)
class Clock:
    """Wall time, for policy only."""

    now: float = EPOCH

    def __call__(self) -> float:
        return self.now


class Stages:
    """One stage per distinct configuration, all on one loop."""

    def __init__(self, runner: asyncio.Runner, build: Callable[..., Any]) -> None:
        self._runner = runner
        self._build = build
        self._stages: dict[str | None, Stage] = {}

    def play(self, case: Case) -> None:
        """Play a case to its end. Raises AssertionError, with the number of the step, where it goes another way."""
        self._runner.run(self._play(case))

    async def _play(self, case: Case) -> None:
        if case.config not in self._stages:
            self._stages[case.config] = await Stage.open(case.config, self._build)
        await self._stages[case.config].play(case)

    def close(self) -> None:
        for stage in self._stages.values():
            self._runner.run(stage.close())


@dataclass(slots=True)
class Take:
    """One performance of a case: where it plays, and every body that the origin has given so far."""

    path: str
    script: Script = field(default_factory=Script)
    given: list[bytes] = field(default_factory=list)


class Stage:
    def __init__(self, backend: Origin, service: Any, port: int, clock: Clock) -> None:
        self._origin = backend
        self._service = service
        self._port = port
        self._clock = clock

    @staticmethod
    async def open(config: str | None, build: Callable[..., Any]) -> Stage:
        """Start an origin and, in front of it, a sidecar on the implicit route or on ``config``."""
        from proxy.settings import load_settings

        backend, clock = Origin(), Clock()
        upstream = await backend.start()
        anywhere = "127.0.0.1:0"
        overrides = {
            "upstream.url": f"http://127.0.0.1:{upstream}",
            "listen": anywhere,
            "admin.listen": anywhere,
            "probes.listen": anywhere,
        }
        service = build(load_settings(config, source="<case>", overrides=overrides), wall=clock)
        await service.start()
        return Stage(backend, service, service.traffic_port, clock)

    async def close(self) -> None:
        await self._service.stop()
        await self._origin.stop()

    async def play(self, case: Case) -> None:
        take = Take(f"/c/{case.id}")
        for number, step in enumerate(case.steps, 1):
            if step.passes:
                self._clock.now += step.passes
                continue
            try:
                await self._play_step(take, step)
            except (AssertionError, EOFError, TimeoutError) as error:
                where = f"{case.section} ({case.level}), step {number}"
                raise AssertionError(f"{where}: {error or type(error).__name__}") from None

    async def _play_step(self, take: Take, step: Step) -> None:
        assert step.ask is not None
        assert step.expect is not None
        script = take.script = self._script(take, step)
        self._origin.scripts[take.path.removesuffix("/")] = script
        ask = self._break if step.expect.source == "broken" else self._ask
        answers = await ask(take, step.ask)
        if script.answers and step.expect.source == "stale":
            async with asyncio.timeout(client.PATIENCE):  # the refresh behind the answer
                await script.told.wait()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        take.given += [body for body in self._bodies if body not in take.given]
        for answer in answers:
            Judge(self, take, step.ask, step.expect, self._bodies).judge(answer)

    def _script(self, take: Take, step: Step) -> Script:
        """Fill in what the origin says in this step; a body it is not given is one of its own."""
        script = Script()
        self._bodies: list[bytes] = []
        date = http_date(self._clock.now)
        for say in step.says:
            number = len(take.given) + len(self._bodies) + 1
            body = (f"answer {number}" if say.body is None else say.body).encode("latin-1")
            headers = tuple(self.filled(line, take.path) for line in say.headers)
            script.answers.append((say, origin.render(say, headers, body, date)))
            self._bodies.append(body)
        return script

    async def _ask(self, take: Take, ask: Ask) -> list[client.Answer]:
        headers = tuple(self.filled(line, take.path) for line in ask.headers)
        request = client.render(ask.method, take.path + ask.path, headers, ask.body)
        if ask.askers == 1:
            return [await client.ask(self._port, ask.method, request)]
        take.script.gate = asyncio.Event()
        asking = [asyncio.ensure_future(client.ask(self._port, ask.method, request)) for _ in range(ask.askers)]
        for _ in range(TURNS):
            await asyncio.sleep(0)
        take.script.gate.set()
        return list(await asyncio.gather(*asking))

    async def _break(self, take: Take, ask: Ask) -> list[client.Answer]:
        """An answer that must not look whole: the connection ends early, or a 502 stands in for it."""
        try:
            answers = await self._ask(take, ask)
        except EOFError:
            return []
        assert [answer.status for answer in answers] == [502], f"a broken answer looks whole: {answers}"
        return []

    def filled(self, text: str, path: str) -> str:
        """Replace ``{now+10}``, ``{now-60:rfc850}``, ``{path}`` and ``{url}``."""

        def fill(match: re.Match[str]) -> str:
            now, sign, seconds, form, place = match.groups()
            if now:
                return http_date(self._clock.now + (-1 if sign == "-" else 1) * int(seconds or 0), form)
            return path if place == "path" else f"http://{client.AUTHORITY}{path}"

        return PLACEHOLDER.sub(fill, text)


def http_date(epoch: float, form: str | None = None) -> str:
    """The three forms of RFC 9110 section 5.6.7."""
    moment = datetime.fromtimestamp(epoch, UTC)
    match form:
        case "rfc850":
            return f"{moment:%A, %d-%b-%y %H:%M:%S GMT}"
        case "asctime":
            return f"{moment:%a %b} {moment.day:2} {moment:%H:%M:%S %Y}"
        case _:
            return f"{moment:%a, %d %b %Y %H:%M:%S GMT}"


@dataclass(frozen=True, slots=True)
class Judge:
    """Holds one answer, and what the origin received for it, against what the step expects."""

    stage: Stage
    take: Take
    ask: Ask
    expect: Expect
    bodies: list[bytes]

    def judge(self, answer: client.Answer) -> None:
        told = f"{answer.message.start} {answer.message.fields} {answer.message.body!r}"
        assert answer.status != UNSCRIPTED, "the origin was asked, and nothing is scripted there"
        self._source(answer)
        assert answer.status in self.expect.status, f"status is {answer.status}, not {self.expect.status}: {told}"
        assert [int(one.start.split(" ")[1]) for one in answer.interim] == list(self.expect.interim), answer.interim
        self._fields(answer.message, self.expect.has, self.expect.lacks)
        self._body(answer)
        self._cache_status(answer.message)
        if self.expect.saw is not None:
            self._saw(self.expect.saw)

    def _source(self, answer: client.Answer) -> None:
        seen, scripted = len(self.take.script.seen), len(self.bodies)
        match self.expect.source:
            case "cache":
                assert seen == 0, f"the origin was asked: {self.take.script.seen[0]}"
                assert answer.status == 416 or answer.message.value("Age") is not None, "a stored answer without Age"
            case "origin" | "collapsed" | "revalidated":
                assert seen == scripted, f"the origin was asked {seen} times, not {scripted}: {answer.message}"
            case "stale":
                assert seen >= scripted, f"the origin was asked {seen} times, not {scripted}"
                assert answer.message.value("Age") is not None, "a stored answer without Age"
            case "sidecar":
                assert seen >= scripted, f"the origin was asked {seen} times, not {scripted}"
                assert answer.message.body not in self.take.given, "the answer is the origin's, not the sidecar's"
        if self.expect.source == "revalidated":
            names = {name.lower() for name, _ in self.take.script.seen[-1].fields}
            assert names & {"if-none-match", "if-modified-since"}, f"no condition in {self.take.script.seen[-1]}"

    def _fields(self, message: Message, has: tuple[str, ...], lacks: tuple[str, ...]) -> None:
        for line in has:
            name, colon, wanted = line.partition(":")
            value = message.value(name)
            assert value is not None, f"no {name} in {message.fields}"
            if colon:
                wanted = self.stage.filled(wanted.strip(), self.take.path)
                assert value == wanted, f"{name} is {value!r}, not {wanted!r}"
        for name in lacks:
            assert message.value(name) is None, f"{name} is there: {message.value(name)!r}"

    def _body(self, answer: client.Answer) -> None:
        body = answer.message.body
        if self.expect.body is not None:
            assert body == self.expect.body.encode("latin-1"), f"body is {body!r}, not {self.expect.body!r}"
        elif self.ask.method == "HEAD" or answer.status in {204, 206, 304, 416}:
            return
        elif self.expect.source in {"origin", "collapsed"}:
            assert body == self.bodies[-1], f"body is {body!r}, the origin said {self.bodies[-1]!r}"
        elif self.expect.source != "sidecar":
            assert body in self.take.given, f"body is {body!r}, which the origin never said"

    def _cache_status(self, message: Message) -> None:
        member = (message.value("Cache-Status") or "").split(",")[-1].strip()
        name, *parameters = [part.strip() for part in member.split(";")]
        assert name == "sapwood", f"Cache-Status is {member!r}"
        source = self.expect.source
        if source == "cache":
            assert "hit" in parameters, member
        if source in {"origin", "revalidated"}:
            assert "hit" not in parameters, member
            assert any(parameter.startswith("fwd=") for parameter in parameters), member
        for wanted in self.expect.cache_status:
            assert wanted in parameters, f"Cache-Status is {member!r}, without {wanted!r}"
        if source in OUTCOMES:
            outcome = message.value("X-Cache-Status")
            assert outcome in OUTCOMES[source], f"X-Cache-Status is {outcome!r}, not {OUTCOMES[source]}"

    def _saw(self, saw: Saw) -> None:
        assert self.take.script.seen, "the origin was not asked"
        request = self.take.script.seen[-1]
        method, target, _ = request.start.split(" ", 2)
        assert saw.method in {None, method}, f"the origin saw {method}"
        if saw.path is not None:
            assert target == self.stage.filled(saw.path, self.take.path), f"the origin saw {target}"
        self._fields(request, saw.has, saw.lacks)
        if saw.body is not None:
            assert request.body == saw.body.encode("latin-1"), f"the origin got {request.body!r}"
