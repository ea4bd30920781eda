"""Connections to vendors' accounts: settings, sealed credentials, checks, and the signed-in client a connector works with."""
