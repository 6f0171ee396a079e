//! The `newsfold` program: arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// jemalloc reads this symbol at startup. The clusterer accesses its memory at random. With 2 MiB huge pages, if the
/// machine has them, each access costs one TLB miss fewer.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static ALLOCATOR_SETTINGS: &[u8] = b"thp:always\0";

fn main() -> ExitCode {
    newsfold::cli::main()
}
