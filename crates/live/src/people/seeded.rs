//! A small generator of numbers from 0 to 1 (mulberry32), the same as that of the sample room of the user interface.

pub(super) struct Seeded(u32);

impl Seeded {
    pub(super) fn new(seed: u32) -> Self {
        Seeded(seed)
    }

    pub(super) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x6d2b_79f5);
        let mut mixed = (self.0 ^ (self.0 >> 15)).wrapping_mul(self.0 | 1);
        mixed ^= mixed.wrapping_add((mixed ^ (mixed >> 7)).wrapping_mul(mixed | 61));
        f64::from(mixed ^ (mixed >> 14)) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of `seeded(4)` in `ui/src/sample/seeded.ts`.
    #[test]
    fn it_draws_what_the_user_interface_draws() {
        let mut seeded = Seeded::new(4);
        let drawn = [seeded.next(), seeded.next(), seeded.next()];
        assert_eq!(drawn, FIRST);
    }

    const FIRST: [f64; 3] = [0.923_636_197_112_500_7, 0.333_045_879_378_914_83, 0.221_667_900_914_326_3];
}
