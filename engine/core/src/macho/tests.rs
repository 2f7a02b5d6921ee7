//! Mach-O files assembled by hand.
