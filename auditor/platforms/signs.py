"""Names that promise an app, go with one, or tell where one is."""

from __future__ import annotations

import re

APP_SUFFIXES = (".apk", ".apks", ".xapk", ".apkm", ".aab", ".ipa", ".zip")
"""Names that promise an app: such a file is answered for even when it turns out to be none."""
IMAGE_SUFFIXES = (".img", ".image", ".raw", ".dd", ".bin", ".dump", ".001")
"""Names that promise a disk or a partition."""
TAR_SUFFIX = ".tar"
"""What a backup unpacks to, and what promises an archive though it may begin with nothing."""
_NAME_IT = "name the APK, or the folder that both are in"
COMPANIONS = (
    (".idsig", f"the signature of an APK for its incremental installation, and no app: {_NAME_IT}"),
    (".dm", f"metadata for the compilation of an APK, and no app: {_NAME_IT}"),
    (".vdex", f"code compiled from an APK, and no app: {_NAME_IT}"),
    (".odex", f"code compiled from an APK, and no app: {_NAME_IT}"),
    (".oat", f"code compiled from an APK, and no app: {_NAME_IT}"),
    (".art", f"objects of the code compiled from an APK, and no app: {_NAME_IT}"),
    (".prof", f"a profile for the compilation of an APK, and no app: {_NAME_IT}"),
    (".obb", f"an expansion file of an app, and no app: {_NAME_IT}"),
)
"""Files that lie beside apps, by their suffix, and what to say to who names one of them."""
RECORDS_BY_PLACE = ("packages", "package-restrictions")
"""How the names of records begin whose place alone tells them, even when they are empty."""
STORE_RECORD = "iTunesMetadata.plist"
FOR_BELOW = frozenset({STORE_RECORD, "mappings"})
"""Files that say something of what is in the folders beside them."""
USERDATA = frozenset({"app", "data", "media", "user"})
"""What the root of a userdata partition has, which is mounted as /data."""

_PARTITION = re.compile(
    r"(?:^|/)(?:"
    r"(?:system|system_ext|system_other|vendor|product|odm|oem|super|userdata|data|cust|preload|my_[a-z]+)"
    r"(?:[_-][ab])?(?:\.img|\.raw|\.img\.raw|\.img\.ext4|\.ext4)"
    r"|apex_payload\.img|payload\.bin)$",
    re.IGNORECASE,
)


def is_partition_name(path: str) -> bool:
    """Whether a file goes by the name of an image that holds apps: a partition, an update, the content of a module."""
    return _PARTITION.search(path) is not None
