//! The difference of two texts, line by line: what a person looks at before a configuration is put in force.

/// The most lines that are compared with each other; of longer texts everything is shown as taken away and put in.
const MOST: usize = 4_000;

/// Every line of both: `' '` stays, `'-'` goes, `'+'` comes.
pub fn difference<'a>(before: &'a str, after: &'a str) -> Vec<(char, &'a str)> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut shown = Vec::with_capacity(old.len().max(new.len()));
    if old.len() > MOST || new.len() > MOST {
        shown.extend(old.iter().map(|line| ('-', *line)));
        shown.extend(new.iter().map(|line| ('+', *line)));
        return shown;
    }
    // The longest common subsequence, by its lengths from every pair of places on.
    let width = new.len() + 1;
    let mut longest = vec![0_u16; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = if old[i] == new[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            shown.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            shown.push(('-', old[i]));
            i += 1;
        } else {
            shown.push(('+', new[j]));
            j += 1;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_what_goes_and_what_comes_is_told_line_by_line() {
        let shown = difference("a\nb\nc\nd", "a\nc\nx\nd\ne");
        let marks: String = shown.iter().map(|(mark, _)| *mark).collect();
        assert_eq!(marks, " - + +");
        assert_eq!(shown[1], ('-', "b"));
        assert!(difference("same\n", "same\n").iter().all(|(mark, _)| *mark == ' '));
        assert_eq!(difference("", "a"), [('+', "a")]);
    }

    #[test]
    fn both_texts_can_be_made_of_it_again() {
        let mut seed = 11_u32;
        let mut text = || {
            (0..40)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    format!("line {}\n", (seed >> 24) % 7)
                })
                .collect::<String>()
        };
        for _ in 0..50 {
            let (before, after) = (text(), text());
            let shown = difference(&before, &after);
            let side = |other| {
                shown
                    .iter()
                    .filter(|(mark, _)| *mark != other)
                    .map(|(_, line)| format!("{line}\n"))
                    .collect::<String>()
            };
            assert_eq!((side('+'), side('-')), (before, after));
        }
    }
}
