//! The `newsfold` program: parses the arguments and returns an exit code. The library contains everything else.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// jemalloc reads this symbol at startup. The clusterer accesses memory randomly. Huge pages of 2 MiB, where available,
/// save one TLB miss per access.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static ALLOCATOR_SETTINGS: &[u8] = b"thp:always\0";

fn main() -> ExitCode {
    newsfold::cli::main()
}
