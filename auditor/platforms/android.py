"""Extract the facts of one Android app: a base APK with its splits, or an app bundle."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from auditor.containers.archive import find_members
from auditor.containers.member import Member
from auditor.errors import AuditorError, FormatError, LimitError
from auditor.formats.android_manifest import Manifest, Text, read_manifest
from auditor.formats.apk_signing import read_signing
from auditor.formats.arsc import Resources, parse_resources
from auditor.formats.blob import Blob
from auditor.formats.zip import Archive, parse_zip
from auditor.model import (
    App,
    Extraction,
    FactBatch,
    FactKind,
    Origin,
    Part,
    PartKind,
    Platform,
    Problem,
    ProblemCode,
    Signing,
    SigningState,
    batch,
    build_key,
)
from auditor.platforms.android_code import CodeScan, scan_files, scan_members
from auditor.platforms.android_compiled import compiled_of, scan_compiled
from auditor.platforms.android_manifest_facts import manifest_facts
from auditor.platforms.android_set import missing_base
from auditor.platforms.candidate import AndroidSet
from auditor.platforms.refusal import refusal


@dataclass(slots=True)
class _Apk:
    """One opened APK of a set."""

    member: Member
    data: Blob
    archive: Archive
    manifest: Manifest | None
    resources: Resources | None


@dataclass(slots=True)
class _Collected:
    """What accumulates while a set is read."""

    facts: list[FactBatch] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)


def extract_android(found: AndroidSet) -> tuple[Extraction, tuple[Member, ...]]:
    """The facts of one set, and the archives inside it that are apps of their own.

    Raises:
        FormatError: not one APK of the set can be opened, so that there are no bytes to know the app by.
    """
    collected = _Collected(problems=list(found.problems))
    apks = list(_open_apks(found, collected))
    if not apks:
        raise FormatError(collected.problems[-1].detail)
    code = CodeScan(found.budget)
    loaded = False
    for apk in apks:
        members = find_members(apk.archive, apk.member.origin, found.budget)
        scan_members(apk.data, apk.archive, apk.member.origin, members, code)
        if apk.archive.anomalies:
            detail = "; ".join(apk.archive.anomalies[:5])
            collected.problems.append(Problem(ProblemCode.ARCHIVE_TAMPERED, apk.member.origin, detail))
        loaded |= _read_loaded(apk, found, len(apks) == 1, code)
    scan_files(found.expansions, code)
    collected.facts.extend(code.facts)
    collected.problems.extend(code.problems)
    base = next((apk for apk in apks if apk.manifest is not None and not apk.manifest.split), None)
    signing = _read_signings(apks, base, found, collected)
    if base is None and apks and all(apk.manifest is not None for apk in apks):
        collected.problems.append(missing_base(found.origin))
    manifests = [apk.manifest for apk in apks if apk.manifest is not None]
    collected.problems.extend(_unseen_code(found, manifests, code, loaded))
    collected.problems.extend(_unseen_splits(found, manifests, collected.problems))
    app = _identify(found, apks, base, collected, signing)
    extraction = Extraction(app, tuple(collected.facts), tuple(distinct(collected.problems)))
    return extraction, tuple(code.nested)


def _open_apks(found: AndroidSet, collected: _Collected) -> Iterator[_Apk]:
    limits = found.budget.limits
    for member in found.apks:
        origin = member.origin
        try:
            data = member.open()
            archive = parse_zip(data, limits)
        except AuditorError as error:
            collected.problems.append(refusal(origin, error, ProblemCode.ARCHIVE_DAMAGED))
            continue
        if archive.incomplete:
            collected.problems.append(Problem(ProblemCode.ARCHIVE_DAMAGED, origin, archive.incomplete))
        resources = _read_resources(archive, origin, found, collected)
        manifest = _read_apk_manifest(archive, resources, origin, found, collected)
        # An APK without a readable manifest is the base only where nothing stands before it.
        split = bool(manifest.split) if manifest is not None else member is not found.apks[0]
        kind = PartKind.SPLIT if split else PartKind.BASE
        name = (manifest.split if manifest is not None else posixpath.basename(member.path)) if split else "base"
        collected.parts.append(Part(kind, name, hashlib.sha256(data).hexdigest(), len(data), origin))
        names = [entry.name for entry in archive.entries if not entry.is_directory]
        collected.facts.append(batch(FactKind.FILE, origin, names))
        if manifest is not None:
            collected.facts.extend(manifest_facts(manifest, origin.child("AndroidManifest.xml")))
        yield _Apk(member, data, archive, manifest, resources)


def _read_resources(archive: Archive, origin: Origin, found: AndroidSet, collected: _Collected) -> Resources | None:
    entry = archive.find("resources.arsc")
    if entry is None:
        return None
    place = origin.child("resources.arsc")
    try:
        if entry.size > found.budget.limits.resource_size:
            raise LimitError(f"{entry.size} bytes of resources; raise --limit resource_size")
        resources = parse_resources(archive.view(entry), found.budget.limits)
    except FormatError as error:
        collected.problems.append(Problem(ProblemCode.RESOURCES_DAMAGED, place, str(error)))
        return None
    if resources.anomalies:
        detail = "; ".join(resources.anomalies[:5])
        collected.problems.append(Problem(ProblemCode.RESOURCES_DAMAGED, place, detail))
    return resources


def _read_apk_manifest(
    archive: Archive, resources: Resources | None, origin: Origin, found: AndroidSet, collected: _Collected
) -> Manifest | None:
    entry = archive.find("AndroidManifest.xml")
    place = origin.child("AndroidManifest.xml")
    limits = found.budget.limits
    try:
        if entry is None:
            raise FormatError("the archive has no AndroidManifest.xml")
        manifest = read_manifest(archive.read(entry, limits.manifest_size), limits, resources)
    except LimitError as error:
        collected.problems.append(Problem(ProblemCode.LIMIT, place, str(error)))
        return None
    except FormatError as error:
        collected.problems.append(Problem(ProblemCode.MANIFEST_DAMAGED, place, str(error)))
        return None
    if manifest.anomalies:
        detail = "; ".join(manifest.anomalies[:5])
        collected.problems.append(Problem(ProblemCode.ARCHIVE_TAMPERED, place, detail))
    return manifest


def _read_signings(apks: list[_Apk], base: _Apk | None, found: AndroidSet, collected: _Collected) -> Signing:
    """The signing of the base; splits signed by others do not belong to it and cannot be installed with it."""
    limits = found.budget.limits
    result: Signing | None = None
    ordered = [base, *(apk for apk in apks if apk is not base)] if base is not None else apks
    for apk in ordered:
        if apk is None:
            continue
        min_sdk = apk.manifest.min_sdk if apk.manifest is not None else ""
        try:
            signing, warnings = read_signing(
                apk.data, apk.archive, int(min_sdk) if min_sdk.isdecimal() else None, limits
            )
        except FormatError as error:
            signing, warnings = Signing(SigningState.INVALID, detail=str(error)), ()
        origin = apk.member.origin
        if signing.state is SigningState.UNVERIFIABLE:
            collected.problems.append(Problem(ProblemCode.SIGNING_UNVERIFIABLE, origin, signing.detail))
        elif signing.state is SigningState.INVALID:
            detail = signing.detail or "; ".join(warnings[:3])
            collected.problems.append(Problem(ProblemCode.SIGNING_DAMAGED, origin, detail, hides=frozenset()))
        if result is None:
            result = signing
            collected.facts.extend(_signer_facts(signing, origin))
        elif {item.sha256 for item in signing.signers} != {item.sha256 for item in result.signers}:
            detail = "signed by another key than its base"
            collected.problems.append(Problem(ProblemCode.SPLIT_MISMATCH, origin, detail))
    return result if result is not None else Signing(SigningState.MISSING)


def _signer_facts(signing: Signing, origin: Origin) -> Iterator[FactBatch]:
    if signing.state is SigningState.VERIFIED:
        values = [value for signer in (*signing.signers, *signing.lineage) for value in signer.values()]
        yield batch(FactKind.SIGNER, origin, values)


def _identify(found: AndroidSet, apks: list[_Apk], base: _Apk | None, collected: _Collected, signing: Signing) -> App:
    first = base or next((apk for apk in apks if apk.manifest is not None), None)
    manifest = first.manifest if first is not None else None
    labels = _resolve(apks, manifest.label if manifest is not None else None, collected)
    if not labels and manifest is not None:
        labels = _resolve(apks, manifest.launcher_label, collected)
    version = _resolve(apks, manifest.version_name if manifest is not None else None, collected)
    attributes = _attributes(manifest) if manifest is not None else ()
    return App(
        platform=Platform.ANDROID,
        app_id=manifest.package if manifest is not None else "",
        origin=found.origin,
        build=build_key(collected.parts),
        version=default_text(version),
        version_code=manifest.version_code if manifest is not None else "",
        label=default_text(labels),
        labels=labels,
        min_sdk=manifest.min_sdk if manifest is not None else "",
        target_sdk=manifest.target_sdk if manifest is not None else "",
        parts=tuple(collected.parts),
        signing=signing,
        parent=found.parent,
        attributes=attributes,
    )


def _attributes(manifest: Manifest) -> tuple[tuple[str, str], ...]:
    values = (
        ("application_class", manifest.application_class),
        ("install_location", manifest.install_location),
        ("processes", " ".join(sorted({item.process for item in manifest.components if item.process}))),
        ("shared_user_id", manifest.shared_user_id),
    )
    return tuple((name, value) for name, value in values if value)


def default_text(values: tuple[tuple[str, str], ...]) -> str:
    """The value of the default locale, else English, else the first."""
    by_locale = dict(values)
    for locale in ("", "en", "en-US"):
        if locale in by_locale:
            return by_locale[locale]
    return values[0][1] if values else ""


def _resolve(apks: list[_Apk], text: Text | None, collected: _Collected) -> tuple[tuple[str, str], ...]:
    """A text in every locale, from the resources of the base and its splits joined, as the platform joins them."""
    if text is None:
        return ()
    joined: Resources | None = None
    for apk in apks:
        if apk.resources is not None:
            joined = apk.resources if joined is None else joined.join(apk.resources)
    try:
        return text.values(joined)
    except FormatError as error:
        place = apks[0].member.origin.child("resources.arsc")
        collected.problems.append(Problem(ProblemCode.RESOURCES_DAMAGED, place, str(error)))
        return ()


def _read_loaded(apk: _Apk, found: AndroidSet, alone: bool, code: CodeScan) -> bool:
    """Whether the code the platform loads for an APK is there: in the APK, else in the compiled files beside it."""
    # Beside an APK with its own DEX the compiled files hold the same code, or none: reading them would tell nothing.
    if apk.archive.find("classes.dex") is not None:
        return True
    if apk.manifest is not None and not apk.manifest.has_code:
        return False
    return scan_compiled(apk.member.origin, compiled_of(apk.member, found.compiled, alone=alone), code)


def _unseen_code(found: AndroidSet, manifests: list[Manifest], code: CodeScan, loaded: bool) -> Iterator[Problem]:
    """Code that must exist and was not seen: no DEX at all, or a loader whose app is elsewhere."""
    if not manifests or not any(item.has_code for item in manifests):
        return
    if code.dex_seen == 0 or not loaded:
        # DEX files among the assets do not make an app: what loads them must lie somewhere.
        if not any(item.code is ProblemCode.CODE_ABSENT for item in code.problems):
            none = "there is no DEX file" if code.dex_seen == 0 else "there is no classes.dex"
            yield Problem(ProblemCode.CODE_ABSENT, found.origin, f"hasCode is not false, yet {none}")
        return
    components = [item for manifest in manifests for item in manifest.components if item.name]
    declared = {item.name for item in components if item.kind != "activity-alias"}
    missing = sorted(name for name in declared if not code.defines(name))
    starts = [item.target or item.name for item in components if item.launcher]
    started = bool(starts) and any(code.defines(name) for name in starts)
    # Declarations without code are left behind by removed SDKs, too; a packer takes the start of the app as well.
    if (len(missing) >= _MANY and len(missing) * 5 > len(declared) * 4) or (
        not started and len(missing) >= 2 and len(missing) * 2 > len(declared)
    ):
        detail = f"{len(missing)} of {len(declared)} declared components have no class in any DEX file: {missing[0]} …"
        yield Problem(ProblemCode.CODE_PACKED, found.origin, detail)


_MANY = 10
"""Missing components that are more than the leftovers of a removed SDK."""
_CONFIG_ONLY = frozenset({"abi", "density", "locale", "textures", "countries", "tier", "device_tier"})


def _unseen_splits(found: AndroidSet, manifests: list[Manifest], known: list[Problem]) -> Iterator[Problem]:
    """Splits the base requires and the set lacks."""
    base = next((item for item in manifests if not item.split), None)
    if base is None:
        return
    provided = {kind for item in manifests for kind in item.split_types}
    required = [kind for kind in base.required_split_types if kind not in provided]
    alone = len(manifests) == 1 and base.requires_splits
    if not required and not alone:
        return
    detail = f"the base requires splits that are not here: {', '.join(required) or 'none of them is'}"
    config_only = bool(required) and all(kind.rpartition("__")[2] in _CONFIG_ONLY for kind in required)
    code_seen = not any(item.code in (ProblemCode.CODE_PACKED, ProblemCode.CODE_ABSENT) for item in known)
    hides = None
    if config_only and code_seen:
        # A configuration split carries native libraries and resources; code and declarations come in feature splits.
        hides = frozenset(
            kind for kind in ProblemCode.SPLIT_MISSING.hides if not kind.value.startswith(("dex.", "android."))
        )
    yield Problem(ProblemCode.SPLIT_MISSING, found.origin, detail, hides)


def distinct(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Each problem once, in the order in which they were met."""
    seen = set()
    for item in problems:
        key = (item.code, item.origin, item.detail)
        if key not in seen:
            seen.add(key)
            yield item
