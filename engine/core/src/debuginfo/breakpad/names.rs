//! Names that are searched for.

use std::borrow::Cow;

use memchr::memmem;

use crate::names::display_name;

/// A C++ function's name without its argument list: `geo::Rect::area() const` is `geo::Rect::area`, and
/// `f(int) [clone .cold]` is `f`. Anything else stays as it is.
pub fn without_arguments(name: &[u8]) -> &[u8] {
    let mut end = name;
    loop {
        end = end.trim_ascii_end();
        let qualifier = [&b"const"[..], b"volatile", b"noexcept", b"&&", b"&"];
        let shorter = qualifier.iter().find_map(|word| end.strip_suffix(*word)).filter(|rest| ends_arguments(rest));
        match shorter.or_else(|| before_clone(end)) {
            Some(shorter) => end = shorter,
            None => break,
        }
    }
    let Some(open) = opening_of_last(end) else { return name };
    let plain = end[..open].trim_ascii_end();
    // `(anonymous namespace)` begins a name and does not end one; `operator()` is one.
    if plain.is_empty() || plain.ends_with(b"::") || plain.ends_with(b"operator") { name } else { plain }
}

fn ends_arguments(text: &[u8]) -> bool {
    let text = text.trim_ascii_end();
    text.ends_with(b")") || text.ends_with(b"const") || text.ends_with(b"volatile") || text.ends_with(b"&")
}

/// What stands before the compiler's remark `[clone .part.0]`.
fn before_clone(text: &[u8]) -> Option<&[u8]> {
    let inside = text.strip_suffix(b"]")?;
    let open = memchr::memrchr(b'[', inside)?;
    inside[open..].starts_with(b"[clone ").then(|| &inside[..open])
}

/// Where the parentheses open that the last byte closes.
fn opening_of_last(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    if text.last() != Some(&b')') {
        return None;
    }
    for (at, byte) in text.iter().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Whether `name` still has the decoration that dumpers take off, when they can.
pub fn is_decorated(name: &[u8]) -> bool {
    [&b"_Z"[..], b"__Z", b"_R", b"__R", b"?"].iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a decorated name displays as `plain`. Every decoration spells the last identifier out: what does not have it
/// is refused without being parsed.
pub fn displays_as(name: &[u8], plain: &str) -> bool {
    let last = plain.rsplit("::").next().unwrap_or(plain);
    let mut end = last.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(last.len());
    if last.starts_with("operator") {
        end = 0; // they have codes
    }
    if memmem::find(name, &last.as_bytes()[..end]).is_none() {
        return false;
    }
    let name = String::from_utf8_lossy(name);
    matches!(display_name(&name), Cow::Owned(shown) if shown == plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_its_argument_list_only() {
        for (name, plain) in [
            ("main", "main"),
            ("main(int, char**)", "main"),
            ("geo::Rect::area() const", "geo::Rect::area"),
            ("geo::Rect::take() volatile &&", "geo::Rect::take"),
            ("f(void (*)(int), (anonymous namespace)::g)", "f"),
            (
                "google_breakpad::PageAllocator::FreeAll() [clone .isra.6] [clone .part.21]",
                "google_breakpad::PageAllocator::FreeAll",
            ),
            ("(anonymous namespace)::crash", "(anonymous namespace)::crash"),
            ("(anonymous namespace)::crash()", "(anonymous namespace)::crash"),
            ("Less::operator()(int, int) const", "Less::operator()"),
            ("Less::operator()", "Less::operator()"),
            ("Less::operator<(Less const&) const", "Less::operator<"),
            ("run()::{lambda(int)#1}::operator()(int) const", "run()::{lambda(int)#1}::operator()"),
            ("<name omitted>", "<name omitted>"),
            ("is_const", "is_const"),
            ("a)b(c)", "a)b"),
            ("unbalanced)", "unbalanced)"),
            ("outer::(int)", "outer::(int)"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8_lossy(without_arguments(name.as_bytes())), plain, "{name}");
        }
    }

    #[test]
    fn decorated_names_are_known_by_what_they_display_as() {
        assert!(is_decorated(b"?area@Rect@geo@@UEBAHXZ") && displays_as(b"?area@Rect@geo@@UEBAHXZ", "geo::Rect::area"));
        assert!(displays_as(b"_ZNK3geo4Rect4areaEv", "geo::Rect::area"));
        assert!(!displays_as(b"_ZNK3geo4Rect4areaEv", "geo::Rect::perimeter"));
        assert!(!displays_as(b"_Zarea", "area"));
        assert!(displays_as(b"_ZN4LessclEii", "Less::operator()"));
    }
}
