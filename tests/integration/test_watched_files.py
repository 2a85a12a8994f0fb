"""A sidecar in a pod: its rules and secrets are mounted, and change as a kubelet changes them."""

from __future__ import annotations

import http.client
import signal
import time
import urllib.error
import urllib.request

import pytest
from sidecar import Sidecar

RULES = """\
version: 1
log: {level: error}
admin: {token_file: %s}
routes:
  - {name: %s, match: "GET /**", authorization: ignore, cookies: ignore, ttl: 1h}
"""


class Volume:
    """A mounted ConfigMap and Secret."""

    def __init__(self, root):
        self.root = root
        self.changes = 0

    def write(self, route, token="first", rules=RULES):
        self.changes += 1
        made = self.root / f"..{self.changes}"
        made.mkdir()
        (made / "rules.yaml").write_text(rules % (self.root / "token", route))
        (made / "token").write_text(f"{token}\n")
        for name in ("rules.yaml", "token"):
            if not (self.root / name).is_symlink():
                (self.root / name).symlink_to(f"..data/{name}")
        (self.root / "..data_tmp").symlink_to(made.name)
        (self.root / "..data_tmp").replace(self.root / "..data")


@pytest.fixture
def volume(tmp_path):
    volume = Volume(tmp_path)
    volume.write("one")
    return volume


def admin(sidecar, path, token):
    request = urllib.request.Request(f"http://127.0.0.1:{sidecar.admin_port}{path}")
    request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def route(sidecar, token):
    status, text = admin(sidecar, "/explain?method=GET&url=/x", token)
    return text.partition('"route":"')[2].partition('"')[0] if status == 200 else status


def reload_ok(sidecar):
    connection = http.client.HTTPConnection("127.0.0.1", sidecar.probes_port, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    (line,) = [line for line in text.splitlines() if line.startswith("sapwood_config_reload_ok ")]
    return line.endswith("1.0")


def test_rules_and_token_follow_the_volume_and_a_broken_file_does_not_replace_a_running_one(volume):
    with Sidecar(
        None, upstream="http://127.0.0.1:9", flags=("--config", str(volume.root / "rules.yaml"), "--watch")
    ) as sidecar:
        assert route(sidecar, "first") == "one"

        volume.write("two", token="second")
        until(lambda: route(sidecar, "second") == "two")
        assert route(sidecar, "first") == "two", "the token before, for a while"

        volume.write("broken", token="second", rules=RULES.replace("ttl: 1h", "ttl: 1hr"))
        until(lambda: not reload_ok(sidecar))
        assert route(sidecar, "second") == "two"
        until(lambda: b'got "1hr"' in b"".join(sidecar.lines))

        volume.write("three", token="second")
        until(lambda: route(sidecar, "second") == "three")
        assert reload_ok(sidecar)


def test_without_watching_only_a_signal_counts(volume):
    with Sidecar(None, upstream="http://127.0.0.1:9", flags=("--config", str(volume.root / "rules.yaml"))) as sidecar:
        volume.write("two")
        assert route(sidecar, "first") == "one"
        sidecar.process.send_signal(signal.SIGHUP)
        until(lambda: route(sidecar, "first") == "two")
