//! Rewrites source text so that one build holds every mutant behind a switch: mutant schemata
//! (Untch, Offutt and Harrold 1993). The source in the repository stays as it is.

use std::ops::Range;

use anyhow::{Result, bail, ensure};

/// One place to rewrite.
#[derive(Debug, Clone)]
pub(crate) struct Edit<'a> {
    /// The mutant, by name and by the number of its switch.
    pub(crate) mutant: &'a str,
    pub(crate) number: u32,
    pub(crate) find: &'a str,
    pub(crate) replace: &'a str,
}

/// An edit and where it applies.
struct Placed<'a> {
    at: Range<usize>,
    edits: Vec<Edit<'a>>,
}

/// `source` with every edit behind `switch(number)`. Edits of one place share it, and one may lie
/// inside another.
///
/// # Errors
/// An edit's text does not occur exactly once, or two edits overlap without one inside the other.
pub(crate) fn rewritten(source: &str, edits: &[Edit<'_>], switch: &str) -> Result<String> {
    let mut placed: Vec<Placed<'_>> = Vec::new();
    for edit in edits {
        let at = place(source, edit)?;
        match placed.iter_mut().find(|other| other.at == at) {
            Some(same) => same.edits.push(edit.clone()),
            None => placed.push(Placed { at, edits: vec![edit.clone()] }),
        }
    }
    // Outer places first, so that what follows within one lies inside it.
    placed.sort_by_key(|place| (place.at.start, usize::MAX - place.at.end));
    for (index, outer) in placed.iter().enumerate() {
        for inner in &placed[index + 1..] {
            let apart = inner.at.start >= outer.at.end;
            ensure!(
                apart || inner.at.end <= outer.at.end,
                "mutants {:?} and {:?} overlap",
                outer.edits[0].mutant,
                inner.edits[0].mutant
            );
        }
    }
    Ok(render(source, 0..source.len(), &placed, switch))
}

fn place(source: &str, edit: &Edit<'_>) -> Result<Range<usize>> {
    let mut found = source.match_indices(edit.find);
    match (found.next(), found.count()) {
        (Some((start, text)), 0) => Ok(start..start + text.len()),
        (None, _) => bail!("mutant {:?} no longer applies: its text is not there", edit.mutant),
        (Some(_), more) => {
            bail!("mutant {:?} no longer applies: its text is there {} times", edit.mutant, more + 1)
        }
    }
}

/// The text of `range`, with the places that lie in it rewritten.
fn render(source: &str, range: Range<usize>, placed: &[Placed<'_>], switch: &str) -> String {
    let mut text = String::new();
    let mut at = range.start;
    let mut rest = placed;
    while let Some((place, after)) = rest.split_first() {
        let inner = after.iter().take_while(|inner| inner.at.start < place.at.end).count();
        text.push_str(&source[at..place.at.start]);
        // Statements stay statements; an expression may stand where a statement would begin.
        let statements = source[place.at.clone()].ends_with([';', '}']);
        let (open, close) = if statements { ("", "") } else { ("(", ")") };
        text.push_str(open);
        for edit in &place.edits {
            text.push_str(&format!("if {switch}({}) {{ {} }} else ", edit.number, edit.replace));
        }
        let kept = render(source, place.at.clone(), &after[..inner], switch);
        text.push_str(&format!("{{ {kept} }}{close}"));
        at = place.at.end;
        rest = &after[inner..];
    }
    text.push_str(&source[at..range.end]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOY: &str = "fn fills(a: u8, b: u8) -> bool { a == b && a > 0 }";

    fn edit<'a>(number: u32, find: &'a str, replace: &'a str) -> Edit<'a> {
        Edit { mutant: "toy", number, find, replace }
    }

    fn check(edits: &[Edit<'_>], expected: &str) {
        let found = rewritten(TOY, edits, "on").map_err(|error| error.to_string());
        assert_eq!(found.unwrap_or_else(|error| error), expected);
    }

    #[test]
    fn a_site_becomes_a_switch() {
        check(
            &[edit(1, "a == b", "true")],
            "fn fills(a: u8, b: u8) -> bool { (if on(1) { true } else { a == b }) && a > 0 }",
        );
    }

    #[test]
    fn mutants_of_one_site_share_it_and_one_may_lie_inside_another() {
        let edits = [
            edit(1, "a == b && a > 0", "b > 0"),
            edit(2, "a > 0", "true"),
            edit(3, "a > 0", "false"),
        ];
        check(
            &edits,
            "fn fills(a: u8, b: u8) -> bool { (if on(1) { b > 0 } else { a == b && \
             (if on(2) { true } else if on(3) { false } else { a > 0 }) }) }",
        );
    }

    #[test]
    fn a_statement_stays_one() {
        let text = rewritten("{ forget(); }", &[edit(4, "forget();", "")], "on").expect("it applies");
        assert_eq!(text, "{ if on(4) {  } else { forget(); } }");
    }

    #[test]
    fn a_site_that_moved_or_became_ambiguous_is_an_error() {
        check(
            &[edit(1, "a != b", "true")],
            "mutant \"toy\" no longer applies: its text is not there",
        );
        check(&[edit(1, "u8", "u16")], "mutant \"toy\" no longer applies: its text is there 2 times");
        let overlapping = [edit(1, "a == b &&", "true &&"), edit(2, "b && a > 0", "true")];
        check(&overlapping, "mutants \"toy\" and \"toy\" overlap");
    }
}
