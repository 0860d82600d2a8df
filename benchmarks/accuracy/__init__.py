"""How many embedded SDKs are found when a shrinker or a linker took their names: a labelled matrix, scored."""
