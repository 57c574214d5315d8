"""What `rapporteur doctor` finds of one thing that it looks at.

Owns the form of a finding, and what of an address may be shown. Looks at nothing itself.
"""

import re
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "fix"]

_NAME_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]*@")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing looked at: `ok`, `note` (works, but look) or `fix` (needs `todo`)."""

    name: str
    state: State
    found: str
    todo: str = ""


def shown_address(address: str) -> str:
    """An address without the name and the password that may stand in it."""
    return _NAME_IN_ADDRESS.sub("***@", address)
