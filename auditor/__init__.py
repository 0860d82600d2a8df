"""Static audit of mobile apps: which are a designated app, which carry an SDK of one, and how we know."""
