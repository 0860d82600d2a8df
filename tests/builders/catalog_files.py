"""The smallest catalog that loads, as files, to break in one place at a time."""

from __future__ import annotations

SOURCES = """
[[source]]
id = "paper"
kind = "page"
ref = "a page about it"

[[source]]
id = "memory"
kind = "memory"
ref = "from memory"
"""

SUBJECT = """
id = "pay"
name = "Pay"
developer = "Pay Inc."

[unknown]
ios-id = "never seen"

[[app]]
platform = "android"
id = "com.pay.app"
relation = "main"
label = "Pay"
sources = ["paper"]
certificates = ["cert-pay"]

[[certificate]]
id = "cert-pay"
label = "Pay"
sources = ["paper"]
md5 = "0123456789abcdef0123456789abcdef"

[[example]]
name = "the app"
platform = "android"
app_id = "com.pay.app"
expect = { "pay" = "impostor" }
"""

SIGNATURE = """
[[signature]]
id = "pay-sdk-android"
name = "Pay SDK"
subject = "pay"
platform = "android"
vendor = "Pay Inc."

[[signature.clause]]
name = "classes"
kind = "dex.class"
values = ["com.pay.sdk.Task"]
prefixes = ["com.pay.sdk.ui."]
sources = ["paper"]

[[signature.clause]]
name = "screen"
kind = "android.activity"
globs = ["*.payapi.Entry"]
confidence = "medium"
sources = ["paper"]

[[signature.rule]]
grade = "embedded"
any_of = ["classes"]

[[signature.rule]]
grade = "referenced"
any_of = ["screen"]

[[signature.version]]
kind = "dex.string"
pattern = '^Pay/(\\d+)$'
sources = ["paper"]

[[signature.example]]
name = "inside"
expect = { "pay-sdk-android" = "embedded" }
[signature.example.facts]
"dex.class" = ["com.pay.sdk.Task"]

[[signature.example]]
name = "near"
[signature.example.facts]
"dex.class" = ["com.pay.sdkless.Task"]
"""

POLICY = """
id = "order"
name = "The order"
authority = "somebody"
scope = "everything"
signed = 2021-01-05
effective = 2021-02-19
status = "in force"
covers_subsidiaries = true
sources = ["paper"]

[[names]]
text = "Pay"
subject = "pay"

[[names]]
text = "Other"
since = 2022-01-01
"""

PACKERS = """
[[packer]]
id = "shell"
name = "Shell"

[[packer.clause]]
name = "libraries"
kind = "native.library"
globs = ["libshell-*.so"]
sources = ["paper"]
"""


def catalog_files(**changes: str) -> dict[str, bytes]:
    """The files by path; a keyword (sources, subject, signature, policy, packers) replaces one."""
    texts = {
        "sources.toml": changes.get("sources", SOURCES),
        "apps/pay.toml": changes.get("subject", SUBJECT),
        "sdks/pay.toml": changes.get("signature", SIGNATURE),
        "policies/order.toml": changes.get("policy", POLICY),
        "packers.toml": changes.get("packers", PACKERS),
    }
    return {name: text.encode() for name, text in texts.items()}


def changed(text: str, old: str, new: str, count: int = 1) -> str:
    """``text`` with ``old`` replaced, which must be there."""
    assert old in text
    return text.replace(old, new, count)
