//! The `newsfold` program: arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Read by jemalloc at the start, under this name. The clusterer's memory is walked at random, and with pages of 2 MiB,
/// where the machine has them, a step costs one miss less.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static ALLOCATOR_SETTINGS: &[u8] = b"thp:always\0";

fn main() -> ExitCode {
    newsfold::cli::main()
}
