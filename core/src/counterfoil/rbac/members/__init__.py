"""Members: who belongs to a tenant, with which roles. The users themselves are global, and nobody's to change."""
