//! Whole conversations with scripted servers.
