"""Measurements: what the auditor finds and what it costs, on inputs anybody can fetch and build again."""
