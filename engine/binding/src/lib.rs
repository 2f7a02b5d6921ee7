//! `stillframe._engine`: the engine as Python sees it. Conversion only; `_engine.pyi` documents every item.

#![allow(missing_docs)]

mod debug;
mod disasm;
mod dump;
mod errors;
mod identity;
mod image;
mod registers;
mod space;
mod types;
mod variables;

#[pyo3::pymodule]
mod _engine {

    use pyo3::types::{PyModule, PyModuleMethods};
    use pyo3::{Bound, PyResult};

    #[pymodule_export]
    use crate::debug::{DebugFile, FunctionRecord, LineRow, ScopeRecord, SourceFile, SourceLocation, SymbolRecord};
    #[pymodule_export]
    use crate::disasm::{Instruction, Operand};
    #[pymodule_export]
    use crate::dump::{
        DumpFile, ExceptionRecord, HandleRecord, MemoryRange, MemoryRegion, MiscInfo, ModuleRecord, Stream, SystemInfo,
        ThreadRecord, UnloadedModuleRecord,
    };
    #[pymodule_export]
    use crate::errors::EngineError;
    #[pymodule_export]
    use crate::identity::Pdb70;
    #[pymodule_export]
    use crate::image::{DifferingRange, ImageFile, Proof, Section};
    #[pymodule_export]
    use crate::registers::Registers;
    #[pymodule_export]
    use crate::space::{FrameRecord, Space, Span, Walk};
    #[pymodule_export]
    use crate::types::{MemberRecord, TypeRecord};
    #[pymodule_export]
    use crate::variables::{Located, LocatedPiece, VariableRecord};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("IS_OPTIMISED", !cfg!(debug_assertions))
    }
}
