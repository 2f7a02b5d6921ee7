"""The model: what a dump shows, as objects. It asks a `Locator` for files and never searches itself."""
