//! The few vector operations that the tile products are written in, once for each backend.
//!
//! Each module has the same items: `LANES` dword lanes, one for an output column; `Ints` and
//! `Floats`, vectors of that many lanes; loads that take raw pointers, for which the caller
//! promises that so many bytes can be read there.

/// 512-bit vectors with integer dot products.
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512 {
    use core::arch::x86_64::*;

    pub(crate) const LANES: usize = 16;
    /// Whether weights with an offset of 128 are multiplied as they are.
    pub(crate) const KEEPS_OFFSET: bool = true;
    pub(crate) type Ints = __m512i;
    pub(crate) type Floats = __m512;

    macro_rules! ops {
        ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty $body:block)*) => {
            $($(#[$doc])*
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
            pub(crate) unsafe fn $name($($arg: $type),*) -> $out {
                // SAFETY: the caller promises readable (or writable) memory behind pointers.
                #[allow(unused_unsafe)]
                unsafe { $body }
            })*
        };
    }
    ops! {
        fn zero_ints() -> Ints { _mm512_setzero_si512() }
        fn zero_floats() -> Floats { _mm512_setzero_ps() }
        fn splat(x: f32) -> Floats { _mm512_set1_ps(x) }
        fn broadcast(p: *const u32) -> Ints { _mm512_set1_epi32(p.read_unaligned() as i32) }
        fn load(p: *const u8) -> Ints { _mm512_loadu_si512(p.cast()) }
        fn prefetch(p: *const u8) -> () { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
        fn prefetch_far(p: *const u8) -> () { _mm_prefetch::<_MM_HINT_T1>(p.cast()) }
        fn and(a: Ints, mask: u8) -> Ints { _mm512_and_si512(a, _mm512_set1_epi8(mask as i8)) }
        fn or(a: Ints, b: Ints) -> Ints { _mm512_or_si512(a, b) }
        fn right_1(a: Ints) -> Ints { _mm512_srli_epi16::<1>(a) }
        fn right_2(a: Ints) -> Ints { _mm512_srli_epi16::<2>(a) }
        fn right_4(a: Ints) -> Ints { _mm512_srli_epi16::<4>(a) }
        fn left_2(a: Ints) -> Ints { _mm512_slli_epi16::<2>(a) }
        fn left_4(a: Ints) -> Ints { _mm512_slli_epi16::<4>(a) }
        fn dot(sum: Ints, weights: Ints, xs: Ints) -> Ints { _mm512_dpbusd_epi32(sum, weights, xs) }
        fn dot_offset(sum: Ints, weights: Ints, xs: Ints) -> Ints { _mm512_dpbusd_epi32(sum, weights, xs) }
        fn dot_pairs(sum: Ints, a: Ints, b: Ints) -> Ints { _mm512_dpwssd_epi32(sum, a, b) }
        fn to_floats(a: Ints) -> Floats { _mm512_cvtepi32_ps(a) }
        fn low_half(a: Ints) -> Ints { _mm512_srai_epi32::<16>(_mm512_slli_epi32::<16>(a)) }
        fn high_half(a: Ints) -> Ints { _mm512_srai_epi32::<16>(a) }
        fn bytes_to_floats(p: *const u8) -> Floats {
            _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(p.cast())))
        }
        fn byte_pairs(p: *const u8) -> Ints { _mm512_cvtepu8_epi16(_mm256_loadu_si256(p.cast())) }
        fn signed_byte_pairs(p: *const u8) -> Ints { _mm512_cvtepi8_epi16(_mm256_loadu_si256(p.cast())) }
        fn halves_to_floats(p: *const u8) -> Floats { _mm512_cvtph_ps(_mm256_loadu_si256(p.cast())) }
        fn add(a: Floats, b: Floats) -> Floats { _mm512_add_ps(a, b) }
        fn mul(a: Floats, b: Floats) -> Floats { _mm512_mul_ps(a, b) }
        fn mul_add(a: Floats, b: Floats, c: Floats) -> Floats { _mm512_fmadd_ps(a, b, c) }
        fn mul_sub_from(a: Floats, b: Floats, c: Floats) -> Floats { _mm512_fnmadd_ps(a, b, c) }
        fn load_floats(p: *const f32) -> Floats { _mm512_loadu_ps(p) }
        fn store(p: *mut f32, a: Floats) -> () { _mm512_storeu_ps(p, a) }
    }
}

/// 256-bit vectors.
#[cfg(target_arch = "x86_64")]
pub(super) mod avx2 {
    use core::arch::x86_64::*;

