"""Where files are found: beside the dump, at recorded paths, in folders and local symbol stores."""
