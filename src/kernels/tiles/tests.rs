use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use super::super::{Activations, Grain, PackedMatrix, multiply_with};
use super::*;

/// A seeded generator; values in −1..1.
fn noise(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

/// Packed weights, and the floats that they stand for.
fn weights(
    dtype: GgmlDType,
    outputs: usize,
    inputs: usize,
) -> candle_core::Result<(PackedMatrix, Vec<f32>)> {
    let floats = Tensor::from_vec(noise(7, outputs * inputs), (outputs, inputs), &Device::Cpu)?;
    let quantized = QTensor::quantize(&floats, dtype)?;
    let packed = PackedMatrix::from_ggml(dtype, &quantized.data()?, outputs, inputs);
    let floats = quantized
        .dequantize(&Device::Cpu)?
        .flatten_all()?
        .to_vec1()?;
    Ok((
        packed.ok_or_else(|| candle_core::Error::msg("not packed"))?,
        floats,
    ))
}

const TYPES: [GgmlDType; 10] = [
    GgmlDType::Q2K,
    GgmlDType::Q3K,
    GgmlDType::Q4K,
    GgmlDType::Q5K,
    GgmlDType::Q4_1,
    GgmlDType::Q5_1,
    GgmlDType::Q6K,
    GgmlDType::Q8_0,
    GgmlDType::Q5_0,
    GgmlDType::Q4_0,
];

#[test]
fn packing_keeps_every_weight() -> candle_core::Result<()> {
    for dtype in TYPES {
        let (packed, floats) = weights(dtype, 37, 512)?;
        let mut row = vec![0.0; 512];
        for output in 0..37 {
            packed.dequantize_row(output, &mut row);
            for (found, expected) in row.iter().zip(&floats[output * 512..]) {
                assert!(
                    (found - expected).abs() <= 1e-6,
                    "{dtype:?} {output}: {found} {expected}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn products_agree_with_floats_and_backends_with_each_other() -> candle_core::Result<()> {
    for dtype in TYPES {
        for (rows, outputs, inputs) in [(1, 16, 256), (3, 40, 512), (8, 33, 1024), (13, 64, 768)] {
            let (packed, floats) = weights(dtype, outputs, inputs)?;
            let xs = noise(11, rows * inputs);
            let parts = [packed];
            let grain = parts[0].format().grain();
            let activations = Activations::new(&xs, rows, inputs, grain);
            let mut first: Option<Vec<f32>> = None;
            for &backend in Backend::available() {
                let mut out = vec![f32::NAN; rows * outputs];
                multiply_with(backend, &parts, &activations, &mut out);
                for (i, found) in out.iter().enumerate() {
                    let (x, w) = (
                        &xs[i / outputs * inputs..][..inputs],
                        &floats[i % outputs * inputs..][..inputs],
                    );
                    let exact: f32 = x.iter().zip(w).map(|(x, w)| x * w).sum();
                    // Activations have 7 bits and a sign: an error of 1/254 of the largest a value.
                    let bound = (inputs as f32).sqrt() * 0.006;
                    assert!(
                        (found - exact).abs() < bound,
                        "{dtype:?} {backend:?} {i}: {found} {exact}"
                    );
                }
                let first = first.get_or_insert_with(|| out.clone());
                for (a, b) in first.iter().zip(&out) {
                    assert!((a - b).abs() <= 1e-4, "{dtype:?} {backend:?}: {a} {b}");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_row_does_not_depend_on_the_rows_beside_it() -> candle_core::Result<()> {
    for dtype in TYPES {
        let (packed, _) = weights(dtype, 48, 512)?;
        let parts = [packed];
        let xs = noise(3, 19 * 512);
        for &backend in Backend::available() {
            let mut all = vec![0.0; 19 * 48];
            let grain = parts[0].format().grain();
            let together = Activations::new(&xs, 19, 512, grain);
            multiply_with(backend, &parts, &together, &mut all);
            for row in 0..19 {
                let mut one = vec![0.0; 48];
                multiply_with(
                    backend,
                    &parts,
                    &Activations::new(&xs[row * 512..][..512], 1, 512, grain),
                    &mut one,
                );
                assert_eq!(
                    one,
                    all[row * 48..][..48],
                    "{dtype:?} {backend:?} row {row}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn inputs_that_do_not_fill_a_block_are_padded() -> candle_core::Result<()> {
    let of_32 = TYPES.into_iter().filter(|dtype| dtype.block_size() == 32);
    for dtype in of_32 {
        let (packed, floats) = weights(dtype, 20, 96)?;
        let xs = noise(5, 2 * 96);
        let mut out = vec![0.0; 2 * 20];
        multiply_with(
            Backend::detect(),
            &[packed],
            &Activations::new(&xs, 2, 96, Grain::Fine),
            &mut out,
        );
        for (i, found) in out.iter().enumerate() {
            let exact: f32 = (0..96)
                .map(|k| xs[i / 20 * 96 + k] * floats[i % 20 * 96 + k])
                .sum();
            let near = (found - exact).abs() < 0.06;
            assert!(near, "{dtype:?} {i}: {found} {exact}");
        }
    }
    Ok(())
}
