//! `stillframe._engine`: the engine as Python sees it.
