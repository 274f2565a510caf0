//! A page whose words are longer and accented, so that it can be seen what breaks before somebody translates it.

/// Every letter of a page's text with an accent, and every word that is long enough made 40 % longer. Tags, entities and
/// what stands in `style` stay.
pub fn longer(page: &str) -> String {
    let mut out = String::with_capacity(page.len() * 2);
    let (mut tag, mut entity, mut word) = (false, false, 0_usize);
    for c in page.chars() {
        let letter = !tag && !entity && c.is_ascii_alphabetic();
        if !letter && word > 0 {
            for _ in 0..(word * 2).div_ceil(5) {
                out.push('~');
            }
            word = 0;
        }
        match c {
            '<' => tag = true,
            '>' => tag = false,
            '&' if !tag => entity = true,
            ';' => entity = false,
            _ => {}
        }
        if letter {
            word += 1;
            out.push(accented(c));
        } else {
            out.push(c);
        }
    }
    out
}

fn accented(c: char) -> char {
    match c {
        'a' => 'å',
        'c' => 'ç',
        'e' => 'é',
        'i' => 'î',
        'n' => 'ñ',
        'o' => 'ö',
        's' => 'š',
        'u' => 'û',
        'y' => 'ý',
        'A' => 'Å',
        'C' => 'Ç',
        'E' => 'É',
        'I' => 'Î',
        'N' => 'Ñ',
        'O' => 'Ö',
        'S' => 'Š',
        'U' => 'Û',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_grow_and_markup_stays() {
        assert_eq!(
            longer("<a href=\"/queue\">Queue &amp; <b>on</b></a>"),
            "<a href=\"/queue\">Qûéûé~~ &amp; <b>öñ~</b></a>"
        );
    }
}
