//! The `larder` command; [`larder_cli`] is what it does.
// The macros panic where nobody reads, and whoever reads may stop at any time.
#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;
use larder_cli::Arguments;

fn main() -> ExitCode {
    let told = larder_cli::told(&Arguments::parse());
    let written = match &told {
        Ok(text) => io::stdout().write_all(text.as_bytes()),
        Err(error) => writeln!(io::stderr(), "{error:#}"),
    };
    match written {
        // Who has read enough stops reading.
        Err(fault) if fault.kind() != ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ if told.is_err() => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}
