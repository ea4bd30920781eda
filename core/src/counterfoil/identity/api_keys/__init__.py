"""API keys: a person's own, and those of services. Each may do what its bearer may, and of that only what its scopes name."""
