//! How the engine's errors become Python's.

use std::fmt::Display;

use pyo3::prelude::*;

pyo3::create_exception!(
    _engine,
    EngineError,
    pyo3::exceptions::PyException,
    "A file is not what it was opened as, or is damaged at its root. One line: what, where."
);

/// The Python exception for an engine error; its text is the error's sentence.
pub fn engine_error(error: impl Display) -> PyErr {
    EngineError::new_err(error.to_string())
}
