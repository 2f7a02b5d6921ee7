use super::*;
use crate::registers::Cpu;
#[test]
fn scratch() {
    for (cpu, hex) in [
        (Cpu::X86, "f3ab f3a5 ac ae a6 64a100000000 6489250000000 0".replace(' ', "")),
        (Cpu::X64, "f3aa f348a5 65488b042558000000 488d0500100000 8b0500100000 ff1500100000 0f05 cc cd29 0f0b e800000000 7402 0f1f440000 6690 c3 c20800 488b04cd00000000 d9c0 d8c1 0f28442420 f30f100500000000 6641 0fc8 f00fb10b 48b8efcdab8967452301 6aff 83c8ff 41ffd0 ff6008 8d0424 660f1f840000000000 0fae00 c5fc10 00 f20f104500 0f0d08 ".replace(' ', "")),
    ] {
        let code: Vec<u8> = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
        let l = disassemble(&code, 0x7ff6009f1000, cpu, Limit::Count(1000), &NoNames).unwrap();
        for i in l.instructions { println!("{:x} {:<12}{}   {:?}", i.address, i.mnemonic, i.operands, i.flow); }
        println!("{:?}", l.ended);
    }
}
