"""Extract the facts of one iOS app: the bundle with its frameworks, extensions, watch app and clips."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from auditor.containers.member import Member
from auditor.errors import AuditorError, FormatError, LimitError
from auditor.formats.itunes_metadata import StoreRecord, parse_itunes_metadata
from auditor.formats.mobileprovision import Profile, parse_profile
from auditor.formats.plist import parse_plist
from auditor.formats.privacy_manifest import parse_privacy_manifest
from auditor.model import (
    App,
    Extraction,
    FactBatch,
    FactKind,
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
from auditor.platforms.candidate import IosBundle
from auditor.platforms.ios_code import CodeScan, scan_member

_PARTS: tuple[tuple[PartKind, re.Pattern[str]], ...] = (
    (PartKind.EXTENSION, re.compile(r"(?:.*/)?(?:PlugIns|Extensions)/[^/]+\.appex")),
    (PartKind.WATCH, re.compile(r"Watch/[^/]+\.app")),
    (PartKind.CLIP, re.compile(r"AppClips/[^/]+\.app")),
)
_BUNDLE = re.compile(r"(?:^|/)([^/]+\.bundle)/")
_LOCALISED = re.compile(r"([^/]+)\.lproj/InfoPlist\.strings")


@dataclass(slots=True)
class _Collected:
    """What accumulates while a bundle is read."""

    facts: list[FactBatch] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    plists: dict[str, dict[str, object]] = field(default_factory=dict)
    """Parsed Info.plist by the folder it describes; '' is the app."""
    profile: Profile | None = None
    store: StoreRecord | None = None


def extract_ios(found: IosBundle) -> tuple[Extraction, tuple[Member, ...]]:
    """The facts of one bundle, and the archives inside it that may be apps of their own."""
    collected = _Collected(problems=list(found.problems))
    members = found.members
    for path, member in members.items():
        _read_record(path, member, found, collected)
    if found.store_record is not None:
        _read_store_record(found.store_record, found, collected)
    _collect_names(found, collected)
    code = CodeScan(found.budget)
    for path, member in members.items():
        scan_member(path, member, code)
    collected.facts.extend(code.facts)
    collected.problems.extend(code.problems)
    main = collected.plists.get("", {})
    if "" not in collected.plists:
        place = members["Info.plist"].origin if "Info.plist" in members else found.origin
        if not any(item.origin == place for item in collected.problems):
            collected.problems.append(
                Problem(ProblemCode.PLIST_DAMAGED, place, "Info.plist is missing or no dictionary")
            )
    elif not _text(main, "CFBundleIdentifier"):
        place = members["Info.plist"].origin
        collected.problems.append(Problem(ProblemCode.PLIST_DAMAGED, place, "Info.plist names no bundle identifier"))
    executable = _text(main, "CFBundleExecutable")
    if executable not in code.executables:
        detail = f"the executable {executable or '(unnamed)'} is missing or is no Mach-O file"
        collected.problems.append(Problem(ProblemCode.MACHO_ABSENT, found.origin, detail))
    collected.problems.extend(_absent_parts(found, collected, code))
    app = _identify(found, collected, code, executable)
    return Extraction(app, tuple(collected.facts), tuple(collected.problems)), tuple(code.nested)


def _absent_parts(found: IosBundle, collected: _Collected, code: CodeScan) -> Iterator[Problem]:
    """Frameworks and extensions that name an executable which is not there, or is none."""
    told = {item.origin for item in collected.problems}
    for folder, value in sorted(collected.plists.items()):
        name = _text(value, "CFBundleExecutable")
        path = f"{folder}/{name}"
        if not folder or not name or path in code.executables:
            continue
        place = found.members[path if path in found.members else f"{folder}/Info.plist"].origin
        if place not in told:
            yield Problem(
                ProblemCode.MACHO_ABSENT, place, f"the executable {name} of {folder} is missing or no Mach-O file"
            )


def _read_record(path: str, member: Member, found: IosBundle, collected: _Collected) -> None:
    """Info.plist of the app and its parts, provisioning profile, privacy manifests."""
    folder, name = posixpath.split(path)
    limits = found.budget.limits
    if name == "Info.plist" and (folder == "" or folder.endswith((".appex", ".app", ".framework"))):
        value = _read_plist(member, found, collected, essential=folder == "")
        if isinstance(value, dict):
            collected.plists[folder] = value
            collected.facts.extend(_plist_facts(value, member, main=folder == ""))
            collected.facts.extend(_stated_version(folder, value, member))
    elif name == "Info.plist" and folder.endswith(".bundle"):
        _read_resource_bundle(folder, member, found, collected)
    elif path == "embedded.mobileprovision":
        try:
            collected.profile = parse_profile(bytes(member.open()))
        except AuditorError as error:
            collected.problems.append(Problem(ProblemCode.PROFILE_DAMAGED, member.origin, str(error)))
    elif name == "PrivacyInfo.xcprivacy":
        try:
            privacy = parse_privacy_manifest(bytes(member.open()))
        except AuditorError as error:
            collected.problems.append(Problem(ProblemCode.PROFILE_DAMAGED, member.origin, str(error)))
            return
        pairs = ((FactKind.TRACKING_DOMAIN, privacy.tracking_domains), (FactKind.ACCESSED_API, privacy.accessed_apis))
        collected.facts.extend(batch(kind, member.origin, values) for kind, values in pairs if values)
    elif path == "iTunesMetadata.plist" and member.size <= limits.manifest_size:
        _read_store_record(member, found, collected)


def _read_resource_bundle(folder: str, member: Member, found: IosBundle, collected: _Collected) -> None:
    """The version a resource bundle states; it holds no code, whatever executable its Info.plist names."""
    if member.size > found.budget.limits.manifest_size:
        return
    try:
        value = parse_plist(bytes(member.open()), found.budget.limits)
    except AuditorError:
        # Such lists come in many forms and hide no more than a version number.
        return
    if isinstance(value, dict):
        collected.facts.extend(_stated_version(folder, value, member))


def _stated_version(folder: str, value: Mapping[str, object], member: Member) -> Iterator[FactBatch]:
    """The version of a part of the app; the app's own is its identity."""
    version = _text(value, "CFBundleShortVersionString").strip() or _text(value, "CFBundleVersion").strip()
    if folder and version:
        yield batch(FactKind.FILE_VERSION, member.origin, [f"{posixpath.basename(folder)} {version}"])


