//! `Registers`: a register set with validity.

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use stillframe_engine::registers::{Cpu, Register, RegisterSet};

/// The processor of a name; None if the engine does not know it.
pub fn cpu_named(name: &str) -> Option<Cpu> {
    [Cpu::X86, Cpu::X64, Cpu::Arm64, Cpu::Arm].into_iter().find(|cpu| cpu.name() == name)
}

/// The name of a general register.
pub fn register_name(cpu: Cpu, register: Register) -> Option<&'static str> {
    cpu.register_names().get(usize::from(register.0)).copied()
}

/// The name of a vector register.
pub fn vector_name(cpu: Cpu, index: usize) -> String {
    format!("{}{index}", vector_prefix(cpu))
}

fn vector_prefix(cpu: Cpu) -> &'static str {
    match cpu {
        Cpu::X86 | Cpu::X64 => "xmm",
        Cpu::Arm64 => "v",
        Cpu::Arm => "d",
    }
}

/// See `_engine.pyi`.
#[pyclass(frozen, module = "stillframe._engine")]
pub struct Registers(pub RegisterSet);

#[pymethods]
impl Registers {
    #[getter]
    fn cpu(&self) -> &'static str {
        self.0.cpu().name()
    }

    #[getter]
    fn names(&self) -> Vec<&'static str> {
        self.0.cpu().register_names().to_vec()
    }

    #[getter]
    fn instruction_pointer(&self) -> Option<u64> {
        self.0.instruction_pointer()
    }

    #[getter]
    fn stack_pointer(&self) -> Option<u64> {
        self.0.stack_pointer()
    }

    #[getter]
    fn frame_pointer(&self) -> Option<u64> {
        self.0.frame_pointer()
    }

    fn get(&self, name: &str) -> PyResult<Option<u128>> {
        let cpu = self.0.cpu();
        if let Some(index) = cpu.register_names().iter().position(|&known| known == name) {
            return Ok(self.0.get(Register(index as u8)).map(u128::from));
        }
        let vector = name.strip_prefix(vector_prefix(cpu)).and_then(|index| index.parse::<usize>().ok());
        match vector {
            Some(index) if index < cpu.vector_count() => Ok(self.0.vector(index)),
            _ => Err(PyKeyError::new_err(name.to_owned())),
        }
    }

    fn known<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let known = PyDict::new(py);
        for (name, value) in self.0.named() {
            if let Some(value) = value {
                known.set_item(name, value)?;
            }
        }
        Ok(known)
    }

    fn known_vectors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let known = PyDict::new(py);
        for index in 0..self.0.cpu().vector_count() {
            if let Some(value) = self.0.vector(index) {
                known.set_item(vector_name(self.0.cpu(), index), value)?;
            }
        }
        Ok(known)
    }
}
