//! Names as people read them.

use std::borrow::Cow;

use msvc_demangler::DemangleFlags;

/// Longer decorated names are shown as they are: the demangler recurses once per nested type, and a name made of
/// nothing but nesting must not exhaust the stack.
const LONGEST_DEMANGLED_BYTES: usize = 2048;

/// A symbol's name without decoration and without its argument list: `?area@Rect@geo@@UEBAHXZ` is `geo::Rect::area`.
///
/// Names of C functions keep their x86 decoration (`_printf`, `_Sleep@4`): it tells the calling convention, and
/// debuggers show it. Imports (`__imp_…`) keep their prefix. A name that cannot be undecorated stays as it is.
pub fn display_name(name: &str) -> Cow<'_, str> {
    let (prefix, decorated) = match name.strip_prefix("__imp_") {
        Some(rest) => ("__imp_", rest),
        None => ("", name),
    };
    if !decorated.starts_with('?') || decorated.len() > LONGEST_DEMANGLED_BYTES {
        return Cow::Borrowed(name);
    }
    match msvc_demangler::demangle(decorated, DemangleFlags::NAME_ONLY) {
        Ok(plain) => Cow::Owned(format!("{prefix}{plain}")),
        Err(_) => Cow::Borrowed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_decoration_and_arguments() {
        // Expected values: llvm-undname.
        for (decorated, plain) in [
            ("?area@Rect@geo@@UEBAHXZ", "geo::Rect::area"),
            ("?g_counter@@3HA", "g_counter"),
            ("??1Shape@geo@@UEAA@XZ", "geo::Shape::~Shape"),
            ("__imp_?twice@@YAHH@Z", "__imp_twice"),
            ("_printf", "_printf"),
            ("_Sleep@4", "_Sleep@4"),
            ("?not a name", "?not a name"),
            ("", ""),
        ] {
            assert_eq!(display_name(decorated), plain);
        }
    }

    #[test]
    fn a_name_of_nothing_but_nesting_does_not_exhaust_the_stack() {
        for length in [2048, 1_000_000] {
            let name = format!("?f@@YAX{}", "PEA".repeat(length / 3 - 3));
            assert_eq!(display_name(&name), name);
        }
    }
}
