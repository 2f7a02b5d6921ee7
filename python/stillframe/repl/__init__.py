"""The debugger: verbs over one dump, at a prompt or in a row."""
