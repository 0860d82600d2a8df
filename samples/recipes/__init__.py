"""Recipes of the committed samples: one function per family, own sources only."""
