"""Reads ScriptingAssemblies.json of Unity apps: the assemblies that are loaded, also where the metadata is encrypted.

Format: a JSON object with the file names of assemblies in "names"; Unity 2020 and later write it beside the data.
Not read: kinds of assemblies, escaped characters in names.
"""

from __future__ import annotations

import re

from auditor.errors import FormatError, LimitError
from auditor.formats.blob import Blob
from auditor.limits import DEFAULT, Limits

_NAME = re.compile(rb'"([^"\\/\x00-\x1f]{1,1000})\.dll"')


def parse_scripting_assemblies(data: Blob, limits: Limits = DEFAULT) -> tuple[str, ...]:
    """Names of assemblies without .dll, ascending.

    Raises:
        LimitError: more than ``limits.manifest_size`` bytes.
        FormatError: no assembly is named.
    """
    if len(data) > limits.manifest_size:
        raise LimitError(f"a list of assemblies of {len(data)} bytes; raise --limit manifest_size")
    names = {match[1].decode("utf-8", "replace") for match in _NAME.finditer(data)}
    if not names:
        raise FormatError("no assembly is named", 0)
    return tuple(sorted(names))
