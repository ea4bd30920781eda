"""Vendors' webhooks: a proven hint is a receipt and a job that asks the vendor, never data."""
