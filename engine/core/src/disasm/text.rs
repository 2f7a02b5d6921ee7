//! Operands as text: iced's MASM formatter, with the numbers replaced that have names.

use super::names::Naming;
use iced_x86::{
    CodeSize, Formatter, FormatterOptions, Instruction as Decoded, MasmFormatter, MemorySizeOptions, OpKind,
    Register as IcedRegister, SymbolResolver, SymbolResult,
};
use std::cell::RefCell;
use std::rc::Rc;

/// Writes instructions one at a time.
///
/// The formatter owns its resolver of symbols for good, while names are borrowed from the caller. So names are
/// looked up first, and the resolver finds them in `texts`.
pub(super) struct Writer {
    formatter: MasmFormatter,
    texts: Texts,
}

/// What stands in place of the number in each operand of the current instruction.
type Texts = Rc<RefCell<Vec<Option<String>>>>;

struct Prepared(Texts);

impl SymbolResolver for Prepared {
    fn symbol(
        &mut self,
        _instruction: &Decoded,
        _operand: u32,
        instruction_operand: Option<u32>,
        address: u64,
        _address_size: u32,
    ) -> Option<SymbolResult<'_>> {
        let texts = self.0.borrow();
        let text = texts.get(instruction_operand? as usize)?.clone()?;
        // The text says all: with the operand's own number as address, the formatter appends no distance.
        Some(SymbolResult::with_string(address, text))
    }
}

/// One operand as shown.
pub(super) struct WrittenOperand {
    /// Its number in the decoded instruction; `None` for one that exists in the text only.
    pub index: Option<u32>,
    /// `dword ptr [message]`.
    pub text: String,
}

impl Writer {
    pub fn new() -> Writer {
        let texts = Texts::default();
        let mut formatter = MasmFormatter::with_options(Some(Box::new(Prepared(Rc::clone(&texts)))), None);
        set_options(formatter.options_mut());
        Writer { formatter, texts }
    }

    /// Prefixes and mnemonic.
    pub fn mnemonic(&mut self, decoded: &Decoded) -> String {
        let mut text = String::new();
        self.formatter.format_mnemonic(decoded, &mut text);
        if decoded.is_string_instruction() && self.formatter.operand_count(decoded) == 0 {
            // Without operands the formatter writes the size as the last letter: `stosd`.
            text.pop();
        }
        text
    }

    /// The operands that are shown, in order. `naming` has an entry for each operand of `decoded`.
    pub fn operands(&mut self, decoded: &Decoded, naming: &[Naming]) -> Vec<WrittenOperand> {
        if decoded.is_string_instruction() {
            return string_operands(decoded);
        }
        self.texts.replace(naming.iter().map(|naming| naming.text.clone()).collect());
        let mut shown = *decoded;
        if naming.iter().any(|naming| naming.replaces_base) {
            remove_base(&mut shown);
        }
        // `[message]`, but `table (0404000h)[eax*4]`: registers alone stand in the brackets.
        let has_registers = shown.memory_index() != IcedRegister::None || has_plain_base(&shown);
        self.formatter.options_mut().set_masm_symbol_displ_in_brackets(!has_registers);
        let count = self.formatter.operand_count(&shown);
        (0..count).map(|operand| self.operand(&shown, operand)).collect()
    }

    fn operand(&mut self, shown: &Decoded, operand: u32) -> WrittenOperand {
        let mut text = String::new();
        // Errors only for an operand number out of range.
        let index = self.formatter.get_instruction_operand(shown, operand).unwrap_or_default();
        if self.formatter.format_operand(shown, &mut text, operand).is_err() {
            text.clear();
        }
        WrittenOperand { index, text }
    }
}

fn set_options(options: &mut FormatterOptions) {
    options.set_memory_size_options(MemorySizeOptions::Always);
    options.set_space_after_operand_separator(false);
    options.set_show_branch_size(false);
    options.set_show_symbol_address(false);
    options.set_rip_relative_addresses(false);
    options.set_uppercase_hex(true);
    options.set_hex_suffix("h");
}

/// Takes away the base register, for which a variable's name stands. A lone index becomes the base: the formatter
/// would write it as `rax*1`.
fn remove_base(shown: &mut Decoded) {
    let index = shown.memory_index();
    if shown.memory_index_scale() == 1 && index != IcedRegister::None {
        shown.set_memory_base(index);
        shown.set_memory_index(IcedRegister::None);
    } else {
        shown.set_memory_base(IcedRegister::None);
    }
}

fn has_plain_base(shown: &Decoded) -> bool {
    let has_memory = (0..shown.op_count()).any(|index| shown.op_kind(index) == OpKind::Memory);
    has_memory && !shown.is_ip_rel_memory_operand() && shown.memory_base() != IcedRegister::None
}

/// The operands of `movs`, `stos` and their like: the formatter writes `rep stosd`, Visual Studio writes
/// `rep stos dword ptr es:[edi]`, or `rep stos dword ptr [rdi]` on x64. The accumulator is left out.
fn string_operands(decoded: &Decoded) -> Vec<WrittenOperand> {
    let size = match decoded.memory_size().size() {
        1 => "byte",
        2 => "word",
        4 => "dword",
        _ => "qword",
    };
    let operand = |index| {
        let address = match decoded.op_kind(index) {
            OpKind::MemoryESDI => "es:[di]",
            OpKind::MemoryESEDI if decoded.code_size() == CodeSize::Code32 => "es:[edi]",
            OpKind::MemoryESEDI => "[edi]",
            OpKind::MemoryESRDI => "[rdi]",
            OpKind::MemorySegSI => "[si]",
            OpKind::MemorySegESI => "[esi]",
            OpKind::MemorySegRSI => "[rsi]",
            OpKind::Register if decoded.op_register(index) == IcedRegister::DX => return Some("dx".to_owned()),
            _ => return None,
        };
        let segment = match decoded.segment_prefix() {
            _ if address.ends_with("di]") => "",
            IcedRegister::FS => "fs:",
            IcedRegister::GS => "gs:",
            _ => "",
        };
        Some(format!("{size} ptr {segment}{address}"))
    };
    (0..decoded.op_count())
        .filter_map(|index| operand(index).map(|text| WrittenOperand { index: Some(index), text }))
        .collect()
}
