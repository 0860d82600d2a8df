"""Static audit of mobile apps: which are a designated app, which carry an SDK of one, and how we know.

``audit(path)`` yields one ``Audit`` per app. Heavy parsers load only when a file needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from auditor.catalog import Catalog, load_catalog
    from auditor.errors import AuditorError
    from auditor.inventory import Inventory
    from auditor.limits import Limits
    from auditor.model import Audit, Grade, Problem, Role, Verdict
    from auditor.scan import Run, audit

_PUBLIC = {
    "Audit": "auditor.model",
    "AuditorError": "auditor.errors",
    "Catalog": "auditor.catalog",
    "Grade": "auditor.model",
    "Inventory": "auditor.inventory",
    "Limits": "auditor.limits",
    "Problem": "auditor.model",
    "Role": "auditor.model",
    "Run": "auditor.scan",
    "Verdict": "auditor.model",
    "audit": "auditor.scan",
    "load_catalog": "auditor.catalog",
}
__all__ = [
    "Audit",
    "AuditorError",
    "Catalog",
    "Grade",
    "Inventory",
    "Limits",
    "Problem",
    "Role",
    "Run",
    "Verdict",
    "audit",
    "load_catalog",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import auditor`` costs nothing."""
    module = _PUBLIC.get(name)
    if module is None:
        raise AttributeError(f"module 'auditor' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(module), name)
    globals()[name] = value
    return value
