"""The README in every pack: what is in it, and how to check it without us."""

from counterfoil.evidence.content import Content

_README = """\
EVIDENCE PACK

This archive holds what one run read from a vendor and what was written from it.

  manifest.json      whose it is, which run, when, and the SHA-256 and size of every file here
  manifest.sig       Ed25519 signature (64 bytes, RFC 8032) over the exact bytes of manifest.json
  canonical/*.csv    rows the run wrote, one file for each table, ordered by id (UTF-8, RFC 4180, lines end in LF)
  raw/*.jsonl        the vendor's records as they came, one JSON object a line, in the order they landed
  requests.jsonl     the requests that were made, where those are logged
  audit.jsonl        audit events of the job and of whoever asked for it, in order, each as it was hashed for its seal
  audit_proofs.json  for each of these events its place in the sealed audit log, with the seal and the way to its root
  counts.json        what the vendor said there was, what landed, and the rows in this pack

The pack is "as of" the time in manifest.json. A record that a later run changed belongs to that run from then on.

  records of the vendor  {records}
  canonical rows         {rows}

Values are exact and unaltered. A spreadsheet may run a cell that begins with = + - or @: import columns as text.

HOW TO CHECK IT

With Counterfoil installed (no account, database or network needed):

  counterfoil evidence verify PACK.zip --public-key KEY

Without it, with unzip, OpenSSL 3, jq and sha256sum:

  unzip PACK.zip -d pack && cd pack
  openssl pkeyutl -verify -pubin -inkey KEY.pem -rawin -in manifest.json -sigfile manifest.sig
  jq -r '.files[] | .sha256 + "  " + .path' manifest.json | sha256sum --check --strict
  find . -type f | wc -l        # the files of the manifest and two more

The first of these also checks that the events are in their seals. By hand, for one event: SHA-256 of its line in
audit.jsonl (without the line's end), SHA-256 of a zero byte and that; then for each step of its path SHA-256 of a byte
of one and both digests, the step's on its side. The result is the root in the seal's statement (RFC 6962, section 2.1),
whose SHA-256 is the seal's hash, and which the seal's signature is over. Events without a seal were too young for one.

KEY is the public key of the installation that made this pack. Get it from its operator, who sees it with
`counterfoil evidence key`, and not from this archive: manifest.json names the key only to tell which one is meant.
"""


def text(content: Content) -> str:
    return _README.format(records=content.records.sentence, rows=content.rows.sentence)
