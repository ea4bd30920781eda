"""The stream engine: cursors, dedupe, upsert, raw records, lineage, replay."""
