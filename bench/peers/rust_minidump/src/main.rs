//! `rust-minidump-bench DUMP SYMBOLS RUNS`: what rust-minidump needs to read a dump and walk its threads.
//!
//! Prints two lines, each the best of RUNS in seconds: `fresh` reads the symbols each time, `kept` once. Then a line for
//! each frame: thread, module, function, file, line.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use minidump::{Minidump, Module};
use minidump_processor::{ProcessState, process_minidump};
use minidump_unwind::{Symbolizer, simple_symbol_supplier};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dump, symbols, runs] = arguments.as_slice() else {
        return Err("usage: rust-minidump-bench DUMP SYMBOLS RUNS".into());
    };
    let runs: usize = runs.parse()?;
    let new_symbols = || Symbolizer::new(simple_symbol_supplier(vec![PathBuf::from(symbols)]));
    let fresh = best_seconds(runs, || walk(dump, &new_symbols()))?;
    let kept_symbols = new_symbols();
    let kept = best_seconds(runs, || walk(dump, &kept_symbols))?;
    println!("fresh\t{fresh}\nkept\t{kept}");
    print_frames(&walk(dump, &new_symbols())?);
    Ok(())
}

/// From the file to stacks with names and lines.
fn walk(dump: &str, symbols: &Symbolizer) -> Result<ProcessState, Box<dyn Error>> {
    let dump = Minidump::read_path(dump)?;
    Ok(pollster::block_on(process_minidump(&dump, symbols))?)
}

fn best_seconds(
    runs: usize,
    mut walk: impl FnMut() -> Result<ProcessState, Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let mut best = f64::INFINITY;
    for _ in 0..runs {
        let start = Instant::now();
        let state = walk()?;
        best = best.min(start.elapsed().as_secs_f64());
        drop(state);
    }
    Ok(best)
}

fn print_frames(state: &ProcessState) {
    for (index, thread) in state.threads.iter().enumerate() {
        for frame in &thread.frames {
            let module = frame.module.as_ref().map(Module::code_file).unwrap_or_default();
            let function = frame.function_name.as_deref().unwrap_or_default();
            let file = frame.source_file_name.as_deref().unwrap_or_default();
            println!("{index}\t{module}\t{function}\t{file}\t{}", frame.source_line.unwrap_or_default());
        }
    }
}