    pub(crate) const LANES: usize = 8;
    pub(crate) const KEEPS_OFFSET: bool = false;
    pub(crate) type Ints = __m256i;
    pub(crate) type Floats = __m256;

    macro_rules! ops {
        ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty $body:block)*) => {
            $($(#[$doc])*
            #[inline]
            #[target_feature(enable = "avx2,fma,f16c")]
            pub(crate) unsafe fn $name($($arg: $type),*) -> $out {
                // SAFETY: the caller promises readable (or writable) memory behind pointers.
                #[allow(unused_unsafe)]
                unsafe { $body }
            })*
        };
    }
    ops! {
        fn zero_ints() -> Ints { _mm256_setzero_si256() }
        fn zero_floats() -> Floats { _mm256_setzero_ps() }
        fn splat(x: f32) -> Floats { _mm256_set1_ps(x) }
        fn broadcast(p: *const u32) -> Ints { _mm256_set1_epi32(p.read_unaligned() as i32) }
        fn load(p: *const u8) -> Ints { _mm256_loadu_si256(p.cast()) }
        fn prefetch(p: *const u8) -> () { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
        fn prefetch_far(p: *const u8) -> () { _mm_prefetch::<_MM_HINT_T1>(p.cast()) }
        fn and(a: Ints, mask: u8) -> Ints { _mm256_and_si256(a, _mm256_set1_epi8(mask as i8)) }
        fn or(a: Ints, b: Ints) -> Ints { _mm256_or_si256(a, b) }
        fn right_1(a: Ints) -> Ints { _mm256_srli_epi16::<1>(a) }
        fn right_2(a: Ints) -> Ints { _mm256_srli_epi16::<2>(a) }
        fn right_4(a: Ints) -> Ints { _mm256_srli_epi16::<4>(a) }
        fn left_2(a: Ints) -> Ints { _mm256_slli_epi16::<2>(a) }
        fn left_4(a: Ints) -> Ints { _mm256_slli_epi16::<4>(a) }
        // Weights of at most 6 bits: the pair sums of 2 × 63 × 127 fit int16.
        fn dot(sum: Ints, weights: Ints, xs: Ints) -> Ints {
            let pairs = _mm256_maddubs_epi16(weights, xs);
            _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
        // Weights of 8 bits with an offset: taken off first, and the sign moved to the
        // activations, so that the pair sums of 2 × 128 × 127 fit.
        fn dot_offset(sum: Ints, weights: Ints, xs: Ints) -> Ints {
            let signed = _mm256_xor_si256(weights, _mm256_set1_epi8(-128));
            let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(signed), _mm256_sign_epi8(xs, signed));
            _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
        fn dot_pairs(sum: Ints, a: Ints, b: Ints) -> Ints { _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)) }
        fn to_floats(a: Ints) -> Floats { _mm256_cvtepi32_ps(a) }
        fn low_half(a: Ints) -> Ints { _mm256_srai_epi32::<16>(_mm256_slli_epi32::<16>(a)) }
        fn high_half(a: Ints) -> Ints { _mm256_srai_epi32::<16>(a) }
        fn bytes_to_floats(p: *const u8) -> Floats {
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(p.cast())))
        }
        fn byte_pairs(p: *const u8) -> Ints { _mm256_cvtepu8_epi16(_mm_loadu_si128(p.cast())) }
        fn signed_byte_pairs(p: *const u8) -> Ints { _mm256_cvtepi8_epi16(_mm_loadu_si128(p.cast())) }
        fn halves_to_floats(p: *const u8) -> Floats { _mm256_cvtph_ps(_mm_loadu_si128(p.cast())) }
        fn add(a: Floats, b: Floats) -> Floats { _mm256_add_ps(a, b) }
        fn mul(a: Floats, b: Floats) -> Floats { _mm256_mul_ps(a, b) }
        fn mul_add(a: Floats, b: Floats, c: Floats) -> Floats { _mm256_fmadd_ps(a, b, c) }
        fn mul_sub_from(a: Floats, b: Floats, c: Floats) -> Floats { _mm256_fnmadd_ps(a, b, c) }
        fn load_floats(p: *const f32) -> Floats { _mm256_loadu_ps(p) }
        fn store(p: *mut f32, a: Floats) -> () { _mm256_storeu_ps(p, a) }
    }
}

/// Plain Rust, which the compiler turns into what vectors the target has.
pub(super) mod portable {
    use half::f16;

    pub(crate) const LANES: usize = 16;
    pub(crate) const KEEPS_OFFSET: bool = true;
    pub(crate) type Ints = [i32; LANES];
    pub(crate) type Floats = [f32; LANES];