def _read_plist(member: Member, found: IosBundle, collected: _Collected, *, essential: bool) -> object:
    try:
        if member.size > found.budget.limits.manifest_size:
            raise LimitError(f"{member.size} bytes of property list; raise --limit manifest_size")
        return parse_plist(bytes(member.open()), found.budget.limits)
    except AuditorError as error:
        hides = None if essential else ProblemCode.PLIST_DAMAGED.hides - {FactKind.APP_ID}
        collected.problems.append(Problem(ProblemCode.PLIST_DAMAGED, member.origin, str(error), hides))
        return None


def _read_store_record(member: Member, found: IosBundle, collected: _Collected) -> None:
    try:
        if member.size > found.budget.limits.manifest_size:
            raise LimitError(f"{member.size} bytes of store record; raise --limit manifest_size")
        collected.store = parse_itunes_metadata(bytes(member.open()))
    except AuditorError as error:
        collected.problems.append(Problem(ProblemCode.PROFILE_DAMAGED, member.origin, str(error)))
        return
    if collected.store.item_id:
        collected.facts.append(batch(FactKind.STORE_ID, member.origin, [collected.store.item_id]))


def _plist_facts(value: Mapping[str, object], member: Member, *, main: bool) -> Iterator[FactBatch]:
    """Identity of the app itself; schemes of the app and of its parts."""
    bundle_id = _text(value, "CFBundleIdentifier")
    if main and bundle_id:
        yield batch(FactKind.APP_ID, member.origin, [bundle_id])
    types = value.get("CFBundleURLTypes")
    schemes = [
        scheme
        for entry in (types if isinstance(types, list) else [])
        if isinstance(entry, dict)
        for scheme in _texts(entry, "CFBundleURLSchemes")
    ]
    if schemes:
        yield batch(FactKind.URL_SCHEME, member.origin, schemes)
    queried = _texts(value, "LSApplicationQueriesSchemes")
    if queried:
        yield batch(FactKind.QUERIED_SCHEME, member.origin, queried)


def _text(value: Mapping[str, object], key: str) -> str:
    found = value.get(key)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return ""
    return str(found)


def _texts(value: Mapping[str, object], key: str) -> list[str]:
    found = value.get(key)
    return [item for item in found if isinstance(item, str) and item] if isinstance(found, list) else []


