"""Consul's API on this host, over TLS with the host's own certificate. Tokens travel in a header, in no command."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any

import files
from clockwords import with_clock
from files import Refusal

QUESTION_SECONDS = 2.0


class ConsulError(Refusal):
    """An answer that is no success. `status` 0: there was none."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__("E_CONSUL", message)
        self.status = status


class Consul:
    """One connection, made again when it broke. Not for two threads at once."""

    def __init__(self, config: dict[str, Any], address: str | None = None, seconds: float = QUESTION_SECONDS) -> None:
        host, _, port = str(address or config["consul"]["address"]).rpartition(":")
        self.host, self.port, self.seconds = host.strip("[]"), int(port), seconds
        self.tokens = secret_tokens()
        self.connection: http.client.HTTPSConnection | None = None

    @property
    def management(self) -> str:
        token = self.tokens.get("initial_management")
        if token is None:
            raise Refusal("E_NOT_SERVER", "this host has no token to manage Consul with; ask a Consul server's host")
        return token

    def get(self, path: str, token: str | None = None) -> Any:
        return self.ask("GET", path, token)

    def put(self, path: str, token: str | None, body: Any = None) -> Any:
        return self.ask("PUT", path, token, body)

    def delete(self, path: str, token: str | None, body: Any = None) -> Any:
        return self.ask("DELETE", path, token, body)

    def ask(
        self, method: str, path: str, token: str | None = None, body: Any = None, accept: tuple[int, ...] = ()
    ) -> Any:
        status, content = self.exchange(method, path, token, None if body is None else json.dumps(body).encode())
        text = content.decode("utf-8", "replace")
        if status != 200 and status not in accept:
            question = f"{method} {path.partition('?')[0]}"
            raise ConsulError(status, f"Consul answered {question} with {status}: {text.strip()[:300]}")
        try:
            return json.loads(text) if text.strip() else None
        except ValueError:
            return text.strip()

    def exchange(self, method: str, path: str, token: str | None, body: bytes | None) -> tuple[int, bytes]:
        headers = {} if token is None else {"X-Consul-Token": token}
        again = self.connection is not None
        try:
            return self.once(method, path, headers, body)
        except (OSError, http.client.HTTPException) as problem:
            self.close()
            # A kept connection may have been closed by a restart. Everything that is asked here can be asked twice.
            if again and not isinstance(problem, TimeoutError):
                return self.exchange(method, path, token, body)
            words = f"no answer within {self.seconds:g} s" if isinstance(problem, TimeoutError) else str(problem)
            raise ConsulError(0, with_clock(f"Consul at {self.host}:{self.port} does not answer: {words}")) from None

    def once(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, bytes]:
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(
                self.host, self.port, timeout=self.seconds, context=tls_context()
            )
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def at(config: dict[str, Any], address: str, seconds: float) -> Consul:
    """Another server's, at the port that all of them have."""
    port = config["consul"]["address"].rpartition(":")[2]
    return Consul(config, f"[{address}]:{port}" if ":" in address else f"{address}:{port}", seconds)


def tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=f"{files.SECRETS}/ca.crt")
    context.load_cert_chain(f"{files.SECRETS}/server.crt", f"{files.SECRETS}/server.key")
    return context


def secret_config() -> dict[str, Any]:
    text = files.read_text(f"{files.SECRETS}/consul.json")
    try:
        return dict(json.loads(text or "{}"))
    except ValueError:
        raise Refusal("E_NO_CONFIG", f"{files.SECRETS}/consul.json is no JSON") from None


def secret_tokens() -> dict[str, str]:
    tokens = secret_config().get("acl", {}).get("tokens", {})
    return {name: token for name, token in tokens.items() if isinstance(token, str)}


def declared_tokens() -> dict[str, str]:
    """SecretID by name, of every token of the region; on a server."""
    text = files.read_text(f"{files.SECRETS}/tokens.json")
    if text is None:
        raise Refusal("E_NO_CONFIG", f"{files.SECRETS}/tokens.json is not installed")
    try:
        return {str(name): str(token) for name, token in json.loads(text).items()}
    except (ValueError, AttributeError):
        raise Refusal("E_NO_CONFIG", f"{files.SECRETS}/tokens.json is no JSON object") from None
