"""Saved views: a table's filters, sort, columns and chart under a name, of one member or of all."""
