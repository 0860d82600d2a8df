"""Apps made from the examples that signatures and subjects carry."""

from __future__ import annotations

from auditor.model import App, Example, Extraction, FactKind, Origin, Platform, Signer, Signing, SigningState, batch

HERE = Origin(("example.apk",))


def extraction_of(example: Example) -> Extraction:
    """The app an example describes; its signer, if it names one, has signed validly."""
    facts = [batch(kind, HERE.child(kind.value), values) for kind, values in example.facts]
    facts.append(batch(FactKind.APP_ID, HERE, [example.app_id]))
    app = App(example.platform, example.app_id, HERE, "0" * 64, signing=_signing(example))
    return Extraction(app, tuple(facts))


def _signing(example: Example) -> Signing:
    if example.platform is Platform.IOS:
        return Signing(SigningState.NOT_CHECKED)
    digests = dict(value.split(":", 1) for kind, values in example.facts if kind is FactKind.SIGNER for value in values)
    if not digests:
        return Signing(SigningState.MISSING)
    signer = Signer(
        sha256=digests.get("sha256", "0" * 64),
        sha1=digests.get("sha1", "0" * 40),
        md5=digests.get("md5", "0" * 32),
        md5_of_hex=digests.get("md5-of-hex", "0" * 32),
        subject="CN=example",
        public_key_sha256=digests.get("spki-sha256", "0" * 64),
        rsa_modulus=digests.get("rsa-modulus"),
    )
    return Signing(SigningState.VERIFIED, "v3", (signer,))
