"""The file formats of an extract: one module each, all given the same content to write.

Not here: which rows and columns leave, and what accompanies the file in its zip.
"""