def _collect_names(found: IosBundle, collected: _Collected) -> None:
    origin = found.origin
    collected.facts.append(batch(FactKind.FILE, origin, found.members))
    bundles = {match.group(1) for path in found.members for match in _BUNDLE.finditer(path)}
    if bundles:
        collected.facts.append(batch(FactKind.BUNDLE, origin, bundles))


def _identify(found: IosBundle, collected: _Collected, code: CodeScan, executable: str) -> App:
    main = collected.plists.get("", {})
    store = collected.store
    labels = _labels(found, main)
    parts = tuple(_parts(found, collected, code))
    bundle_id = _text(main, "CFBundleIdentifier") or (store.bundle_id if store is not None else "")
    signature = code.signatures.get(executable)
    team = (signature.team_id if signature is not None else "") or (
        collected.profile.team_ids[0] if collected.profile is not None and collected.profile.team_ids else ""
    )
    if team:
        collected.facts.append(batch(FactKind.TEAM_ID, found.origin, [team]))
    if signature is not None and signature.entitlements:
        place = found.members[executable].origin
        collected.facts.append(batch(FactKind.ENTITLEMENT, place, map(str, signature.entitlements)))
    detail = "an Apple code signature; no signer reference exists to compare it with" if signature is not None else ""
    attributes = (
        ("profile", collected.profile.name if collected.profile is not None else ""),
        ("seller", store.seller if store is not None else ""),
        ("store_id", store.item_id if store is not None else ""),
        ("team_id", team),
        ("team_name", collected.profile.team_name if collected.profile is not None else ""),
    )
    default = dict(labels).get("", "")
    return App(
        platform=Platform.IOS,
        app_id=bundle_id,
        origin=found.origin,
        build=build_key(parts),
        version=_text(main, "CFBundleShortVersionString") or (store.version if store is not None else ""),
        version_code=_text(main, "CFBundleVersion"),
        label=default or (labels[0][1] if labels else ""),
        labels=labels,
        min_sdk=_text(main, "MinimumOSVersion"),
        target_sdk=_text(main, "DTPlatformVersion"),
        parts=parts,
        signing=Signing(SigningState.NOT_CHECKED, scheme="apple" if signature is not None else None, detail=detail),
        parent=found.parent,
        attributes=tuple((name, value) for name, value in attributes if value),
    )


def _labels(found: IosBundle, main: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    labels = {"": _text(main, "CFBundleDisplayName") or _text(main, "CFBundleName")}
    for path, member in found.members.items():
        match = _LOCALISED.fullmatch(path)
        if match is None or member.size > found.budget.limits.manifest_size:
            continue
        try:
            strings = parse_plist(bytes(member.open()), found.budget.limits)
        except (FormatError, AuditorError):
            # Strings files may be in the old text form, which only costs a translated label.
            continue
        if isinstance(strings, dict):
            label = _text(strings, "CFBundleDisplayName") or _text(strings, "CFBundleName")
            if label:
                labels[match.group(1)] = label
    return tuple(sorted((locale, label) for locale, label in labels.items() if label))


def _parts(found: IosBundle, collected: _Collected, code: CodeScan) -> Iterator[Part]:
    """The bundle as a whole, then extensions, watch apps and clips, known by their executables."""
    if found.whole is not None:
        data = found.whole.open()
        yield Part(PartKind.BUNDLE, "", hashlib.sha256(data).hexdigest(), len(data), found.whole.origin)
    else:
        yield _folder_part(found)
    for folder, value in sorted(collected.plists.items()):
        kind = next((kind for kind, pattern in _PARTS if folder and pattern.fullmatch(folder)), None)
        executable = f"{folder}/{_text(value, 'CFBundleExecutable')}"
        if kind is not None and executable in code.executables:
            digest, size = code.executables[executable]
            yield Part(kind, _text(value, "CFBundleIdentifier"), digest, size, found.members[executable].origin)


def _folder_part(found: IosBundle) -> Part:
    total = 0
    outer = hashlib.sha256()
    for path, member in found.members.items():
        try:
            data = member.open()
        except AuditorError:
            # Counted by its name only: the problem itself is reported where the member is read.
            data = b""
        total += len(data)
        outer.update(f"{path}\0{hashlib.sha256(data).hexdigest()}\n".encode("utf-8", "surrogateescape"))
    return Part(PartKind.BUNDLE, "", outer.hexdigest(), total, found.origin)
