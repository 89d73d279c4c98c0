"""Roles and databases as they are, for the plan to compare with those that the stack declares."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import stringprep
import unicodedata
from typing import TYPE_CHECKING, Any

import files
import pg
from files import Node

if TYPE_CHECKING:
    import psycopg

PASSWORDS = f"{files.SECRETS}/passwords"

ROLES = """
SELECT r.rolname, r.rolcanlogin, r.rolsuper, r.rolreplication, r.rolcreatedb, r.rolcreaterole, r.rolconnlimit,
       ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
             WHERE m.member = r.oid ORDER BY 1),
       (SELECT setconfig FROM pg_db_role_setting WHERE setrole = r.oid AND setdatabase = 0), r.rolpassword
FROM pg_authid r WHERE r.rolname !~ '^pg_' ORDER BY 1
"""

DATABASES = """
SELECT d.datname, pg_get_userbyid(d.datdba), d.datallowconn,
       (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0)
FROM pg_database d WHERE NOT d.datistemplate ORDER BY 1
"""


def catalog(node: Node, connection: psycopg.Connection[Any]) -> dict[str, Any]:
    roles = {}
    for name, login, super_, replication, db, role, limit, member_of, settings, verifier in connection.execute(ROLES):
        password = role_password(name)
        roles[name] = {
            "login": login,
            "superuser": super_,
            "replication": replication,
            "createDb": db,
            "createRole": role,
            "connectionLimit": limit,
            "memberOf": member_of,
            "settings": pairs(settings),
            "passwordMatches": None if password is None else verifies(password, verifier),
        }
    databases = {
        name: {"owner": owner, "extensions": extensions(node, name) if reachable else [], "settings": pairs(settings)}
        for name, owner, reachable, settings in connection.execute(DATABASES).fetchall()
    }
    return {"roles": roles, "databases": databases}


def pairs(settings: list[str] | None) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in settings or ())


def extensions(node: Node, database: str) -> list[str]:
    with pg.connect(node, "agent", database) as connection:
        return [name for (name,) in connection.execute("SELECT extname FROM pg_extension ORDER BY 1")]


# --------------------------------------------------------------------------------------------------- passwords


def role_password(role: str) -> str | None:
    """The password file of a role, without the line break that an editor leaves; None where there is none."""
    if os.path.basename(role) != role or role in ("", ".", ".."):
        return None
    try:
        text = files.read_text(f"{PASSWORDS}/{role}")
    except ValueError:
        return None
    return None if text is None else text.removesuffix("\n")


def verifies(password: str, verifier: str | None) -> bool:
    """Recomputes the stored SCRAM-SHA-256 verifier (RFC 5802); any other kind of stored password does not match."""
    try:
        scheme, salted, keys = (verifier or "").split("$")
        iterations, salt = salted.split(":")
        stored = base64.b64decode(keys.split(":")[0])
        if scheme != "SCRAM-SHA-256":
            return False
        key = hashlib.pbkdf2_hmac("sha256", prepared(password), base64.b64decode(salt), int(iterations))
    except ValueError:
        return False
    client_key = hmac.digest(key, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), stored)


def prepared(password: str) -> bytes:
    """SASLprep as PostgreSQL does it: a password that the profile forbids is taken as it is."""
    if password.isascii():
        return password.encode()
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c))
    normal = unicodedata.normalize("NFKC", mapped)
    forbidden = (
        stringprep.in_table_a1, stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3,
        stringprep.in_table_c4, stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7,
        stringprep.in_table_c8, stringprep.in_table_c9,
    )  # fmt: skip
    right_to_left = [stringprep.in_table_d1(c) for c in normal]
    mixed = any(right_to_left) and (
        any(map(stringprep.in_table_d2, normal)) or not (right_to_left[0] and right_to_left[-1])
    )
    if not normal or mixed or any(test(c) for c in normal for test in forbidden):
        return password.encode()
    return normal.encode()
