"""Values: a type and where its bytes come from."""
