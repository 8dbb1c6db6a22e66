//! Seeded random input for the fuzz targets, and the loop around them.

use std::time::{Duration, Instant};

/// SplitMix64 (public domain, Sebastiano Vigna).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// A few small changes: bits, bytes, pieces that mean something, pieces of another text.
pub fn mutate(random: &mut Random, corpus: &[Vec<u8>], pieces: &[&str]) -> Vec<u8> {
    let mut text = random.pick(corpus).clone();
    for _ in 0..=random.below(8) {
        let at = random.below(text.len() + 1);
        match random.below(6) {
            0 if !text.is_empty() => {
                let at = random.below(text.len());
                text[at] ^= 1 << random.below(8);
            }
            1 => text.insert(at, random.next() as u8),
            2 | 3 => {
                let piece = random.pick(pieces).as_bytes().repeat(1 + random.below(3));
                text.splice(at..at, piece);
            }
            4 => {
                let end = (at + random.below(40)).min(text.len());
                text.drain(at..end);
            }
            _ => {
                let other = random.pick(corpus);
                let from = random.below(other.len() + 1);
                let to = (from + random.below(80)).min(other.len());
                text.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
    text
}

/// Runs `one` for as long as the first argument says (seconds, 60), from the seed in the second (1). What `one` returns
/// is a finding.
pub fn fuzz(name: &str, mut one: impl FnMut(&mut Random) -> Result<(), String>) {
    let mut args = std::env::args().skip(1);
    let mut number = |default| args.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (limit, seed) = (Duration::from_secs(number(60)), number(1));
    let mut random = Random(seed);
    let (start, mut executions, mut findings) = (Instant::now(), 0u64, 0u64);
    while start.elapsed() < limit {
        let before = random.0;
        executions += 1;
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| one(&mut random)));
        if let Err(why) = done.unwrap_or_else(|_| Err("it panicked".to_string())) {
            findings += 1;
            if findings <= 20 {
                println!("{name}: finding at state {before}: {why}");
            }
        }
    }
    println!("{name}: {executions} executions, {findings} findings, seed {seed}");
    std::process::exit(i32::from(findings > 0));
}
