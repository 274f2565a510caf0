//! The callspool command: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    callspool::cli::main()
}
