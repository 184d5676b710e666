//! The binary: hands over to the command line. Sets the allocator, which training's large buffers need.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tallystick::cli::main()
}
