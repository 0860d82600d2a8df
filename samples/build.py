"""Build the committed samples from source, or say which of them would change.

python samples/build.py                 build what is missing or changed, and the manifest
python samples/build.py --check         change nothing; name the samples that would change
python samples/build.py --manifest      only write the manifest anew, from the files as they are
python samples/build.py ios/ wechat     only the samples whose path holds one of these words
"""

from __future__ import annotations

import argparse
import sys

from recipes import (
    android_apps,
    android_sdks,
    bundles,
    carriers,
    damaged,
    devices,
    dumps,
    ios_apps,
    ios_sdks,
    ios_tiers,
    ios_variants,
    signing,
    tiers,
    wrappers,
)
from recipes.sample import Sample, collect, render_manifest
from recipes.toolchain import CACHE, DEBIAN_PACKAGES, SAMPLES, missing_tools

MODULES = (
    android_apps,
    android_sdks,
    signing,
    ios_apps,
    ios_sdks,
    ios_variants,
    ios_tiers,
    tiers,
    wrappers,
    bundles,
    damaged,
    carriers,
    devices,
    dumps,
)
FAMILIES = tuple(family for module in MODULES for family in module.FAMILIES)


def samples() -> list[Sample]:
    """Every sample, by path."""
    found = [item for family in FAMILIES for item in collect(family)]
    return sorted(found, key=lambda item: item.path)


def build(wanted: list[Sample], *, check: bool) -> list[str]:
    """Build samples and return the paths whose bytes differ from the files; write them unless ``check``."""
    changed = []
    for item in wanted:
        data, path = item.build(), SAMPLES / item.path
        if not path.exists() or path.read_bytes() != data:
            changed.append(item.path)
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        print(f"{item.path}: {len(data)} bytes{' (changed)' if item.path in changed else ''}", file=sys.stderr)
    return changed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="build only paths that hold one of these")
    parser.add_argument("--check", action="store_true", help="change nothing, name what would change")
    parser.add_argument("--manifest", action="store_true", help="only write manifest.toml")
    parser.add_argument("--fresh", action="store_true", help="forget cached tool results first")
    options = parser.parse_args()
    known = samples()
    changed: list[str] = []
    if not options.manifest:
        if missing := missing_tools():
            parser.error(f"missing tools: {', '.join(missing)}; Debian packages: {DEBIAN_PACKAGES}")
        if options.fresh and CACHE.exists():
            for path in CACHE.iterdir():
                path.unlink()
        wanted = [item for item in known if not options.words or any(word in item.path for word in options.words)]
        changed = build(wanted, check=options.check)
    if options.check:
        print("\n".join(changed) or "nothing would change")
        return 1 if changed else 0
    built = [item for item in known if (SAMPLES / item.path).exists()]
    (SAMPLES / "manifest.toml").write_text(render_manifest(built, SAMPLES), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
