"""Tenants."""

from counterfoil.tenancy.models import Tenant

__all__ = ["Tenant"]
