//! The commands of this repository. Decides nothing itself: `test` and `bench` run lines of
//! their tables, `tidy` runs its rules.

mod bench;
mod layers;
mod lines;
mod steps;
mod test;
mod tidy;

use std::process::ExitCode;

use lexopt::prelude::*;

const HELP: &str = "\
cargo xtask COMMAND

  test [--nightly]   every layer of tests in order; stops at the first that fails
  tidy               the rules of this repository that no linter sees
  bench [NAME]       one benchmark, or the list of what each of them answers

  --help             this text; after a command, what that command does";

enum Command {
    Help(String),
    Test(lines::Form),
    Tidy,
    Bench(Option<String>),
}

fn main() -> ExitCode {
    let ended = parse(lexopt::Parser::from_env()).and_then(|command| match command {
        Command::Help(text) => {
            println!("{text}");
            Ok(())
        }
        Command::Test(form) => test::run(layers::of(form), form),
        Command::Tidy => tidy::run(),
        Command::Bench(name) => bench::run(name.as_deref()),
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: lexopt::Parser) -> anyhow::Result<Command> {
    let mut named: Option<Command> = None;
    while let Some(word) = words.next()? {
        named = Some(match (word, named) {
            (Short('h') | Long("help"), before) => return Ok(Command::Help(help(before.as_ref()))),
            (Value(name), None) => command(&name.string()?)?,
            (Long("nightly"), Some(Command::Test(_))) => Command::Test(lines::Form::Long),
            (Value(name), Some(Command::Bench(None))) => Command::Bench(Some(name.string()?)),
            (word, _) => return Err(word.unexpected().into()),
        });
    }
    Ok(named.unwrap_or_else(|| Command::Help(HELP.into())))
}

fn command(name: &str) -> anyhow::Result<Command> {
    match name {
        "test" => Ok(Command::Test(lines::Form::Short)),
        "tidy" => Ok(Command::Tidy),
        "bench" => Ok(Command::Bench(None)),
        _ => anyhow::bail!("no command is called {name:?}; there are test, tidy and bench"),
    }
}

fn help(command: Option<&Command>) -> String {
    match command {
        Some(Command::Test(_)) => test::help(layers::LAYERS, layers::NIGHTLY_LAYERS),
        Some(Command::Tidy) => tidy::help(),
        Some(Command::Bench(_)) => bench::help(),
        Some(Command::Help(_)) | None => HELP.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> anyhow::Result<Command> {
        parse(lexopt::Parser::from_args(words))
    }

    #[test]
    fn nightly_asks_for_the_long_form() {
        assert!(matches!(parsed(&["test"]), Ok(Command::Test(lines::Form::Short))));
        assert!(matches!(parsed(&["test", "--nightly"]), Ok(Command::Test(lines::Form::Long))));
    }

    #[test]
    fn help_is_there_for_every_command() {
        for words in [&["--help"][..], &["test", "--help"], &["tidy", "--help"], &["bench", "-h"]] {
            assert!(
                matches!(parsed(words), Ok(Command::Help(text)) if !text.is_empty()),
                "{words:?}"
            );
        }
    }

    #[test]
    fn a_word_out_of_place_is_refused() {
        for words in [&["tests"][..], &["tidy", "--nightly"], &["test", "more"], &["--nightly"]] {
            assert!(parsed(words).is_err(), "{words:?}");
        }
    }
}
