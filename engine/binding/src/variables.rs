//! Variables, and where they are in a frame.

use pyo3::prelude::*;
use stillframe_engine::debuginfo::{self, Missing, Place};
use stillframe_engine::registers::{Cpu, Register};

use crate::registers::{register_name, vector_name};

/// See `_engine.pyi`.
#[pyclass(frozen, module = "stillframe._engine")]
pub struct VariableRecord {
    #[pyo3(get)]
    name: String,
    #[pyo3(get)]
    is_parameter: bool,
    #[pyo3(get)]
    is_artificial: bool,
    #[pyo3(get)]
    type_id: Option<u64>,
    #[pyo3(get)]
    inline_depth: u32,
    #[pyo3(get)]
    place: &'static str,
    #[pyo3(get)]
    register: Option<String>,
    #[pyo3(get)]
    offset: Option<i64>,
    pub where_it_lives: Place,
}

impl VariableRecord {
    pub fn new(variable: debuginfo::Variable, cpu: Cpu) -> VariableRecord {
        let (place, register, offset) = described(&variable.place, cpu);
        VariableRecord {
            name: variable.name,
            is_parameter: variable.is_parameter,
            is_artificial: variable.is_artificial,
            type_id: variable.type_id.map(|id| id.0),
            inline_depth: variable.inline_depth,
            place,
            register,
            offset,
            where_it_lives: variable.place,
        }
    }

    pub fn of_data(data: debuginfo::DataSymbol, cpu: Cpu) -> VariableRecord {
        let variable = debuginfo::Variable {
            name: data.name,
            is_parameter: false,
            is_artificial: false,
            place: data.place,
            type_id: data.type_id,
            inline_depth: 0,
        };
        VariableRecord::new(variable, cpu)
    }
}

fn described(place: &Place, cpu: Cpu) -> (&'static str, Option<String>, Option<i64>) {
    let name = |register| register_name(cpu, register).map(str::to_owned);
    match *place {
        Place::Register { register, .. } => ("register", name(register), None),
        Place::Vector(index) => ("register", Some(vector_name(cpu, index.into())), None),
        Place::RegisterRelative(register, offset) => ("register_relative", name(register), Some(offset.into())),
        Place::RegisterIndirect(register, offset) => ("register_indirect", name(register), Some(offset.into())),
        Place::CfaRelative(offset) => ("cfa_relative", None, Some(offset)),
        Place::VirtualFrameRelative(offset) => ("virtual_frame_relative", None, Some(offset.into())),
        Place::Static(rva) => ("static", None, Some(rva.0.into())),
        Place::ThreadLocal(offset) => ("thread_local", None, i64::try_from(offset).ok()),
        Place::Constant(_) => ("constant", None, None),
        Place::Pieces(_) => ("pieces", None, None),
        Place::Computed(_) => ("computed", None, None),
        Place::OptimizedAway => ("optimized_away", None, None),
    }
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct Located {
    kind: &'static str,
    address: Option<u64>,
    register: Option<String>,
    first_byte: u8,
    data: Option<Vec<u8>>,
    pieces: Vec<Py<LocatedPiece>>,
    missing: Option<&'static str>,
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct LocatedPiece {
    offset_bits: u32,
    size_bits: Option<u32>,
    located: Py<Located>,
}

impl Located {
    pub fn new(py: Python<'_>, located: debuginfo::Located, cpu: Cpu) -> PyResult<Located> {
        let mut record = Located {
            kind: "memory",
            address: None,
            register: None,
            first_byte: 0,
            data: None,
            pieces: Vec::new(),
            missing: None,
        };
        let name = |register: Register| register_name(cpu, register).map(str::to_owned);
        match located {
            debuginfo::Located::Memory(address) => record.address = Some(address),
            debuginfo::Located::Register { register, first_byte } => {
                (record.kind, record.register, record.first_byte) = ("register", name(register), first_byte);
            }
            debuginfo::Located::Vector(index) => {
                (record.kind, record.register) = ("register", Some(vector_name(cpu, index.into())));
            }
            debuginfo::Located::ThreadLocal(offset) => (record.kind, record.address) = ("thread_local", Some(offset)),
            debuginfo::Located::Value(bytes) => (record.kind, record.data) = ("value", Some(bytes)),
            debuginfo::Located::Pieces(pieces) => {
                record.kind = "pieces";
                for piece in pieces {
                    let located = Py::new(py, Located::new(py, piece.located, cpu)?)?;
                    let (offset_bits, size_bits) = (piece.offset_bits, piece.size_bits);
                    record.pieces.push(Py::new(py, LocatedPiece { offset_bits, size_bits, located })?);
                }
            }
            debuginfo::Located::Absent(missing) => {
                record.kind = "absent";
                record.missing = Some(match missing {
                    Missing::OptimizedAway => "optimized_away",
                    Missing::Register(register) => {
                        record.register = name(register);
                        "register"
                    }
                    Missing::Vector(index) => {
                        record.register = Some(vector_name(cpu, index.into()));
                        "register"
                    }
                    Missing::FrameBase => "frame_base",
                    Missing::Memory(address) => {
                        record.address = Some(address);
                        "memory"
                    }
                    Missing::EntryValue => "entry_value",
                    Missing::Expression => "expression",
                });
            }
        }
        Ok(record)
    }
}