    macro_rules! ops {
        ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty $body:block)*) => {
            $($(#[$doc])*
            #[inline(always)]
            pub(crate) unsafe fn $name($($arg: $type),*) -> $out {
                // SAFETY: the caller promises readable (or writable) memory behind pointers.
                #[allow(unused_unsafe)]
                unsafe { $body }
            })*
        };
    }

    fn bytes(a: i32) -> [u8; 4] {
        a.to_le_bytes()
    }

    fn dot_4(w: i32, x: i32) -> i32 {
        let (w, x) = (bytes(w), bytes(x));
        (0..4)
            .map(|i| i32::from(w[i]) * i32::from(x[i] as i8))
            .sum()
    }

    ops! {
        fn zero_ints() -> Ints { [0; LANES] }
        fn zero_floats() -> Floats { [0.0; LANES] }
        fn splat(x: f32) -> Floats { [x; LANES] }
        fn broadcast(p: *const u32) -> Ints { [p.read_unaligned() as i32; LANES] }
        fn prefetch(_p: *const u8) -> () {}
        fn prefetch_far(_p: *const u8) -> () {}
        fn load(p: *const u8) -> Ints {
            std::array::from_fn(|i| i32::from_le_bytes(p.add(4 * i).cast::<[u8; 4]>().read()))
        }
        fn and(a: Ints, mask: u8) -> Ints { a.map(|a| a & i32::from_le_bytes([mask; 4])) }
        fn or(a: Ints, b: Ints) -> Ints { std::array::from_fn(|i| a[i] | b[i]) }
        fn right_1(a: Ints) -> Ints { a.map(|a| ((a as u32) >> 1) as i32) }
        fn right_2(a: Ints) -> Ints { a.map(|a| ((a as u32) >> 2) as i32) }
        fn right_4(a: Ints) -> Ints { a.map(|a| ((a as u32) >> 4) as i32) }
        fn left_2(a: Ints) -> Ints { a.map(|a| a << 2) }
        fn left_4(a: Ints) -> Ints { a.map(|a| a << 4) }
        fn dot(sum: Ints, weights: Ints, xs: Ints) -> Ints {
            std::array::from_fn(|i| sum[i] + dot_4(weights[i], xs[i]))
        }
        fn dot_offset(sum: Ints, weights: Ints, xs: Ints) -> Ints {
            std::array::from_fn(|i| sum[i] + dot_4(weights[i], xs[i]))
        }
        fn dot_pairs(sum: Ints, a: Ints, b: Ints) -> Ints {
            let pair = |x: i32| (i32::from(x as i16), x >> 16);
            std::array::from_fn(|i| {
                let ((a0, a1), (b0, b1)) = (pair(a[i]), pair(b[i]));
                sum[i] + a0 * b0 + a1 * b1
            })
        }
        fn to_floats(a: Ints) -> Floats { a.map(|a| a as f32) }
        fn low_half(a: Ints) -> Ints { a.map(|a| i32::from(a as i16)) }
        fn high_half(a: Ints) -> Ints { a.map(|a| a >> 16) }
        fn bytes_to_floats(p: *const u8) -> Floats { std::array::from_fn(|i| f32::from(p.add(i).read())) }
        fn byte_pairs(p: *const u8) -> Ints {
            std::array::from_fn(|i| i32::from(p.add(2 * i).read()) | (i32::from(p.add(2 * i + 1).read()) << 16))
        }
        fn signed_byte_pairs(p: *const u8) -> Ints {
            let at = |i: usize| i16::from(p.add(i).cast::<i8>().read()) as u16;
            std::array::from_fn(|i| (u32::from(at(2 * i)) | (u32::from(at(2 * i + 1)) << 16)) as i32)
        }
        fn halves_to_floats(p: *const u8) -> Floats {
            std::array::from_fn(|i| f16::from_le_bytes(p.add(2 * i).cast::<[u8; 2]>().read()).to_f32())
        }
        fn add(a: Floats, b: Floats) -> Floats { std::array::from_fn(|i| a[i] + b[i]) }
        fn mul(a: Floats, b: Floats) -> Floats { std::array::from_fn(|i| a[i] * b[i]) }
        fn mul_add(a: Floats, b: Floats, c: Floats) -> Floats { std::array::from_fn(|i| a[i] * b[i] + c[i]) }
        fn mul_sub_from(a: Floats, b: Floats, c: Floats) -> Floats { std::array::from_fn(|i| c[i] - a[i] * b[i]) }
        fn load_floats(p: *const f32) -> Floats { p.cast::<Floats>().read_unaligned() }
        fn store(p: *mut f32, a: Floats) -> () { p.cast::<Floats>().write_unaligned(a) }
    }
}
