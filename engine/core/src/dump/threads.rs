//! Threads: their registers, stacks, names and times; and the exception.
//!
//! Source: minidumpapiset.h, MINIDUMP_THREAD, MINIDUMP_THREAD_EX, MINIDUMP_THREAD_INFO, MINIDUMP_THREAD_NAME,
//! MINIDUMP_EXCEPTION_STREAM.

use super::modules::extended_list;
use super::records::{Problem, Records, Referred};
use crate::bytes::{Reader, Truncated};

/// Most parameters of an exception (EXCEPTION_MAXIMUM_PARAMETERS).
const MOST_PARAMETERS: usize = 15;

/// A place in the file: `size_bytes` bytes from `offset` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// Bytes.
    pub size_bytes: u32,
    /// File offset.
    pub offset: u32,
}

/// A thread of stream ThreadList or ThreadExList.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The system's number.
    pub id: u32,
    /// How often it was suspended.
    pub suspend_count: u32,
    /// Priority class of its process.
    pub priority_class: u32,
    /// Its own priority.
    pub priority: u32,
    /// Address of the thread environment block.
    pub teb: u64,
    /// Lowest address of the stack memory that was saved.
    pub stack_start: u64,
    /// Where that memory is.
    pub stack: Location,
    /// Where the CONTEXT is.
    pub context: Location,
}

fn location(input: &mut Reader<'_>) -> Result<Location, Truncated> {
    Ok(Location { size_bytes: input.u32()?, offset: input.u32()? })
}

/// Reads stream ThreadList (`record_bytes` 48) or ThreadExList (64: a backing store follows, which only Itanium used).
pub fn thread_list(stream: &[u8], record_bytes: usize) -> Records<Thread> {
    Records::list(stream, record_bytes, |input| {
        Ok(Some(Thread {
            id: input.u32()?,
            suspend_count: input.u32()?,
            priority_class: input.u32()?,
            priority: input.u32()?,
            teb: input.u64()?,
            stack_start: input.u64()?,
            stack: location(input)?,
            context: location(input)?,
        }))
    })
}

/// Reads stream ThreadNames: pairs of thread id and name. Entries are packed: 4 bytes id, 8 bytes file offset.
pub fn thread_names(file: &[u8], stream: &[u8]) -> Records<(u32, String)> {
    let referred = Referred::new(file);
    Records::list(stream, 12, |input| {
        let (id, offset) = (input.u32()?, input.u64()?);
        Ok(u32::try_from(offset).ok().and_then(|offset| referred.string(offset)).map(|name| (id, name)))
    })
}

/// An entry of stream ThreadInfoList; times are in 100 ns, the first since 1601.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadInfo {
    /// The thread.
    pub id: u32,
    /// When it was created.
    pub create_time: u64,
    /// Time spent in the kernel.
    pub kernel_time: u64,
    /// Time spent outside of it.
    pub user_time: u64,
    /// The address that it was started with.
    pub start_address: u64,
}

/// Reads stream ThreadInfoList.
pub fn thread_infos(stream: &[u8]) -> Records<ThreadInfo> {
    extended_list(stream, 64, |input| {
        let id = input.u32()?;
        input.skip(12)?; // DumpFlags, DumpError, ExitStatus
        let create_time = input.u64()?;
        input.skip(8)?; // ExitTime
        let (kernel_time, user_time, start_address) = (input.u64()?, input.u64()?, input.u64()?);
        Ok(Some(ThreadInfo { id, create_time, kernel_time, user_time, start_address }))
    })
}

/// Stream Exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The thread that raised it.
    pub thread_id: u32,
    /// NTSTATUS, signal or Mach exception.
    pub code: u32,
    /// EXCEPTION_NONCONTINUABLE…; of Linux: `si_code`.
    pub flags: u32,
    /// Address of a nested EXCEPTION_RECORD.
    pub nested_record: u64,
    /// Where it was raised.
    pub address: u64,
    /// As many as the record claims, at most 15.
    pub parameters: Vec<u64>,
    /// Where the CONTEXT is.
    pub context: Location,
}

/// Reads stream Exception.
pub fn exception(stream: &[u8]) -> Result<Exception, Problem> {
    let mut input = Reader::new(stream);
    let thread_id = input.u32()?;
    input.skip(4)?;
    let (code, flags, nested_record, address) = (input.u32()?, input.u32()?, input.u64()?, input.u64()?);
    let count = input.u32()? as usize;
    input.skip(4)?;
    let mut parameters = Vec::with_capacity(MOST_PARAMETERS);
    for _ in 0..MOST_PARAMETERS {
        parameters.push(input.u64()?);
    }
    parameters.truncate(count);
    Ok(Exception { thread_id, code, flags, nested_record, address, parameters, context: location(&mut input)? })
}
