"""Names like those of real apps, in any number, always the same ones."""

from __future__ import annotations

import random

_WORDS = [
    "app",
    "main",
    "view",
    "base",
    "data",
    "model",
    "network",
    "http",
    "json",
    "parse",
    "image",
    "load",
    "cache",
    "user",
    "login",
    "pay",
    "share",
    "video",
    "player",
    "adapter",
    "fragment",
    "activity",
    "service",
    "factory",
    "builder",
    "callback",
    "listener",
    "request",
    "response",
    "config",
    "event",
    "store",
    "media",
    "camera",
    "scan",
    "document",
    "cloud",
    "sync",
    "chat",
    "message",
    "contact",
    "group",
    "live",
    "gift",
    "search",
    "home",
    "feed",
    "detail",
    "setting",
    "account",
    "profile",
    "token",
    "crypto",
    "codec",
    "common",
    "core",
    "internal",
    "widget",
    "dialog",
    "list",
    "item",
    "holder",
    "binding",
    "animation",
    "motion",
    "gesture",
    "touch",
    "render",
    "canvas",
    "texture",
    "shader",
    "audio",
    "record",
    "stream",
    "socket",
    "channel",
    "buffer",
    "queue",
    "thread",
    "pool",
    "task",
    "job",
    "worker",
    "schedule",
]


def _camel(rng: random.Random) -> str:
    return "".join(word.capitalize() for word in rng.choices(_WORDS, k=rng.randint(1, 4)))


def _short(number: int) -> str:
    """The number-th name an obfuscator gives: a, b, ..., z, aa, ab, ..."""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("a") + rest) + name
    return name


def class_names(count: int, seed: int = 1) -> list[str]:
    """Half kept, half obfuscated, as a shrinker leaves them."""
    rng = random.Random(seed)
    names: set[str] = set()
    while len(names) < count:
        if rng.random() < 0.5:
            words = [*rng.choices(_WORDS, k=rng.randint(1, 2)), *rng.choices(_WORDS, k=rng.randint(1, 3))]
            package = ".".join([rng.choice(["com", "com", "com", "org", "io"]), *words])
            for _ in range(rng.randint(5, 60)):
                outer = f"{package}.{_camel(rng)}"
                names.add(outer)
                names.update(f"{outer}${rng.randint(1, 9)}" for _ in range(rng.choice([0, 0, 0, 1, 2, 5])))
        else:
            package = ".".join(_short(rng.randint(0, 800)) for _ in range(rng.randint(1, 3)))
            names.update(f"{package}.{_short(number)}" for number in range(rng.randint(5, 120)))
    return sorted(names)[:count]


def file_paths(count: int, seed: int = 2) -> list[str]:
    """Resources under shortened names, libraries and assets."""
    rng = random.Random(seed)
    paths = {"AndroidManifest.xml", "resources.arsc", "classes.dex"}
    while len(paths) < count:
        name = "".join(rng.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", k=2))
        paths.add(
            rng.choice(
                [
                    f"res/{name}{rng.choice('123456789')}.xml",
                    f"res/drawable-xxhdpi-v4/{rng.choice(_WORDS)}_{rng.choice(_WORDS)}_{name}.png",
                    f"assets/{rng.choice(_WORDS)}/{rng.choice(_WORDS)}_{name}.json",
                ]
            )
        )
    return sorted(paths)


def literals(count: int, seed: int = 3) -> list[bytes]:
    """String constants as bytes; what they say does not matter to a filter."""
    rng = random.Random(seed)
    return [b"%s/%x" % (rng.choice(_WORDS).encode(), rng.getrandbits(48)) for _ in range(count)]
