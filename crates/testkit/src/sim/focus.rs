//! Stories that are about one rule each.
