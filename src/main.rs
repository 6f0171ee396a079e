//! The `newsfold` program: parses the arguments and returns an exit code. The library contains everything else.

use std::process::ExitCode;

fn main() -> ExitCode {
    newsfold::cli::main()
}
