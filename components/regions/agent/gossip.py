"""
Gossip forgets a member that has left or is gone.

The word for it is a forced leave with `prune`, and a host passes over one that is not later than what it has heard of
the member, by Lamport's clock. What it has heard becomes later by itself: each exchange between two hosts adds one for
every member that has left (Serf's `MergeRemoteState`), while the clock of who says the word stands still. Of six hosts
one or two were seen to pass over it, which would have had the member among those that left for three days. So one server
says first, a few times, that the member has left, which sets everybody's clock on. Then all servers that know it say the
word at the same time: one that has forgotten cannot say it any more (Consul answers that there is no such node). A host
that misses it all the same (it is sent over UDP, a few times) has the member as one that left, which harms nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

import consulfacts
from awaiting import Together
from consulapi import Consul, at
from files import Refusal

PRUNE_SECONDS = 30.0
WORD_SECONDS = 10.0
"""A server that knows a member as one that is leaving forgets it six seconds later, and tells of nobody meanwhile."""
AHEAD = 5
"""Hosts exchange what they know every 30 s, and the clock with it, so nobody is ahead by more than one or two."""
HEARD_SECONDS = 1.0
"""Gossip goes to three hosts five times a second."""


def known(consul: Consul, node: str) -> dict[str, Any] | None:
    return next((member for member in consulfacts.members(consul) if member["node"] == node), None)


def forget(config: dict[str, Any], node: str) -> None:
    found = known(Consul(config, seconds=WORD_SECONDS), node)
    if found is not None and found["status"] == "alive":
        message = f"Consul's member {node} ({found['address']}) is alive; stop it before it is forgotten"
        raise Refusal("E_NODE_ALIVE", message)
    prune(config, node)


def prune(config: dict[str, Any], node: str) -> None:
    """Also out of the list of those that left. One that is seen as alive has just gone, and is soon seen as that."""
    deadline, problems = time.monotonic() + PRUNE_SECONDS, list[str]()
    while knowing := those_who_know(config, node):
        if time.monotonic() > deadline:
            seen = ", ".join(f"{status} for {server}" for server, (status, _) in sorted(knowing.items()))
            why = "".join(f"; {problem}" for problem in problems)
            raise Refusal("E_NODE_STAYS", f"Consul's member {node} is still {seen} after {PRUNE_SECONDS:g} s{why}")
        gone = {server: consul for server, (status, consul) in knowing.items() if status != "alive"}
        # Whoever fails has forgotten meanwhile, or is asked again.
        together(set_clocks_on, dict(list(gone.items())[:1]), node)
        # Nothing tells whether the others' clocks have followed. A word of the time of what went before it is passed over.
        time.sleep(HEARD_SECONDS)
        problems = together(say_the_word, gone, node)
        time.sleep(0.3)


def those_who_know(config: dict[str, Any], node: str) -> dict[str, tuple[str, Consul]]:
    """By server: as what it knows the member, and its Consul. A server that does not answer knows nobody."""
    servers = {
        member["node"]: at(config, member["address"], WORD_SECONDS)
        for member in consulfacts.members(Consul(config, seconds=WORD_SECONDS))
        if member["server"] and member["status"] == "alive" and member["node"] != node
    }
    asked = {server: partial(known, consul, node) for server, consul in servers.items()}
    found = Together(asked, consulfacts.LOOK_SECONDS).found
    return {server: (member["status"], servers[server]) for server, member in found.items() if member is not None}


def together(say: Callable[[Consul, str], None], servers: dict[str, Consul], node: str) -> list[str]:
    said = {server: partial(say, consul, node) for server, consul in servers.items()}
    return Together(said, WORD_SECONDS).problems


def set_clocks_on(consul: Consul, node: str) -> None:
    for _ in range(AHEAD):
        force_leave(consul, node)


def say_the_word(consul: Consul, node: str) -> None:
    force_leave(consul, node, "?prune=true")


def force_leave(consul: Consul, node: str, how: str = "") -> None:
    """It returns when the word has been sent."""
    consul.put(f"/v1/agent/force-leave/{quote(node)}{how}", consul.management)
