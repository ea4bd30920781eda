"""Custom roles: a tenant's own names for sets of permissions."""
