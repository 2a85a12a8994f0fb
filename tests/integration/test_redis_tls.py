"""A Redis that speaks nothing but TLS, with a password, and a certificate that only our own authority vouches for."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
import time

import pytest
from backends import Backend, Client
from servers import _die_with_parent, free_port, until
from sidecar import Sidecar

PASSWORD = "s3cret/with?signs@in#it"  # each of them means something in a URL
RULES = """
version: 1
service: tls
upstream: {{url: http://127.0.0.1:1}}
memory: {{max_size: 0}}
log: {{hits: 0%}}
store: {{url: "{url}", password_file: "{password}"}}
routes:
  - {{name: everything, match: GET /**, authorization: ignore, cookies: ignore, ttl: 1h}}
"""


def tool(name: str) -> str:
    """Where it is; a missing one fails the test by its name."""
    path = shutil.which(name)
    assert path is not None, f"missing: {name} (Debian package {name}), which bench/tools.sh installs"
    return path


class Authority:
    """A certificate authority of our own, in a folder."""

    def __init__(self, folder) -> None:
        folder.mkdir()
        self._folder = folder
        self.certificate = folder / "ca.pem"
        # What Python asks of an authority from 3.13 on (VERIFY_X509_STRICT).
        may_sign = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        named = ("-subj", "/CN=Sapwood's tests", "-days", "2")
        self._openssl("req", "-x509", *self._key("ca"), "-out", "ca.pem", *named, *may_sign)

    def vouch_for(self, address: str):
        """Return the certificate and the key of a server at that address."""
        self._openssl("req", *self._key("server"), "-out", "server.csr", "-subj", "/CN=redis")
        (self._folder / "names").write_text(f"subjectAltName=IP:{address}\nauthorityKeyIdentifier=keyid\n")
        signed_by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
        self._openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", "-days", "2", *signed_by)
        return self._folder / "server.pem", self._folder / "server.key"

    @staticmethod
    def _key(name: str) -> tuple[str, ...]:
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key")

    def _openssl(self, *words: str) -> None:
        subprocess.run([tool("openssl"), *words], cwd=self._folder, check=True, capture_output=True, timeout=30)


class TlsRedis:
    """Debian's redis-server on a loopback port, TLS only, in memory only."""

    def __init__(self, authority: Authority, folder, address: str) -> None:
        self.port = free_port()
        self._context = ssl.create_default_context(cafile=authority.certificate)
        self._context.check_hostname = False
        certificate, key = authority.vouch_for(address)
        self.process = subprocess.Popen(
            [
                *(tool("redis-server"), "--port", "0", "--tls-port", str(self.port), "--bind", "127.0.0.1"),
                *("--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-auth-clients", "no"),
                *("--requirepass", PASSWORD, "--save", "", "--appendonly", "no", "--dir", str(folder)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  no thread of a test holds a lock that prctl needs
        )
        deadline = time.monotonic() + 10
        while not self._answers():
            assert self.process.poll() is None, f"redis-server ended with {self.process.returncode}"
            assert time.monotonic() < deadline, "redis-server does not answer"

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self.command("PING") == b"+PONG"
        return False

    def command(self, *words: str) -> bytes:
        """Send one command on a connection of its own, after the password; return the first line of its reply."""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain,
            self._context.wrap_socket(plain) as connection,
            connection.makefile("rwb") as stream,
        ):
            for line in (("AUTH", PASSWORD), words):
                stream.write(b"*%d\r\n" % len(line) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in line))
                stream.flush()
                reply = stream.readline().rstrip(b"\r\n")
            return reply

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "ours")


@pytest.fixture
def redis(authority, tmp_path):
    server = TlsRedis(authority, tmp_path, "127.0.0.1")
    yield server
    server.close()


def rules(tmp_path, redis: TlsRedis, authority: Authority | None, password: str = PASSWORD) -> str:
    trust = "" if authority is None else f"?ssl_ca_certs={authority.certificate}"
    (tmp_path / "password").write_text(f"{password}\n")
    return RULES.format(url=f"rediss://127.0.0.1:{redis.port}/0{trust}", password=tmp_path / "password")


async def hello(head: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


async def outcomes(written: str, backend: Backend, asks: int = 2) -> tuple[list[str], object, str]:
    """Ask for one thing several times; return what became of it, what /health says, and the log."""
    with Sidecar(written, upstream=backend.url) as sidecar:
        async with Client(sidecar.port) as client:
            seen = []
            for _ in range(asks):
                status, fields, body = await client.ask("/thing")
                assert (status, body) == (200, b"hello")
                seen.append(fields[b"x-cache-status"].decode())
        _, health = await asyncio.to_thread(sidecar.admin, "GET", "/health")
    return seen, health, b"".join(sidecar.lines).decode()


async def test_what_is_stored_over_tls_is_a_hit(redis, authority, tmp_path):
    async with Backend(hello) as backend:
        seen, health, log = await outcomes(rules(tmp_path, redis, authority), backend)
    assert seen == ["MISS", "HIT"]
    assert health["store"]["status"] == "up"
    assert redis.command("DBSIZE") != b":0"
    assert PASSWORD not in log


async def test_a_purge_and_a_restart_of_the_sidecar_work_over_tls(redis, authority, tmp_path):
    written = rules(tmp_path, redis, authority)
    async with Backend(hello) as backend:
        with Sidecar(written, upstream=backend.url) as sidecar:
            async with Client(sidecar.port) as client:
                await client.ask("/thing")
                status, receipt = await asyncio.to_thread(sidecar.admin, "POST", "/purge", {"urls": ["/thing"]})
                assert (status, receipt["effective"]) == (200, True)
                assert (await client.ask("/thing"))[1][b"x-cache-status"] == b"MISS"
        assert (await outcomes(written, backend, 1))[0] == ["HIT"]


@pytest.mark.parametrize("trust", ["of somebody else", "of the system"])
async def test_a_server_that_the_authority_does_not_vouch_for_is_refused_and_service_goes_on(redis, tmp_path, trust):
    other = Authority(tmp_path / "theirs") if trust == "of somebody else" else None
    async with Backend(hello) as backend:
        seen, health, log = await outcomes(rules(tmp_path, redis, other), backend)
    assert "HIT" not in seen
    assert (health["status"], health["store"]["status"]) == ("degraded", "down")
    assert redis.command("DBSIZE") == b":0"
    assert PASSWORD not in log


async def test_a_certificate_for_another_address_is_refused_and_service_goes_on(authority, tmp_path):
    redis = TlsRedis(authority, tmp_path, "127.0.0.2")
    try:
        async with Backend(hello) as backend:
            seen, health, _ = await outcomes(rules(tmp_path, redis, authority), backend)
        assert "HIT" not in seen
        assert health["store"]["status"] == "down"
        assert redis.command("DBSIZE") == b":0"
    finally:
        redis.close()


async def test_a_wrong_password_is_a_store_failure_and_mends_when_it_is_right(redis, authority, tmp_path):
    async with Backend(hello) as backend:
        with Sidecar(rules(tmp_path, redis, authority, "wrong"), upstream=backend.url) as sidecar:
            async with Client(sidecar.port) as client:
                for _ in range(3):
                    status, fields, _ = await client.ask("/thing")
                    assert (status, fields[b"x-cache-status"] == b"HIT") == (200, False)
                redis.command("CONFIG", "SET", "requirepass", "wrong")
                async with asyncio.timeout(20):
                    while (await client.ask("/thing"))[1][b"x-cache-status"] != b"HIT":
                        pass


async def test_a_ca_file_that_is_not_there_is_a_store_failure(redis, authority, tmp_path):
    written = rules(tmp_path, redis, authority)
    await asyncio.to_thread(authority.certificate.unlink)
    async with Backend(hello) as backend:
        seen, health, _ = await outcomes(written, backend)
    assert "HIT" not in seen
    assert health["store"]["status"] == "down"


async def test_plain_text_at_a_tls_port_is_a_store_failure(redis, authority, tmp_path):
    written = rules(tmp_path, redis, None).replace("rediss://", "redis://")
    async with Backend(hello) as backend:
        with Sidecar(written, upstream=backend.url) as sidecar:
            async with Client(sidecar.port) as client:
                answers = [await client.ask("/thing") for _ in range(3)]
            assert {status for status, _, _ in answers} == {200}
            await until(lambda: sidecar.admin("GET", "/health")[1]["store"]["status"] == "down")
