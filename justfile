# The everyday commands; `just` lists them.
default:
    @just --list

# Run the demo.
demo:
    cargo run --release -- demo

# All tests, formatting and lints, as CI runs them.
check:
    .ci/run

# Replay a folder of captured feeds through the daemon.
replay folder:
    cargo run --release --example replay -- {{folder}}

# Score the clusterer over labelled items.
eval gold:
    cargo run --release -- eval {{gold}}
