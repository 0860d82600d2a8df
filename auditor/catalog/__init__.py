"""Loads and checks what the auditor knows: subjects, signatures, policies, packers and their sources."""

from auditor.catalog.load import check_catalog, find_faults, load_catalog, parse_catalog
from auditor.catalog.nouns import Catalog, Fault, Packer, Source

__all__ = ["Catalog", "Fault", "Packer", "Source", "check_catalog", "find_faults", "load_catalog", "parse_catalog"]
