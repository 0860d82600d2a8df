"""Turn the error of a reader into a problem with the code that fits."""

from __future__ import annotations

from auditor.errors import AuditorError, FormatError, LimitError, PasswordError, UnsupportedError
from auditor.model import FactKind, Origin, Problem, ProblemCode

_NEVER_UNSUPPORTED = (ProblemCode.ARCHIVE_DAMAGED, ProblemCode.FILE_SYSTEM_DAMAGED)
"""Codes that would call a variant that is not read damage."""


def refusal(
    origin: Origin, error: AuditorError, damaged: ProblemCode, hides: frozenset[FactKind] | None = None
) -> Problem:
    """The problem of something that was not read; ``damaged`` is the code where the bytes are at fault."""
    if isinstance(error, PasswordError):
        code = ProblemCode.ENCRYPTED
    elif isinstance(error, LimitError):
        code = ProblemCode.LIMIT
    elif isinstance(error, UnsupportedError) and damaged in _NEVER_UNSUPPORTED:
        code = ProblemCode.UNSUPPORTED
    elif isinstance(error, FormatError):
        code = damaged
    else:
        code = ProblemCode.UNREADABLE
    return Problem(code, origin, str(error), hides)
