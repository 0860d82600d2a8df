"""Readers of compiled cross-platform frameworks: Flutter, Unity, .NET."""

from __future__ import annotations

from auditor.platforms.wrapper_reader import WrapperReader

READERS: tuple[WrapperReader, ...] = ()
