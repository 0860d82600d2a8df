"""The SQLite inventory: what was seen, where, what was said about it, and how we know."""

from __future__ import annotations

from auditor.inventory.read import StoredScan
from auditor.inventory.store import Inventory
from auditor.inventory.string_filter import StringFilter

__all__ = ["Inventory", "StoredScan", "StringFilter"]
