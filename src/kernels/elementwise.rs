//! Loops over plain values, compiled for what the machine has.
//!
//! The bodies are ordinary Rust that the compiler turns into vectors; each is compiled once with
//! the wider instructions and once without, and which one runs is decided at run time.

/// How `a × b + c` is computed: fused where the machine has it (a library call where not).
pub(super) trait Arithmetic {
    fn mul_add(a: f32, b: f32, c: f32) -> f32;
}

/// One rounding.
pub(super) struct Fused;
/// Two roundings.
pub(super) struct Separate;

impl Arithmetic for Fused {
    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

impl Arithmetic for Separate {
    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
}

/// Compiles a body for each backend and a function that picks one.
macro_rules! dispatch {
    ($(#[$doc:meta])* $visibility:vis fn $name:ident $body:ident($($arg:ident: $type:ty),* $(,)?)) => {
        $(#[$doc])*
        $visibility fn $name($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,fma")]
                fn wide($($arg: $type),*) {
                    $body::<$crate::kernels::elementwise::Fused>($($arg),*);
                }
                #[target_feature(enable = "avx2,fma")]
                fn medium($($arg: $type),*) {
                    $body::<$crate::kernels::elementwise::Fused>($($arg),*);
                }
                match $crate::kernels::Backend::detect() {
                    // SAFETY: the backend was detected.
                    $crate::kernels::Backend::Avx512Vnni => return unsafe { wide($($arg),*) },
                    // SAFETY: the backend was detected.
                    $crate::kernels::Backend::Avx2 => return unsafe { medium($($arg),*) },
                    $crate::kernels::Backend::Portable => {}
                }
            }
            $body::<$crate::kernels::elementwise::Separate>($($arg),*);
        }
    };
}
pub(super) use dispatch;

/// e^x to about 2 units in the last place; 0 below −87.
///
/// Cody and Waite's reduction to ±ln 2 / 2, then a polynomial (as in Cephes' `expf`).
#[inline(always)]
pub(super) fn exp<A: Arithmetic>(x: f32) -> f32 {
    let x = x.min(88.0);
    let small = x < -87.0;
    let x = x.max(-87.0);
    // Adding 1.5 × 2^23 rounds to an integer, which stands in the low bits.
    let shifted = A::mul_add(x, std::f32::consts::LOG2_E, 12_582_912.0);
    let n = shifted - 12_582_912.0;
    let r = A::mul_add(n, -0.693_359_4, x);
    let r = A::mul_add(n, 2.121_944_4e-4, r);
    let mut p = 1.987_569_2e-4;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        p = A::mul_add(p, r, coefficient);
    }
    let p = A::mul_add(p, r * r, r) + 1.0;
    let power = f32::from_bits((((shifted.to_bits() as i32) << 23).wrapping_add(127 << 23)) as u32);
    if small { 0.0 } else { p * power }
}

/// Calls `write` with each row of `out` and its number, on all threads where there is enough to do.
pub(crate) fn for_each_row(
    out: &mut [f32],
    width: usize,
    write: impl Fn(usize, &mut [f32]) + Sync,
) {
    let rows = out.len() / width.max(1);
    if out.len() < 1 << 14 || rows < 2 {
        for (row, out) in out.chunks_exact_mut(width).enumerate() {
            write(row, out);
        }
        return;
    }
    let target = super::OutPointer(out.as_mut_ptr());
    super::pool::execute_chunked(rows, |range| {
        let target = &target;
        for row in range {
            // SAFETY: rows are disjoint parts of `out`, and each is handed out once.
            write(row, unsafe {
                std::slice::from_raw_parts_mut(target.0.add(row * width), width)
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_and_bounded() {
        for i in -9000..=880 {
            let x = i as f32 / 10.0;
            let exact = f64::from(x).exp();
            for found in [exp::<Fused>(x), exp::<Separate>(x)] {
                let error = (f64::from(found) - exact).abs();
                assert!(error <= exact * 5e-7 + 2e-38, "{x}: {found} {exact}");
            }
        }
        assert_eq!(exp::<Fused>(f32::NEG_INFINITY), 0.0);
    }
}
