"""What the matrix does not show and the detector cannot see: sentences for the table, kept beside the figures."""

LIMITS = (
    "Strings that a protector encrypts (DexGuard and its like) leave no literal: such an app is answered by its "
    "manifest alone, and unknown where a packer is recognised.",
    "Code that is loaded at run time, and mini-programs that a server delivers, are not in the file.",
    "An encrypted iOS executable that was linked with an export list and stripped holds no name of a static SDK: "
    "what is left are declared schemes, bundles and imports, so the answer is referenced or unknown.",
    "FairPlay is simulated by scrambling the readable segment; no store app was at hand.",
    "Real binaries of the SHAREit, VMate and WPS SDKs were found in no registry: those families stand on sourced "
    "facts and stubs, and are not in the matrix.",
    "A version that is not stated in the app is answered as a range at best.",
)
