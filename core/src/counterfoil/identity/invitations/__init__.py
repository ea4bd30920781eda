"""Invitations: one-time links that make whoever presents them a member."""
