//! The two worlds from outside: the real one with real programs, files and sockets; the simulated one by command lines.

#[path = "world/real.rs"]
mod real;
#[path = "world/simulated.rs"]
mod simulated;
