"""Figures for whoever runs the installation, across all tenants: how many and how old, never whose."""
