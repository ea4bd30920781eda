"""The table explorer: typed filters, stable sorts, keyset pages and lineage over tables of rows that were synced."""

from counterfoil.tables.records import Column, Table
from counterfoil.tables.registry import TableRegistry

__all__ = ["Column", "Table", "TableRegistry"]
