//! Runs the command lines of the tables. A line is what a person would type at the root:
//! `NAME=value` words first, then the program, no quoting. Knows no layer and no benchmark.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How much of a test is run. `{short|long}` in a line is one word in each form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Short,
    Long,
}

/// Time that only runs down.
pub(crate) struct Budget {
    begun: Instant,
    whole: Duration,
}

#[expect(clippy::disallowed_methods, reason = "tests are timed on the real clock")]
fn now() -> Instant {
    Instant::now()
}

impl Budget {
    pub(crate) fn of(whole: Duration) -> Self {
        Budget { begun: now(), whole }
    }

    pub(crate) fn spent(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn left(&self) -> Duration {
        self.whole.saturating_sub(self.spent())
    }
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root")
}

/// The line with each `{short|long}` replaced by what `form` asks for.
pub(crate) fn spelled(line: &str, form: Form) -> anyhow::Result<String> {
    let mut spelled = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        let choice =
            after.split_once('}').and_then(|(inside, after)| Some((inside.split_once('|')?, after)));
        let ((short, long), after) =
            choice.with_context(|| format!("no {{short|long}} in {line:?}"))?;
        spelled.push_str(before);
        spelled.push_str(match form {
            Form::Short => short,
            Form::Long => long,
        });
        rest = after;
    }
    spelled.push_str(rest);
    Ok(spelled)
}

/// Runs a line to its end, at most as long as the budget has left.
///
/// # Errors
/// The line could not be started, failed, or was stopped because its time was over.
pub(crate) fn run(line: &str, budget: &Budget) -> anyhow::Result<()> {
    println!("\n$ {line}");
    let child = command(line)?.spawn().with_context(|| format!("cannot start `{line}`"))?;
    let status = ended_within(child, budget.left()).with_context(|| format!("`{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(())
}

/// Whether the line runs and succeeds. It is asked silently.
pub(crate) fn succeeds(line: &str) -> anyhow::Result<bool> {
    Ok(command(line)?.output().is_ok_and(|output| output.status.success()))
}

fn command(line: &str) -> anyhow::Result<Command> {
    let mut words = line.split_whitespace().peekable();
    let mut variables = Vec::new();
    while let Some(pair) = words.peek().and_then(|word| word.split_once('=')) {
        variables.push(pair);
        words.next();
    }
    let program = words.next().with_context(|| format!("no program in {line:?}"))?;
    let mut command = Command::new(program);
    command.envs(variables).args(words).current_dir(root());
    // An example may wait until somebody presses Enter: nobody does.
    command.stdin(Stdio::null());
    Ok(command)
}

/// Waits for the child. When its time is over it is asked to stop, which nextest passes on to the
/// tests it runs; it stays in our process group, so that Ctrl-C reaches it too.
fn ended_within(mut child: Child, left: Duration) -> anyhow::Result<ExitStatus> {
    let pid = Pid::from_child(&child);
    let (ended, waiting) = mpsc::channel();
    let waiter = thread::spawn(move || ended.send(child.wait()));
    let answer = waiting.recv_timeout(left);
    if answer.is_err() {
        kill_process(pid, Signal::TERM).context("cannot stop it")?;
        bail!("was stopped: the time of the whole run is over");
    }
    waiter.join().expect("waiting does not panic").context("nobody waited")?;
    answer.context("nobody waited")?.context("cannot wait for it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_spelled_for_its_form() {
        let line = "sim --seeds {10000|200000} --kills {50|300}";
        assert_eq!(spelled(line, Form::Short).unwrap(), "sim --seeds 10000 --kills 50");
        assert_eq!(spelled(line, Form::Long).unwrap(), "sim --seeds 200000 --kills 300");
        assert!(spelled("sim --seeds {10000}", Form::Short).is_err());
    }

    #[test]
    fn variables_of_a_line_reach_the_program() {
        let command = command("A=1 B=x program --flag").unwrap();
        assert_eq!(command.get_program(), "program");
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["--flag"]);
        assert_eq!(command.get_envs().count(), 2);
    }

    #[test]
    fn a_failing_line_is_an_error_that_names_it() {
        let error = run("false", &Budget::of(Duration::from_secs(10))).unwrap_err();
        assert!(error.to_string().contains("`false` failed"), "{error}");
        assert!(run("true", &Budget::of(Duration::from_secs(10))).is_ok());
    }

    #[test]
    fn a_line_is_stopped_when_its_time_is_over() {
        let budget = Budget::of(Duration::from_millis(50));
        let error = run("tail -f /dev/null", &budget).unwrap_err();
        assert!(format!("{error:#}").contains("time of the whole run is over"), "{error:#}");
        assert!(budget.spent() < Duration::from_secs(10));
    }
}
