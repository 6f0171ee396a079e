# Common development commands. `just` lists them.
default:
    @just --list

# Run the demo.
demo:
    cargo run -- demo

# Run all CI checks.
check:
    .ci/run

# Replay a directory of captured feeds through the daemon.
replay folder:
    cargo run --release --example replay -- {{folder}}

# Evaluate the grouping on labeled items.
eval gold:
    cargo run --release -- eval {{gold}}

# Run all benchmarks, including the comparison with nginx, newsboat and `reader`.
bench:
    cargo bench
