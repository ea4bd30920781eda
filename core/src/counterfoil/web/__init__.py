"""HTTP conventions every route shares: problems, correlation, pages, server-sent events, the static web app."""

from counterfoil.web.deps import provided
from counterfoil.web.pagination import Listing, Page, decode_cursor, encode_cursor

__all__ = ["Listing", "Page", "decode_cursor", "encode_cursor", "provided"]
