"""The plugin kernel: manifest, hook specifications, record types, manager. Imports no feature."""
