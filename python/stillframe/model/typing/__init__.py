"""Types: what debug information says of them, and how C++ spells them."""
