//! The instructions before an address.
//!
//! x86 code cannot be read backwards: an address has many byte sequences before it that decode to an instruction
//! ending there. But wrong starts fall into step with the right ones after a few instructions. So every offset in a
//! window votes for the path that decoding takes from it, and the most trodden path is followed back. Where starts are
//! known (functions, lines), nothing is guessed.

use super::arm64;
use super::forward::{Ended, Limit, Listing, Step, UnsupportedCpu, decoder, disassemble, step};
use super::names::Names;
use crate::registers::Cpu;

/// The longest instruction.
const LONGEST_BYTES: usize = 15;
/// Bytes before the wanted instructions that vote too, so that the first of them has enough voters.
const LEAD_BYTES: usize = 4 * LONGEST_BYTES;
/// Known starts are used from here back; the start of a larger function is found by voting.
const FURTHEST_ANCHOR_BYTES: usize = 1 << 20;

/// Disassembles up to `count` instructions, the last of which ends exactly at `address`, in address order.
///
/// `code_before` holds the bytes that end at `address`. `anchors` are addresses known to begin an instruction (start of
/// the function, of lines), in any order; those outside `code_before` are ignored, as are those from which decoding
/// does not arrive at `address`. The list is shorter than `count`, and says [`Ended::OutOfBytes`] with its first
/// address, where no more instructions lead there. Errors: processors other than x86, x64 and
/// ARM64.
pub fn disassemble_before(
    code_before: &[u8],
    address: u64,
    cpu: Cpu,
    count: usize,
    anchors: &[u64],
    names: &dyn Names,
) -> Result<Listing, UnsupportedCpu> {
    if cpu == Cpu::Arm64 {
        return Ok(arm64::disassemble_before(code_before, address, count, names));
    }
    let useful_bytes = code_before.len().min(FURTHEST_ANCHOR_BYTES.max(count.saturating_mul(LONGEST_BYTES)));
    let code = &code_before[code_before.len() - useful_bytes..];
    let start = address.wrapping_sub(code.len() as u64);
    let mut search = Search { code, start, cpu, lengths: vec![None; code.len()] };
    let mut anchors: Vec<usize> = anchors
        .iter()
        .map(|anchor| anchor.wrapping_sub(start))
        .filter(|&offset| offset < code.len() as u64)
        .map(|offset| offset as usize)
        .collect();
    anchors.sort_unstable();
    let first = search.start_of(count, &anchors)?;
    let found = first.count;
    let first_address = start.wrapping_add(first.offset as u64);
    let mut listing = disassemble(&code[first.offset..], first_address, cpu, Limit::Count(found), names)?;
    listing.ended = if found < count { Ended::OutOfBytes(first_address) } else { Ended::Limit };
    Ok(listing)
}

/// Where to begin, and how many instructions there are from there to the end of the code.
struct First {
    offset: usize,
    count: usize,
}

struct Search<'a> {
    code: &'a [u8],
    start: u64,
    cpu: Cpu,
    /// By offset: bytes of the instruction there, 0 if there is none; `None` if not decoded yet.
    lengths: Vec<Option<u8>>,
}

impl Search<'_> {
    /// Goes back from the end of the code: to the nearest anchor that leads there, else by voting.
    fn start_of(&mut self, count: usize, anchors: &[usize]) -> Result<First, UnsupportedCpu> {
        let mut starts = Vec::new();
        let mut end = self.code.len();
        let mut anchors = anchors.to_vec();
        // From here anchors lead nowhere: each offset is walked over once.
        let mut dead = vec![false; self.code.len()];
        while starts.len() < count && end > 0 {
            anchors.truncate(anchors.partition_point(|&anchor| anchor < end));
            let Some(anchor) = anchors.pop() else {
                starts.extend(self.vote(end, count - starts.len())?.into_iter().rev());
                break;
            };
            let path = self.walk(anchor, end, &mut dead)?;
            end = path.first().copied().unwrap_or(end);
            starts.extend(path.into_iter().rev());
        }
        let count = count.min(starts.len());
        let offset = count.checked_sub(1).map_or(self.code.len(), |last| starts[last]);
        Ok(First { offset, count })
    }

    /// The starts of the instructions from `first` up to `end`, empty if they do not arrive at `end`.
    fn walk(&mut self, first: usize, end: usize, dead: &mut [bool]) -> Result<Vec<usize>, UnsupportedCpu> {
        let mut path = Vec::new();
        let mut offset = first;
        while offset < end && !dead[offset] {
            path.push(offset);
            match self.length_at(offset)? {
                0 => break,
                length => offset += length,
            }
        }
        if offset != end {
            path.drain(..).for_each(|passed| dead[passed] = true);
        }
        Ok(path)
    }

    /// The starts of up to `count` instructions that end at `end`, each the most trodden of those before the next.
    fn vote(&mut self, end: usize, count: usize) -> Result<Vec<usize>, UnsupportedCpu> {
        let window = end - end.min(count.saturating_mul(LONGEST_BYTES).saturating_add(LEAD_BYTES));
        // By offset from `window`: how many starts in the window lead there, itself included.
        let mut votes = vec![1u32; end - window];
        for offset in window..end {
            if self.is_zeros(offset) {
                votes[offset - window] = 0;
            }
            let here = votes[offset - window];
            let length = self.length_at(offset)?;
            if length > 0
                && let Some(next) = votes.get_mut(offset - window + length)
            {
                *next = next.saturating_add(here);
            }
        }
        let mut path = Vec::new();
        let mut to = end;
        while path.len() < count && to > window {
            let mut best: Option<usize> = None;
            // Of equals, the longest instruction: short ones end anywhere by chance.
            for from in to.saturating_sub(LONGEST_BYTES).max(window)..to {
                let is_better = best.is_none_or(|best| votes[from - window] > votes[best - window]);
                if is_better && self.length_at(from)? == to - from {
                    best = Some(from);
                }
            }
            let Some(from) = best else { break };
            path.push(from);
            to = from;
        }
        path.reverse();
        Ok(path)
    }

    /// Whether `00 00` begins at `offset`: `add byte ptr [eax],al`, which nobody writes. The zeros of constants and
    /// offsets decode to it, as in `C7 44 24 34 00 00 00 00`, and outvote the start of their own instruction.
    fn is_zeros(&self, offset: usize) -> bool {
        self.code[offset..].starts_with(&[0, 0])
    }

    /// Bytes of the instruction at `offset`, 0 if none begins there or the code ends inside it.
    fn length_at(&mut self, offset: usize) -> Result<usize, UnsupportedCpu> {
        if let Some(known) = self.lengths[offset] {
            return Ok(usize::from(known));
        }
        let bytes = &self.code[offset..];
        let address = self.start.wrapping_add(offset as u64);
        let length = match step(&mut decoder(bytes, address, self.cpu)?, 0) {
            Some(Step::Valid(decoded)) => decoded.len(),
            _ => 0,
        };
        self.lengths[offset] = Some(length as u8);
        Ok(length)
    }
}
