//! Questions about types and variables, asked of untrusted debug information.

use super::MOST;
use crate::address::{ReadMemory, Rva};
use crate::debuginfo::{CallTarget, DebugInfo, Machine, Passed, Place, TypeId, TypeShape};
use crate::registers::{Cpu, Register};

/// Types that are looked at, from one to the next.
const MOST_TYPES: usize = 96;
/// Members and enumerators of one type that are followed.
const MOST_MEMBERS: usize = 8;

/// Asks every question about types, variables and where they are.
pub fn values(debug: &dyn DebugInfo) {
    let mut types: Vec<TypeId> = debug.types_matching(&mut |_| true, MOST).into_iter().map(|(_, id)| id).collect();
    for name in ["geo::Rect", "Everything", "int", "geo::Box<geo::Point,2>"] {
        types.extend(debug.types_named(name));
    }
    let mut places = Vec::new();
    for name in ["counter", "geo::Shape::made", "slot", "answer", "work::shared"] {
        places.extend(debug.data_named(name).into_iter().map(|it| it.place));
    }
    let functions = debug.symbols_matching(&mut |_| true, MOST).into_iter().map(|symbol| symbol.rva.0);
    for rva in functions.chain([0, 0x1000, u32::MAX]) {
        places.extend(debug.data_at(Rva(rva)).map(|it| it.place));
        types.extend(debug.function_type_at(Rva(rva)));
        debug.function_identity(Rva(rva));
        for rva in [rva, rva.saturating_add(8), rva.saturating_add(0x1a)] {
            call(debug, Rva(rva), &mut places);
            let variables = debug.variables_at(Rva(rva)).into_iter().take(MOST);
            for variable in variables {
                types.extend(variable.type_id);
                places.push(variable.place);
            }
        }
    }
    follow(debug, types);
    for place in places {
        compute(debug, &place);
    }
    // Numbers that nobody gave.
    for kind in 0..16 {
        for offset in [0, 1, 0x48, u64::MAX >> 4] {
            let id = TypeId(kind << 60 | offset);
            let _ = (debug.type_of(id), debug.members_of(id).len(), debug.enumerators_of(id).len());
        }
    }
}

fn call(debug: &dyn DebugInfo, return_address: Rva, places: &mut Vec<Place>) {
    places.extend(debug.call_site_value(return_address, Passed::Register(Register(2))));
    let last = debug.tail_calls(return_address).unwrap_or_default().into_iter().filter_map(|call| call.target);
    for target in debug.call_target(return_address).into_iter().chain(last.take(MOST)) {
        match target {
            CallTarget::Address(place) => places.push(place),
            CallTarget::Function(identity) => drop(debug.function_with_identity(&identity)),
        }
    }
}

fn follow(debug: &dyn DebugInfo, mut types: Vec<TypeId>) {
    for index in 0..MOST_TYPES {
        let Some(&id) = types.get(index) else { break };
        types.extend(debug.members_of(id).into_iter().take(MOST_MEMBERS).filter_map(|member| member.type_id));
        debug.enumerators_of(id);
        match debug.type_of(id).map(|it| it.shape) {
            Some(
                TypeShape::Pointer { target, .. }
                | TypeShape::Modified { target, .. }
                | TypeShape::Typedef { target }
                | TypeShape::Array { element: target, .. }
                | TypeShape::Enum { underlying: target, .. },
            ) => types.extend(target),
            Some(TypeShape::MemberPointer { target, class }) => types.extend(target.into_iter().chain(class)),
            Some(TypeShape::Function { result, parameters, class, .. }) => {
                types.extend(result.into_iter().chain(class).chain(parameters.into_iter().take(MOST_MEMBERS)));
            }
            _ => {}
        }
    }
}

fn compute(debug: &dyn DebugInfo, place: &Place) {
    if let Place::Computed(computed) = place {
        for cpu in [Cpu::X64, Cpu::Arm] {
            debug.evaluate(computed, &Everything(cpu));
        }
    }
}

/// A frame in which everything is known.
struct Everything(Cpu);

impl ReadMemory for Everything {
    fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        buffer.fill(address as u8);
        buffer.len()
    }
}

impl Machine for Everything {
    fn cpu(&self) -> Cpu {
        self.0
    }

    fn register(&self, register: Register) -> Option<u64> {
        Some(u64::from(register.0) << 32 | 0x1000)
    }

    fn vector(&self, index: u8) -> Option<u128> {
        Some(index.into())
    }

    fn cfa(&self) -> Option<u64> {
        Some(0x7fff_0000)
    }

    fn virtual_frame(&self) -> Option<u64> {
        Some(0x7fff_0000)
    }

    fn module_base(&self) -> Option<u64> {
        Some(0x40_0000)
    }

    fn entry_value(&self, passed: Passed) -> Option<u64> {
        match passed {
            Passed::Register(register) => Some(u64::from(register.0)),
            Passed::Parameter(TypeId(id)) => Some(id),
        }
    }
}
