"""What a pack looks like: shared by who writes packs and who checks them, and free of everything else of ours."""

import json
import re
from typing import Any

FORMAT = "counterfoil.evidence/1"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
AUDIT = "audit.jsonl"
PROOFS = "audit_proofs.json"
UNLISTED = (MANIFEST, SIGNATURE)

SIGNATURE_BYTES = 64
MOST_MEMBERS = 10_000
LARGEST_MANIFEST = 16 * 1024 * 1024
# The audit events of one job, or their proofs: a proof is a kilobyte or two, and a job has a few events.
LARGEST_AUDIT = 64 * 1024 * 1024
# JSON and CSV shrink to a twentieth or so; a pack that claims to hold much more is made to keep its reader busy.
LARGEST_RATIO = 200
SMALL_PACK = 1 << 30

# The same in every entry, so that two packs of the same content are the same bytes.
DATE_TIME = (1980, 1, 1, 0, 0, 0)
DOS_DATE, DOS_TIME = 0x21, 0
VERSION_ZIP64 = 45
UNIX = 3
DEFLATED = 8
# A regular file that its owner may read and write: no link, no folder, no device.
ATTRIBUTES = 0o600 << 16

_NAME = re.compile(r"^(?:[a-z0-9_]{1,63}/)?[A-Za-z0-9_]{1,63}\.[a-z]{2,5}\Z")


def is_member_name(name: str) -> bool:
    """Whether a name is of the kind packs have: nothing that leaves a folder, hides, or means two files to two systems."""
    return _NAME.match(name) is not None


def encode(document: dict[str, Any]) -> bytes:
    """JSON as packs hold it: keys in order, for people and for comparison."""
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n").encode()
