"""Who may do what in Consul: policies and tokens as they are, and as they are to be. Secrets come from files here."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import quote

from consulapi import Consul, ConsulError
from files import Refusal

OURS = "Understudy: "
"""How the description of everything begins that is ours to change and to remove."""
READY_SECONDS = 15.0
ROUNDS = 4
WRONG = re.compile(r"failed to parse|invalid (policy|token)(?!.*(already|in use))", re.IGNORECASE)
"""What asking again will not mend."""


def access(consul: Consul, secrets: dict[str, str]) -> dict[str, Any] | None:
    """Of those that are ours; None: there is no leader yet whom to ask, or it does not know our token yet."""
    try:
        policies, tokens = read(consul)
    except ConsulError as no:
        if no.status in (403, 500):
            return None
        raise
    names = {secret: name for name, secret in secrets.items()}
    listed = {}
    for token in tokens:
        if token["SecretID"] not in names and not token["Description"].startswith(OURS):
            continue
        # One that nobody has the secret of any more, e.g. of a host that is gone, shows as what is too much.
        name = names.get(token["SecretID"]) or f"{token['Description'].removeprefix(OURS)} ({token['AccessorID'][:8]})"
        listed[name] = sorted(policy["Name"] for policy in token.get("Policies") or [])
    return {"policies": {policy["Name"]: policy["Rules"] for policy in policies}, "tokens": listed}


def read(consul: Consul) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Our policies with their rules, and all tokens: one that has a secret of ours may be described otherwise."""
    listed = consul.get("/v1/acl/policies", consul.management)
    policies = [
        consul.get(f"/v1/acl/policy/{policy['ID']}", consul.management)
        for policy in listed
        if policy["Description"].startswith(OURS)
    ]
    return policies, consul.get("/v1/acl/tokens", consul.management)


def grant(
    consul: Consul, wanted: list[dict[str, str]], tokens: dict[str, list[str]], secrets: dict[str, str]
) -> list[str]:
    """Makes it so, and returns the names of what was not. Somebody else may be at it: then it is looked at again."""
    missing = sorted(set(tokens) - set(secrets))
    if missing:
        raise Refusal("E_NO_TOKEN", f"secrets/tokens.json has no {', '.join(missing)}; run `pulumi up` again")
    changed: list[str] = []
    deadline = time.monotonic() + READY_SECONDS
    rounds = 0
    while True:
        try:
            done = Round(consul, wanted, tokens, secrets).run()
        except ConsulError as no:
            # A cluster that has just elected its first leader, or whose leader changes, does not know our token yet.
            if time.monotonic() > deadline or no.status not in (0, 403, 500) or WRONG.search(str(no)):
                raise
            time.sleep(0.3)
            continue
        changed += [name for name in done if name not in changed]
        if not done:
            return changed
        rounds += 1
        if rounds >= ROUNDS:
            raise Refusal("E_GRANT", f"somebody else keeps changing {', '.join(done)} in Consul")


class Round:
    """One comparison, and everything that follows from it. The next one proves that nothing is left to do."""

    def __init__(
        self, consul: Consul, wanted: list[dict[str, str]], tokens: dict[str, list[str]], secrets: dict[str, str]
    ) -> None:
        self.consul, self.wanted, self.tokens, self.secrets = consul, wanted, tokens, secrets
        self.done: list[str] = []

    def run(self) -> list[str]:
        policies, tokens = read(self.consul)
        by_name = {policy["Name"]: policy for policy in policies}
        for policy in self.wanted:
            self.policy(policy, by_name.get(policy["name"]))
        by_secret = {token["SecretID"]: token for token in tokens}
        for name, allowed in self.tokens.items():
            self.token(name, sorted(allowed), by_secret.get(self.secrets[name]))
        self.remove(policies, tokens)
        return self.done

    def policy(self, wanted: dict[str, str], found: dict[str, Any] | None) -> None:
        description = OURS + wanted["description"]
        if found and found["Rules"] == wanted["rules"] and found["Description"] == description:
            return
        if found is None:
            found = self.foreign("policy", wanted["name"])
        where = "/v1/acl/policy" if found is None else f"/v1/acl/policy/{found['ID']}"
        body = {"Name": wanted["name"], "Description": description, "Rules": wanted["rules"]}
        self.consul.put(where, self.consul.management, body)
        self.done.append(f"policy {wanted['name']}")

    def foreign(self, kind: str, name: str) -> dict[str, Any] | None:
        """One of this name that was not ours becomes ours: two of one name cannot be."""
        found = self.consul.ask("GET", f"/v1/acl/{kind}/name/{quote(name)}", self.consul.management, accept=(403, 404))
        return found if isinstance(found, dict) else None

    def token(self, name: str, allowed: list[str], found: dict[str, Any] | None) -> None:
        description = OURS + name
        if found and sorted(policy["Name"] for policy in found.get("Policies") or []) == allowed:
            if found["Description"] == description:
                return
        body: dict[str, Any] = {"Description": description, "Policies": [{"Name": policy} for policy in allowed]}
        if found is None:
            # Its AccessorID is made from nothing secret by Consul; the SecretID is ours.
            self.consul.put("/v1/acl/token", self.consul.management, {**body, "SecretID": self.secrets[name]})
        else:
            self.consul.put(f"/v1/acl/token/{found['AccessorID']}", self.consul.management, body)
        self.done.append(f"token {name}")

    def remove(self, policies: list[dict[str, Any]], tokens: list[dict[str, Any]]) -> None:
        """Ours, and wanted no more: e.g. of a host that was removed. Tokens first, since they name policies."""
        kept = {self.secrets[name] for name in self.tokens}
        for token in tokens:
            if token["Description"].startswith(OURS) and token["SecretID"] not in kept:
                self.consul.delete(f"/v1/acl/token/{token['AccessorID']}", self.consul.management)
                self.done.append(f"token {token['Description'].removeprefix(OURS)}")
        names = {policy["name"] for policy in self.wanted}
        for policy in policies:
            if policy["Name"] not in names:
                self.consul.delete(f"/v1/acl/policy/{policy['ID']}", self.consul.management)
                self.done.append(f"policy {policy['Name']}")
