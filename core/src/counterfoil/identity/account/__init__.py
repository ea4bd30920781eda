"""What people do with their own account: tenants, sessions, password, name."""
