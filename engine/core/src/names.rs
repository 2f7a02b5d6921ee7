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
    if !decorated.starts_with('?') || decorated.len() > LONGEST_DEMANGLED_BYTES || has_absurd_guard_number(decorated) {
        return Cow::Borrowed(name);
    }
    match msvc_demangler::demangle(decorated, DemangleFlags::NAME_ONLY) {
        Ok(plain) => Cow::Owned(format!("{prefix}{plain}")),
        Err(_) => Cow::Borrowed(name),
    }
}

/// Whether a thread-safe static's guard has a number that overflows the demangler (found by fuzzing): real ones count
/// the statics of a function.
fn has_absurd_guard_number(decorated: &str) -> bool {
    const MOST_DIGITS: usize = 8;
    let mut numbers = decorated.split("?$TSS").skip(1);
    numbers.any(|number| number.bytes().take_while(u8::is_ascii_digit).count() > MOST_DIGITS)
}

/// A function's name without the name of an unnamed namespace, which every compiler makes up differently:
/// `` `anonymous namespace'::crash `` and `?A0xc3a0617d::crash` (Microsoft's, which hash the object file) are `crash`.
pub fn without_anonymous_namespaces(name: String) -> String {
    const IN_WORDS: &str = "`anonymous namespace'::";
    const HASH_PREFIX: &str = "?A0x";
    let mut name = if name.contains(IN_WORDS) { name.replace(IN_WORDS, "") } else { name };
    while let Some(start) = name.find(HASH_PREFIX) {
        let hash = &name[start + HASH_PREFIX.len()..];
        let digits = hash.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits == 0 || !hash[digits..].starts_with("::") {
            break;
        }
        name.replace_range(start..start + HASH_PREFIX.len() + digits + 2, "");
    }
    name
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
    fn unnamed_namespaces_have_no_name() {
        for (name, plain) in [
            ("?A0xc3a0617d::crash", "crash"),
            ("outer::?A0x1::inner::?A0xff::f", "outer::inner::f"),
            ("`anonymous namespace'::crash", "crash"),
            ("geo::Rect::area", "geo::Rect::area"),
            ("?A0xcrash", "?A0xcrash"),
            ("?A0x", "?A0x"),
        ] {
            assert_eq!(without_anonymous_namespaces(name.to_owned()), plain);
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
