//! The value of a DWARF expression in a frame.
//!
//! Source: DWARF 5, sections 2.5.1, "General Operations", and 6.4.2.
//! Operations that need anything but registers and memory (types, thread-local storage, other entries of the debug
//! information) have no meaning in call frame information.

use gimli::{EndianSlice, EvaluationResult, Format, LittleEndian, UnitOffset, Value};

use super::step::Position;
use crate::callframe;

/// Operations that are carried out; jumps may repeat them.
const MOST_OPERATIONS: u32 = 1024;

/// The value that `operations` leave on top, begun with the canonical frame address if there is one yet.
pub(super) fn evaluate(position: &Position, operations: &[u8], cfa: Option<u64>) -> Option<u64> {
    let address_size = position.cpu().pointer_size_bytes() as u8;
    let encoding = gimli::Encoding { address_size, format: Format::Dwarf32, version: 5 };
    let expression = gimli::Expression(EndianSlice::new(operations, LittleEndian));
    let mut evaluation = expression.evaluation(encoding);
    evaluation.set_max_iterations(MOST_OPERATIONS);
    if let Some(cfa) = cfa {
        evaluation.set_initial_value(cfa);
    }
    let untyped = UnitOffset(0);
    let mut state = evaluation.evaluate().ok()?;
    loop {
        state = match state {
            EvaluationResult::Complete => break,
            EvaluationResult::RequiresMemory { address, size, space: None, base_type } if base_type == untyped => {
                evaluation.resume_with_memory(Value::Generic(read(position, address, size)?)).ok()?
            }
            EvaluationResult::RequiresRegister { register, base_type } if base_type == untyped => {
                let register = callframe::register(position.cpu(), register.0)?;
                let value = position.frame.registers.get(register)?;
                evaluation.resume_with_register(Value::Generic(value)).ok()?
            }
            EvaluationResult::RequiresCallFrameCfa => evaluation.resume_with_call_frame_cfa(cfa?).ok()?,
            _ => return None,
        };
    }
    let value = evaluation.value_result()?.to_u64(position.largest_word()).ok()?;
    Some(value & position.largest_word())
}

fn read(position: &Position, address: u64, size: u8) -> Option<u64> {
    let mut bytes = [0; 8];
    let wanted = bytes.get_mut(..usize::from(size))?;
    (position.process.read(address, wanted) == wanted.len()).then(|| u64::from_le_bytes(bytes))
}
