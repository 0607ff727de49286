"""What leaves: the manifest, the files in each format, the signed zip, and proving one."""
