"""Passwords: Argon2id at OWASP's parameters, off the event loop, a bounded number at a time."""

import asyncio
import os
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_MEMORY_KIB = 19 * 1024
_PASSES = 2
_LANES = 1


class Passwords:
    """Hashes and verifies. One per process: its limiter leaves a core for everything else."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
        self._nobodys_hash = self._hasher.hash(secrets.token_hex(16))
        self._slots = asyncio.Semaphore(max(1, (os.cpu_count() or 2) - 1))

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password is the one; ``None`` costs the same time and never is."""
        async with self._slots:
            matches = await asyncio.to_thread(self._matches, stored or self._nobodys_hash, password)
        return matches and stored is not None

    async def rehashed(self, stored: str, password: str) -> str | None:
        """A new hash of a password that was just verified, where the stored one has other parameters than ours."""
        return await self.hash(password) if self._hasher.check_needs_rehash(stored) else None

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
