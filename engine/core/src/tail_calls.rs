//! Calls that are the last thing a function does: jumps, after which the function has no frame on the stack any more.
//!
//! Source: DWARF 5, sections 3.4.1 (`DW_AT_call_tail_call`) and 3.3.1.3 (`DW_AT_call_all_tail_calls`). Where it cannot be
//! told whom a jump calls, nothing is known of what it leads to; gdb sees it so too.

use std::collections::HashMap;
use std::sync::PoisonError;

use crate::address::Rva;
use crate::debuginfo::{CallTarget, DebugInfo, LOCAL_IDENTITY, TailCall};
use crate::process::Process;
use crate::unwind::{Known, Process as _};

/// Most functions that stand between two frames.
const LONGEST_WAY: usize = 16;
/// Functions, and jumps of all frames of a stack, that are looked at before it counts as unknown where they lead.
const MOST_FUNCTIONS: usize = 256;
const MOST_JUMPS: usize = 1 << 14;

/// A function of a module whose debug information is here.
#[derive(Clone)]
pub struct Function<'a> {
    module: usize,
    base: u64,
    debug: &'a dyn DebugInfo,
    /// Some address of it.
    rva: Rva,
    identity: String,
}

impl<'a> Function<'a> {
    /// The function that covers an address.
    pub fn at(process: &'a Process, address: u64) -> Option<Function<'a>> {
        let module = process.module_at(address)?;
        let Known::Yes(debug) = process.debug_info(module.index) else { return None };
        let rva = Rva::of(address, module.base)?;
        let identity = debug.function_identity(rva)?;
        Some(Function { module: module.index, base: module.base, debug, rva, identity })
    }

    /// Whether the two are one.
    pub fn is(&self, other: &Function<'_>) -> bool {
        self.means(&self.identity, other)
    }

    /// Whether a call of this function means the other one. Identities of functions that only their unit knows are numbers
    /// in one file.
    fn means(&self, identity: &str, other: &Function<'_>) -> bool {
        identity == other.identity && (self.module == other.module || !identity.starts_with(LOCAL_IDENTITY))
    }

    /// The function that a call of this function means: another one of its module, or else of that of `other`.
    ///
    /// It may be called by another name than it has been given: `pthread_mutex_unlock` is `___pthread_mutex_unlock`.
    pub fn called(&self, identity: &str, other: &Function<'a>) -> Option<Function<'a>> {
        let of_module = |of: &Function<'a>| {
            let rva = of.debug.function_with_identity(identity)?;
            Some(Function { rva, identity: of.debug.function_identity(rva)?, ..of.clone() })
        };
        if self.means(identity, other) {
            return Some(other.clone());
        }
        of_module(self).or_else(|| of_module(other).filter(|_| !identity.starts_with(LOCAL_IDENTITY)))
    }

    /// The RVA of an address in the function's module.
    pub fn rva_of(&self, address: u64) -> Option<Rva> {
        Rva::of(address, self.base)
    }

    /// The debug information of the function's module.
    pub fn debug(&self) -> &'a dyn DebugInfo {
        self.debug
    }

    fn tail_calls(&self) -> Vec<TailCall> {
        self.debug.tail_calls(self.rva).unwrap_or_default()
    }
}

/// Ways that were sought in one stack, whose functions often call each other again.
pub struct Ways {
    known: HashMap<[(usize, String); 2], Option<Vec<u64>>>,
    /// Jumps that may still be looked at.
    budget: usize,
}

impl Ways {
    /// None yet.
    pub fn new() -> Ways {
        Ways { known: HashMap::new(), budget: MOST_JUMPS }
    }

    /// The only way from a function that was called to the one that runs: the address behind each jump on it. None if
    /// there are several, or if it cannot be told whether there are.
    pub fn only_one(&mut self, called: &Function<'_>, running: &Function<'_>) -> Option<Vec<u64>> {
        let key = [called, running].map(|function| (function.module, function.identity.clone()));
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let budget = &mut self.budget;
        let mut search = Search { running: running.clone(), way: Vec::new(), found: None, budget };
        let found = search.from(called).and(search.found);
        self.known.insert(key, found.clone());
        found
    }
}

/// A search for the only way to a function along jumps.
struct Search<'a, 'b> {
    running: Function<'a>,
    /// Functions on the way, each with the address behind its jump.
    way: Vec<(Function<'a>, u64)>,
    found: Option<Vec<u64>>,
    budget: &'b mut usize,
}

impl<'a> Search<'a, '_> {
    /// Follows the jumps of a function. None: there are several ways, or it cannot be told where one leads.
    fn from(&mut self, function: &Function<'a>) -> Option<()> {
        for call in function.tail_calls() {
            *self.budget = self.budget.checked_sub(1)?;
            let CallTarget::Function(identity) = call.target? else { return None };
            let target = function.called(&identity, &self.running);
            let Some(target) = target else { continue };
            self.way.push((function.clone(), call.return_address.at(function.base)));
            if target.is(&self.running) {
                let way = self.way.iter().map(|(_, address)| *address).collect();
                if self.found.replace(way).is_some() {
                    return None;
                }
            } else if !self.way.iter().any(|(passed, _)| passed.is(&target)) {
                (self.way.len() < LONGEST_WAY).then_some(())?;
                self.from(&target)?;
            }
            self.way.pop();
        }
        Some(())
    }
}

/// Whether the function at `address` may have been run again by a jump that ended it, so that what its caller passed is
/// not what it runs with.
pub fn may_run_again(process: &Process, address: u64) -> bool {
    let kept = || process.repeated.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(function) = Function::at(process, address) else { return true };
    let key = (function.module, function.identity.clone());
    if let Some(&known) = kept().get(&key) {
        return known;
    }
    let may = leads_back(function);
    kept().insert(key, may);
    may
}

fn leads_back(function: Function<'_>) -> bool {
    let mut reached = vec![function.clone()];
    let mut index = 0;
    while let Some(next) = reached.get(index).cloned() {
        index += 1;
        for call in next.tail_calls() {
            let Some(CallTarget::Function(identity)) = call.target else { return true };
            let Some(target) = next.called(&identity, &function) else { continue };
            if target.is(&function) || reached.len() >= MOST_FUNCTIONS {
                return true;
            }
            if !reached.iter().any(|other| other.is(&target)) {
                reached.push(target);
            }
        }
    }
    false
}
