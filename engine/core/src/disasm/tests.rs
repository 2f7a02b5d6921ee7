use super::*;
use crate::registers::Cpu;
#[test]
fn scratch() {
    for line in std::fs::read_to_string("/tmp/dis_list.txt").unwrap().lines() {
        let mut w = line.split(' ');
        let (bin, addr, cpu) = (w.next().unwrap(), u64::from_str_radix(w.next().unwrap(), 16).unwrap(), if w.next().unwrap() == "x86" { Cpu::X86 } else { Cpu::X64 });
        let code = std::fs::read(bin).unwrap();
        let t = std::time::Instant::now();
        let l = disassemble(&code, addr, cpu, Limit::Count(usize::MAX), &NoNames).unwrap();
        println!("{bin} {} instrs {:?} {:?}", l.instructions.len(), t.elapsed(), l.ended);
        // backwards: from each 37th instruction ask for 8, without and with anchors
        let (mut right, mut all, mut first_right) = (0, 0, 0);
        let starts: Vec<u64> = l.instructions.iter().map(|i| i.address).collect();
        for k in (8..starts.len()).step_by(37) {
            let before = &code[..(starts[k] - addr) as usize];
            let b = disassemble_before(before, starts[k], cpu, 8, &[], &NoNames).unwrap();
            all += 1;
            if b.instructions.iter().map(|i| i.address).eq(starts[k-8..k].iter().copied()) { right += 1 } else if k == 8 || bin.contains("dwarf") { println!("  at {:x} want {:x?} got {:x?}", starts[k], &starts[k-8..k], b.instructions.iter().map(|i| (i.address, i.mnemonic.clone()+" "+&i.operands)).collect::<Vec<_>>()) }
            if b.instructions.last().map(|i| i.address) == Some(starts[k-1]) { first_right += 1 } else if k == 8 || bin.contains("dwarf") { println!("  at {:x} want {:x?} got {:x?}", starts[k], &starts[k-8..k], b.instructions.iter().map(|i| (i.address, i.mnemonic.clone()+" "+&i.operands)).collect::<Vec<_>>()) }
        }
        println!("  backward {right}/{all} last one right {first_right}");
        let mut s = String::new();
        for i in l.instructions { s += &format!("{:x} {} {} {}\n", i.address, i.bytes.len(), i.mnemonic, i.operands); }
        std::fs::write(format!("{bin}.ours"), s).unwrap();
    }
}
