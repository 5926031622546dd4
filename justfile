# The gate, the same on every machine.
ci: test format lint doc

# All tests.
test *arguments:
    .ci/test {{arguments}}

# Formatting, checked.
format:
    cargo fmt --all --check

# Warnings are errors.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# The documentation builds.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# The fast path against the slow reference, on many more days.
reference cases="100000":
    QUOTECLOCK_CASES={{cases}} cargo test --release -p quoteclock-replay --test reference

# Clauses that no code, or no test, cites.
clauses:
    cargo test -p quoteclock-cli --test clauses -- --nocapture

# Writes what the program now says of the bundled days; review the difference as code.
golden:
    UPDATE_GOLDEN=1 cargo test -p quoteclock-cli --test replay bundled

# Times every stage, or those whose names contain the arguments.
bench *arguments:
    cargo bench -p quoteclock-benches --bench stages -- {{arguments}}

# The Python package: its wheel in a virtual environment, and its tests.
python *arguments:
    .ci/python {{arguments}}

# What the package costs beside the command, and its memory over 10,000 replays.
python-figures *arguments:
    .ci/python --release
    target/python/venv/bin/python crates/python/benches/figures.py {{arguments}}

# How long one event takes on a warm book.
latency *arguments:
    cargo run --release -p quoteclock-benches --example latency -- {{arguments}}

# The papers of a month of 350 ETFs by 20 market makers: time and memory.
papers *arguments:
    cargo build --release -p quoteclock-cli
    cargo run --release -p quoteclock-benches --example papers -- target/release/quoteclock {{arguments}}

# A running feed over loopback, from `publish` to verdict: rate, latency beside a bare echo's, memory, and equality.
live *arguments:
    cargo build --release -p quoteclock-cli
    cargo run --release -p quoteclock-benches --example live -- target/release/quoteclock {{arguments}}

# A feed for an hour at 200,000 events a second with 50 event streams, or SECONDS, EVENTS_A_SECOND, SESSIONS and STREAMS: memory, equality.
soak *arguments:
    cargo build --release -p quoteclock-cli
    cargo run --release -p quoteclock-benches --example soak -- target/release/quoteclock {{arguments}}

# Instruction counts of the main stages against benches/instructions.toml.
instructions:
    .ci/instructions

# Writes them there anew; say why in the commit.
instructions-accept:
    .ci/instructions --accept

# Other order books beside quoteclock, on the same bytes: load, events, rounds.
bench-peers *arguments:
    cargo run --release --manifest-path benches/peers/Cargo.toml -- {{arguments}}

# Goes on fuzzing: each target, or those named, so many times more; the count is kept in fuzz/runs.csv.
fuzz runs="100000" *targets:
    RUNS={{runs}} .ci/fuzz {{targets}}

# A shard of the mutants of the measuring path, such as `just mutants 3/60`; survivors belong to docs/TESTING.md.
mutants shard *arguments:
    QUOTECLOCK_CASES=200 cargo mutants --shard {{shard}} --timeout 300 -p quoteclock-obligation -p quoteclock-engine -p quoteclock-rules -p quoteclock-incentive --test-package quoteclock-obligation,quoteclock-engine,quoteclock-rules,quoteclock-incentive,quoteclock-replay,quoteclock-explain {{arguments}}
