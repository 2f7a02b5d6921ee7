//! Stream HandleData.
//!
//! Source: minidumpapiset.h, MINIDUMP_HANDLE_DATA_STREAM, MINIDUMP_HANDLE_DESCRIPTOR(_2).

use super::modules::extended_list;
use super::records::{Records, Referred};

/// A handle that the process had open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handle {
    /// Its value.
    pub handle: u64,
    /// `File`, `Event`…
    pub type_name: Option<String>,
    /// The object's name.
    pub object_name: Option<String>,
    /// Attributes.
    pub attributes: u32,
    /// Access mask.
    pub granted_access: u32,
    /// Handles to the object.
    pub handle_count: u32,
    /// References to the object.
    pub pointer_count: u32,
}

/// Reads stream HandleData. Its header has 16 bytes: size of header, size of descriptor, count, reserved.
pub fn handle_data(file: &[u8], stream: &[u8]) -> Records<Handle> {
    let referred = Referred::new(file);
    extended_list(stream, 32, |input| {
        Ok(Some(Handle {
            handle: input.u64()?,
            type_name: referred.string(input.u32()?),
            object_name: referred.string(input.u32()?),
            attributes: input.u32()?,
            granted_access: input.u32()?,
            handle_count: input.u32()?,
            pointer_count: input.u32()?,
        }))
    })
}
