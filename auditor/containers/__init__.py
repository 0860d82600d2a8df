"""Places that hold named byte streams: a folder, a zip archive, and whatever carries apps later."""
