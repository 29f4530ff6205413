//! Decides how long work shows how far it is: a bar for people, a line for each part elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use arcade::demo::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::greeting::tell_apart;

/// How often a bar is drawn while nothing is reported.
const TICK: Duration = Duration::from_millis(100);

/// Progress on standard error.
pub(crate) fn shown() -> Box<dyn Progress> {
    match std::io::stderr().is_terminal() {
        true => Box::new(Bar(ProgressBar::hidden())),
        false => Box::new(Lines),
    }
}

struct Bar(ProgressBar);

impl Progress for Bar {
    fn begins(&mut self, part: &'static str, rows: u32) {
        self.0.finish_and_clear();
        let form = "{msg:14} {bar:40} {human_pos}/{human_len} {per_sec} {elapsed}";
        let style = ProgressStyle::with_template(form);
        self.0 = ProgressBar::new(u64::from(rows)).with_message(part);
        self.0.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.0.enable_steady_tick(TICK);
    }

    fn wrote(&mut self, rows: u32) {
        self.0.inc(u64::from(rows));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

struct Lines;

impl Progress for Lines {
    fn begins(&mut self, part: &'static str, rows: u32) {
        tell_apart(format_args!("making {rows} {part}"));
    }

    fn wrote(&mut self, _: u32) {}
}
