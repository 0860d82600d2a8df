"""What the matrix does not show and the detector cannot see: sentences for the table, kept beside the figures."""

LIMITS = (
    "Strings that a protector encrypts (DexGuard and its like) leave no literal: such an app is answered by its "
    "manifest alone, and unknown where a packer is recognised.",
    "Code that is loaded at run time, that is encrypted inside an asset, or that lies in tar, bzip2, LZMA, zlib, "
    "zstd or brotli inside an app is not seen; mini-programs that a server delivers are not in the file.",
    "An encrypted iOS executable that was linked with an export list and stripped holds no name of a static SDK: "
    "what is left are declared schemes, bundles and imports, so the answer is referenced or unknown.",
    "FairPlay is simulated by scrambling the readable segment; no store app was at hand.",
    "Real binaries of the SHAREit, VMate and WPS SDKs were found in no registry: those families stand on sourced "
    "facts and stubs, and are not in the matrix. The newest builds in it are WeChat 5.5.3 and 2.0.0, Alipay 15.8.03 "
    "and 15.8.11, QQ 3.2.1.",
    "Versions are left out of what is learned, not of the choice of the rules' thresholds, which were set while "
    "looking at this matrix. Eleven of the packages with unrelated apps are the background that "
    "literals were learned against.",
    "Exact versions that are missing: WeChat 1.5 for iOS, which holds none beside a telling neighbour, and QQ where "
    "the shrinker left only what one query needs, whose number stands alone. Elsewhere a range of builds is "
    "told at best.",
    "All Android apps were shrunk with R8 3.3.28 or ProGuard 6.2.2; a newer R8 was in no registry at hand. ProGuard's "
    "optimiser fails on Alipay 15.8.03, so that pair is not in the matrix.",
)
