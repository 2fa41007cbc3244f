"""What pytest reads in this folder: the examples in the pages, and nothing that the build makes or needs."""

collect_ignore_glob = ["*.py", "_build", "auto_*", "generated"]
