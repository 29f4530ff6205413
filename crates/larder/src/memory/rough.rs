//! Numbers in two bytes, rounded down to eleven significant bits: off by less than a thousandth.

/// The bits of the part that is shifted.
const MANTISSA_BITS: u32 = 11;
/// The largest number that fits.
const MOST: u64 = ((1 << MANTISSA_BITS) - 1) << ((1 << (16 - MANTISSA_BITS)) - 1);

/// A number that need not be exact. Never above the one that it was made of.
#[derive(Clone, Copy)]
pub(super) struct Rough(u16);

impl Rough {
    pub(super) fn down(number: u64) -> Self {
        let number = number.min(MOST);
        let shift = (u64::BITS - number.leading_zeros()).saturating_sub(MANTISSA_BITS);
        // Both parts fit: `MOST` is what they can say at most.
        Rough((shift << MANTISSA_BITS) as u16 | (number >> shift) as u16)
    }

    pub(super) fn get(self) -> u64 {
        let (shift, mantissa) = (self.0 >> MANTISSA_BITS, self.0 & ((1 << MANTISSA_BITS) - 1));
        u64::from(mantissa) << shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_exact() {
        for number in 0..1 << MANTISSA_BITS {
            assert_eq!(Rough::down(number).get(), number);
        }
    }

    #[test]
    fn a_number_is_never_above_and_hardly_below_what_it_was() {
        let numbers = (0..63).flat_map(|bit| [0, 1, 12_345].map(|more| (1_u64 << bit) + more));
        for number in numbers.filter(|number| *number <= MOST) {
            let rough = Rough::down(number).get();
            assert!(rough <= number && number - rough <= number / 1_000, "{number} became {rough}");
        }
    }

    #[test]
    fn what_is_too_large_is_the_largest() {
        assert_eq!([MOST, MOST + 1, u64::MAX].map(|number| Rough::down(number).get()), [MOST; 3]);
    }
}
