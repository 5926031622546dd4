//! Tells the module which commit it is built from, as the command is told.

#[path = "../cli/build.rs"]
mod commit;

fn main() {
    commit::main();
}
