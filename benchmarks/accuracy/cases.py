"""The nouns of the matrix: an app that was built, and the truth about it from mapping files and link maps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Truth:
    """What the build's own records say of one SDK in one app; never our detector's opinion."""

    family: str
    """Subject id: alipay, wechat or tencent-qq."""
    version: str
    """Of the SdkBuild that went in."""
    classes: int
    """SDK classes that are in the output, under any name; 0: the shrinker took it all."""
    named: int
    """Of these, how many still have their own name."""
    states: str = ""
    """The version literal, where the build carries one and it is still in the output."""

    @property
    def embedded(self) -> bool:
        return self.classes > 0


@dataclass(frozen=True, slots=True)
class Case:
    """One app of the matrix."""

    id: str
    platform: str
    """android or ios."""
    path: Path
    """The APK or IPA, in the ignored folder."""
    style: str
    """Shrinker or link style: d8, r8-full, proguard-keep; plain, stripped, fairplay, ..."""
    use: str
    """What the host calls: one-call, payment or everything."""
    truths: tuple[Truth, ...]
    encrypted: bool = False
    """Whether the code is ciphertext (FairPlay simulated)."""
