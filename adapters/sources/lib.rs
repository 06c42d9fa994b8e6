//! How to read a thing consistently: the file tree.
