"""From a container to apps, and from an app to its facts, per platform."""
