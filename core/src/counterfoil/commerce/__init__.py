"""The canonical commerce tables, and the rows connectors fill them with."""
