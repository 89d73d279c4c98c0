"""The host's own certificate, as far as a report tells of it."""

from __future__ import annotations

import os
import time
from typing import Any

import files


def facts() -> dict[str, Any] | None:
    path = f"{files.SECRETS}/server.crt"
    if not os.path.exists(path):
        return None
    import ssl

    # Python's only reader of a certificate that it did not get from a handshake; CPython's own tests rely on it.
    decoded = ssl._ssl._test_decode_cert(path)  # type: ignore[attr-defined]
    return {
        "notBefore": instant(ssl.cert_time_to_seconds(decoded["notBefore"])),
        "notAfter": instant(ssl.cert_time_to_seconds(decoded["notAfter"])),
        "sans": [value for _, value in decoded.get("subjectAltName", ())],
    }


def instant(seconds: int) -> str:
    """ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
