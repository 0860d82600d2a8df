"""Throughput of reading apps out of images, against reading the same files where they lie."""
