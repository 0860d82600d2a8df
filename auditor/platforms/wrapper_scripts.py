"""Readers of frameworks that carry JavaScript: React Native, Cordova, Capacitor, uni-app, mini-programs."""

from __future__ import annotations

from auditor.platforms.wrapper_reader import WrapperReader

READERS: tuple[WrapperReader, ...] = ()
