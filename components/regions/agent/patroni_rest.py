"""Questions to Patroni's REST interface, on this host and on others: over TLS, verified by the member's name in its
certificate, with the host's own certificate as the client's. Everything has a limit."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import files
import patroni_config
from clockwords import with_clock
from files import Refusal

ANSWER_BYTES = 4 * 1024 * 1024
PATIENCE = 3.0
"""Seconds for a question. Patroni asks Consul for some answers, which may take its time during an election."""


@dataclass(frozen=True)
class Endpoint:
    """`name`: what the certificate must carry; the address alone would be anybody's who has it now."""

    name: str
    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.name} ({self.address}:{self.port})"


@dataclass(frozen=True)
class Answer:
    status: int
    text: str

    def json(self) -> Any:
        try:
            return json.loads(self.text)
        except ValueError:
            raise Refusal("E_PATRONI", f"an answer that is no JSON: {self.words()}") from None

    def words(self) -> str:
        return f"HTTP {self.status}: {' '.join(self.text.split())[:300]}"


class Unanswered(Exception):
    """Nothing is known: refused, timed out, or not verified."""


class Verified(http.client.HTTPSConnection):
    """Connects to an address and verifies a name."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self.tls = context()
        self.endpoint = endpoint
        super().__init__(endpoint.address, endpoint.port, timeout=timeout, context=self.tls)

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self.tls.wrap_socket(self.sock, server_hostname=self.endpoint.name)


def context() -> ssl.SSLContext:
    """Made for each question: the certificate may have been renewed since the last one."""
    tls = ssl.create_default_context(cafile=f"{files.SECRETS}/ca.crt")
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(f"{files.SECRETS}/server.crt", f"{files.SECRETS}/server.key")
    return tls


def exchange(
    endpoint: Endpoint, method: str, path: str, body: Any = None, seconds: float = PATIENCE, **headers: str
) -> Answer:
    """One request with one limit for all of it. @raises Unanswered"""
    deadline = time.monotonic() + seconds
    connection: Verified | None = None
    try:
        connection = Verified(endpoint, seconds)
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Connection": "close", **headers})
        line = connection.sock  # the connection lets go of it when the answer says that it is the last one
        response = connection.getresponse()
        parts: list[bytes] = []
        while chunk := response.read1(65536):
            parts.append(chunk)
            if sum(map(len, parts)) > ANSWER_BYTES:
                raise Unanswered(f"{endpoint}: its answer is longer than {ANSWER_BYTES} bytes")
            remaining = deadline - time.monotonic()
            if line is not None and line.fileno() >= 0:  # it is closed with the last byte
                line.settimeout(max(0.001, remaining))
            if remaining < 0 and not response.isclosed():
                raise TimeoutError(f"no complete answer within {seconds:g} s")
        return Answer(response.status, b"".join(parts).decode("utf-8", "replace"))
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise Unanswered(with_clock(f"{endpoint}: {problem or type(problem).__name__}")) from None
    finally:
        if connection is not None:
            connection.close()


# ----------------------------------------------------------------------------------------------------- this host


def own(config: dict[str, Any]) -> Endpoint:
    address, port = patroni_config.split_endpoint(
        patroni_config.needed(patroni_config.PATRONI_YML, "restapi", "connect_address")
    )
    return Endpoint(config["name"], address, port)


def ask(config: dict[str, Any], path: str, method: str = "GET", body: Any = None, seconds: float = PATIENCE) -> Answer:
    """This host's Patroni. @raises Refusal E_NO_PATRONI"""
    try:
        return exchange(own(config), method, path, body, seconds)
    except Unanswered as silence:
        raise Refusal("E_NO_PATRONI", f"Patroni does not answer: {silence}") from None


def status(config: dict[str, Any], seconds: float = PATIENCE) -> dict[str, Any]:
    """GET /patroni: 200 or 503, with the same content."""
    return dict(ask(config, "/patroni", seconds=seconds).json())


def cluster(config: dict[str, Any], seconds: float = PATIENCE) -> dict[str, Any]:
    """The cluster as the DCS has it now."""
    answer = ask(config, "/cluster", seconds=seconds)
    if answer.status != 200:
        raise Refusal("E_PATRONI", f"GET /cluster: {answer.words()}")
    return dict(answer.json())


def leader_of(found: dict[str, Any]) -> dict[str, Any] | None:
    """The member that holds the leader's key."""
    return next((member for member in found["members"] if member["role"] in ("leader", "standby_leader")), None)


# ------------------------------------------------------------------------------------------------------- others


def endpoint_of(member: dict[str, Any]) -> Endpoint:
    """Of one of the `members` of /cluster."""
    url = urlsplit(member["api_url"])
    return Endpoint(member["name"], url.hostname or "", url.port or 8008)


def statuses(endpoints: list[Endpoint], seconds: float) -> dict[str, dict[str, Any]]:
    """GET /patroni of several at once, within one limit; who did not answer is not in it."""
    found: dict[str, dict[str, Any]] = {}
    pool = ThreadPoolExecutor(max_workers=max(1, len(endpoints)))
    asked = {pool.submit(exchange, one, "GET", "/patroni", None, seconds): one for one in endpoints}
    for future in wait(asked, timeout=seconds).done:
        try:
            found[asked[future].name] = dict(future.result().json())
        except (Unanswered, Refusal, TypeError, ValueError):
            pass  # no answer proves nothing
    pool.shutdown(wait=False, cancel_futures=True)
    return found
