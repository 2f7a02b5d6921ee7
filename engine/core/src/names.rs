//! Names as people read them.

use std::borrow::Cow;
use std::fmt::{self, Write};

use cpp_demangle::{BorrowedSymbol, DemangleOptions, ParseOptions};
use msvc_demangler::DemangleFlags;
use symbolic_common::{Language, Name, NameMangling};
use symbolic_demangle::{Demangle, DemangleOptions as SwiftOptions};

/// Longer decorated names are shown as they are: the demangler recurses once per nested type, and a name made of
/// nothing but nesting must not exhaust the stack.
const LONGEST_DEMANGLED_BYTES: usize = 2048;
/// Back references make a short name long; beyond this a name is shown as it is.
const LONGEST_PLAIN_BYTES: usize = 64 << 10;
/// Nesting that the demangler of C++ follows, in a name that is no longer than [`LONGEST_DEMANGLED_BYTES`].
const DEEPEST_CPP: u32 = 96;
/// What names of Swift begin with: since version 5, of 4.2, of 4 (`_T0`). Mach-O puts an underscore before each.
const SWIFT: [&str; 6] = ["$s", "_$s", "$S", "_$S", "_T0", "__T0"];

/// A symbol's name without decoration and without its argument list: `?area@Rect@geo@@UEBAHXZ` and
/// `_ZNK3geo4Rect4areaEv` are `geo::Rect::area`. Microsoft's, the Itanium ABI's, Rust's and Swift's decorations are known;
/// of Rust's names the hash at the end is left out, of Swift's the module.
///
/// Names of C functions keep their x86 decoration (`_printf`, `_Sleep@4`): it tells the calling convention, and
/// debuggers show it. Imports (`__imp_…`) keep their prefix. A name that cannot be undecorated stays as it is.
pub fn display_name(name: &str) -> Cow<'_, str> {
    let (prefix, decorated) = match name.strip_prefix("__imp_") {
        Some(rest) => ("__imp_", rest),
        None => ("", name),
    };
    if decorated.len() > LONGEST_DEMANGLED_BYTES {
        return Cow::Borrowed(name);
    }
    if let Some(symbol) = itanium_or_rust(decorated) {
        return match without_decoration(symbol) {
            Some(plain) => Cow::Owned(format!("{prefix}{plain}")),
            None => Cow::Borrowed(name),
        };
    }
    if SWIFT.iter().any(|prefix| decorated.starts_with(prefix)) {
        let symbol = Name::new(decorated, NameMangling::Mangled, Language::Swift);
        return match symbol.demangle(SwiftOptions::name_only()).filter(|plain| plain.len() <= LONGEST_PLAIN_BYTES) {
            Some(plain) => Cow::Owned(format!("{prefix}{plain}")),
            None => Cow::Borrowed(name),
        };
    }
    if !decorated.starts_with('?') || has_absurd_guard_number(decorated) {
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

/// Whether `name` may be decorated such that it displays as `plain`: cheap, and true too often rather than too seldom.
/// The decorations of the Itanium ABI and of Rust spell each identifier out; Swift's refer back to words of others.
pub fn may_display_as(name: &[u8], plain: &str) -> bool {
    if SWIFT.iter().any(|prefix| name.starts_with(prefix.as_bytes())) {
        return true;
    }
    let is_decorated = [&b"_Z"[..], b"__Z", b"_R", b"__R"].iter().any(|prefix| name.starts_with(prefix));
    let last = plain.rsplit("::").next().unwrap_or(plain);
    let end = last.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(last.len());
    let identifier = &last.as_bytes()[..end];
    is_decorated && (identifier.is_empty() || name.windows(identifier.len()).any(|window| window == identifier))
}

/// The symbol as the Itanium ABI or Rust writes it, without the underscore that Mach-O puts before every name.
fn itanium_or_rust(name: &str) -> Option<&str> {
    let symbol = if name.starts_with("__Z") || name.starts_with("__R") { &name[1..] } else { name };
    (symbol.starts_with("_Z") || symbol.starts_with("_R")).then_some(symbol)
}

fn without_decoration(symbol: &str) -> Option<String> {
    if let Some((kind, target)) = thunk(symbol) {
        return Some(format!("{kind} to {}", without_decoration(&format!("_Z{target}"))?));
    }
    let mut plain = Bounded(String::new());
    if let Ok(rust) = rustc_demangle::try_demangle(symbol) {
        write!(plain, "{rust:#}").ok()?;
        return Some(plain.0);
    }
    let parsing = ParseOptions::default().recursion_limit(DEEPEST_CPP);
    // What follows a complete name (`.cold`, `.part.0`) is the compiler's own remark.
    let (parsed, _) = BorrowedSymbol::with_tail_and_options(symbol.as_bytes(), &parsing).ok()?;
    let options = DemangleOptions::new().no_params().no_return_type().recursion_limit(DEEPEST_CPP);
    parsed.structured_demangle(&mut plain, &options).ok()?;
    Some(plain.0)
}

/// What a thunk that adjusts `this` is called, and the encoding of the function that it leads to: it follows the
/// adjustment (one number, or two for virtual bases), which says nothing to people.
///
/// Source: Itanium C++ ABI, section 5.1.4.2, call-offset.
fn thunk(symbol: &str) -> Option<(&'static str, &str)> {
    let (kind, numbers) = match symbol.get(..4)? {
        "_ZTh" => ("non-virtual thunk", 1),
        "_ZTv" => ("virtual thunk", 2),
        _ => return None,
    };
    let mut target = symbol.get(4..)?;
    for _ in 0..numbers {
        let (number, rest) = target.split_once('_')?;
        let digits = number.strip_prefix('n').unwrap_or(number);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        target = rest;
    }
    (!target.starts_with('T')).then_some((kind, target)) // no thunk leads to another
}

/// Text that refuses to become longer than [`LONGEST_PLAIN_BYTES`].
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST_PLAIN_BYTES {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// A function's name without the name of an unnamed namespace, which every compiler makes up differently:
/// `` `anonymous namespace'::crash ``, `` `anonymous-namespace'::crash `` (Microsoft's types) and `?A0xc3a0617d::crash`
/// (Microsoft's functions, which hash the object file) are `crash`.
pub fn without_anonymous_namespaces(name: String) -> String {
    const IN_WORDS: [&str; 2] = ["`anonymous namespace'::", "`anonymous-namespace'::"];
    const HASH_PREFIX: &str = "?A0x";
    let mut name = name;
    for in_words in IN_WORDS {
        if name.contains(in_words) {
            name = name.replace(in_words, "");
        }
    }
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
    fn names_of_swift_lose_their_decoration() {
        // Spelled by hand after Swift's docs/ABI/Mangling.rst: module `main`; `y` is no argument, `Sd` is Swift.Double.
        for (decorated, plain) in [
            ("$s4main3fooyyF", "foo"),
            ("_$s4main3fooyyF", "foo"),
            ("$s4main5ShapeC4areaSdyF", "Shape.area"),
            ("$s4main5ShapeC5SidesO5countSivg", "Shape.Sides.count.getter"),
            ("$save", "$save"),
            ("_T0", "_T0"),
        ] {
            assert_eq!(display_name(decorated), plain);
        }
    }

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
    fn names_of_other_compilers_lose_theirs() {
        // Expected values: c++filt -p, and rustfilt without the hash.
        for (decorated, plain) in [
            ("_ZNK3geo4Rect4areaEv", "geo::Rect::area"),
            ("__ZNK3geo4Rect4areaEv", "geo::Rect::area"),
            ("_ZN12_GLOBAL__N_15crashEv", "(anonymous namespace)::crash"),
            ("_ZSt4moveIRiEONSt16remove_referenceIT_E4typeEOS2_", "std::move<int&>"),
            ("_ZN3FooC1Ev", "Foo::Foo"),
            ("_Z3barv.cold", "bar"),
            ("_ZThn48_N6Widget5paintEv", "non-virtual thunk to Widget::paint"),
            ("_ZTv0_n24_N6WidgetD1Ev", "virtual thunk to Widget::~Widget"),
            ("_ZTv0_N6WidgetD1Ev", "_ZTv0_N6WidgetD1Ev"),
            ("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt"),
            ("_RNvCskwGfYPst2Cb_3foo16example_function", "foo::example_function"),
            ("_Z", "_Z"),
            ("_Restore", "_Restore"),
        ] {
            assert_eq!(display_name(decorated), plain);
            let is_decorated = decorated != plain;
            assert!(!is_decorated || may_display_as(decorated.as_bytes(), plain), "{decorated}");
        }
        assert!(!may_display_as(b"_ZNK3geo4Rect4areaEv", "geo::Rect::perimeter"));
    }

    #[test]
    fn unnamed_namespaces_have_no_name() {
        for (name, plain) in [
            ("?A0xc3a0617d::crash", "crash"),
            ("outer::?A0x1::inner::?A0xff::f", "outer::inner::f"),
            ("`anonymous namespace'::crash", "crash"),
            ("`anonymous-namespace'::crash", "crash"),
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
        for name in [format!("_Z1f{}i", "P".repeat(2000)), format!("_Z1f{}i", "1aI".repeat(600))] {
            display_name(&name);
        }
        // Each S_ doubles the name.
        let bomb = format!(
            "_Z1f{}",
            (0..200).map(|index| format!("1aIS{}_S{0}_E", (b'A' + index % 20) as char)).collect::<String>()
        );
        assert!(display_name(&bomb).len() <= LONGEST_PLAIN_BYTES);
    }
}
