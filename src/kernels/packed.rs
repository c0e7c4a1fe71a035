//! Weight matrices in tiles, and how ggml's blocks become them.

use candle_core::quantized::GgmlDType;
use half::f16;

use super::activations::BLOCK;

/// Output columns in a tile.
pub(crate) const TILE: usize = 16;

/// How the weights of a tile are stored. Blocks are 256 inputs of one output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// 4 bits a weight, and for each 32 a 6-bit scale and a 6-bit minimum: ggml's Q4_K.
    Q4K,
    /// 6 bits a weight, and for each 16 an 8-bit scale: ggml's Q6_K.
    Q6K,
    /// 8 bits a weight, and for each 32 a float16 scale: ggml's Q8_0, and without loss its Q4_0
    /// and Q5_0.
    Q8,
}

impl Format {
    /// The format that takes tensors of a ggml type without loss, if there is one.
    pub(crate) fn of(dtype: GgmlDType) -> Option<Self> {
        match dtype {
            GgmlDType::Q4K => Some(Self::Q4K),
            GgmlDType::Q6K => Some(Self::Q6K),
            GgmlDType::Q8_0 | GgmlDType::Q5_0 | GgmlDType::Q4_0 => Some(Self::Q8),
            _ => None,
        }
    }

    /// Bytes of one tile of 16 outputs by 256 inputs.
    pub(crate) const fn tile_bytes(self) -> usize {
        match self {
            // quants, scales, minima, scale of scales, scale of minima
            Self::Q4K => 2048 + 128 + 128 + 32 + 32,
            // low 4 bits, high 2 bits, scales, scale of scales, padding
            Self::Q6K => 2048 + 1024 + 256 + 32 + 32,
            // quants, scales
            Self::Q8 => 4096 + 256,
        }
    }
}

/// 64 bytes on a 64-byte boundary: a cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// A weight matrix of `outputs × inputs`, tiled.
pub(crate) struct PackedMatrix {
    format: Format,
    outputs: usize,
    inputs: usize,
    blocks: usize,
    /// Tiles of 16 outputs: all blocks of the first 16 outputs, then of the next.
    data: Vec<Line>,
}

impl PackedMatrix {
    /// Tiles a ggml tensor of `outputs` rows of `inputs` weights each.
    ///
    /// Returns `None` where the type has no [`Format`] or the data are not of the size that the
    /// shape asks for.
    pub(crate) fn from_ggml(
        dtype: GgmlDType,
        data: &[u8],
        outputs: usize,
        inputs: usize,
    ) -> Option<Self> {
        let format = Format::of(dtype)?;
        if !inputs.is_multiple_of(dtype.block_size()) {
            return None;
        }
        let row_bytes = inputs / dtype.block_size() * dtype.type_size();
        if data.len() != outputs * row_bytes || inputs == 0 {
            return None;
        }
        let mut matrix = Self::zeros(format, outputs, inputs);
        let blocks = matrix.blocks;
        matrix.fill(|tile_row, tile_data| {
            let first = tile_row * TILE;
            let members = (outputs - first).min(TILE);
            for member in 0..members {
                let row = &data[(first + member) * row_bytes..(first + member + 1) * row_bytes];
                for block in 0..blocks {
                    let tile = &mut tile_data
                        [block * format.tile_bytes()..(block + 1) * format.tile_bytes()];
                    match dtype {
                        GgmlDType::Q4K => {
                            pack_q4k(&row[block * 144..(block + 1) * 144], member, tile)
                        }
                        GgmlDType::Q6K => {
                            pack_q6k(&row[block * 210..(block + 1) * 210], member, tile)
                        }
                        _ => pack_q8(dtype, row, block, member, tile),
                    }
                }
            }
        });
        Some(matrix)
    }

    fn zeros(format: Format, outputs: usize, inputs: usize) -> Self {
        let blocks = inputs.div_ceil(BLOCK);
        let lines = outputs.div_ceil(TILE) * blocks * format.tile_bytes() / 64;
        Self {
            format,
            outputs,
            inputs,
            blocks,
            data: vec![Line([0; 64]); lines],
        }
    }

    /// Calls `pack` with each row of tiles, on all threads.
    fn fill(&mut self, pack: impl Fn(usize, &mut [u8]) + Sync) {
        let tile_row_bytes = self.blocks * self.format.tile_bytes();
        let target = Shared(self.data.as_mut_ptr().cast::<u8>());
        super::pool::execute_chunked(self.outputs.div_ceil(TILE), |range| {
            let target = &target;
            for tile_row in range {
                // SAFETY: rows of tiles are disjoint parts of `data`, each handed out once.
                let data = unsafe {
                    std::slice::from_raw_parts_mut(
                        target.0.add(tile_row * tile_row_bytes),
                        tile_row_bytes,
                    )
                };
                pack(tile_row, data);
            }
        });
    }

    /// The format of the weights.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Output features.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Blocks of 256 inputs, the last filled up with zeros.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// Rows of tiles.
    pub(crate) fn tile_rows(&self) -> usize {
        self.outputs.div_ceil(TILE)
    }

    /// The bytes of one row of tiles.
    pub(crate) fn tile_row(&self, tile_row: usize) -> &[u8] {
        let bytes = self.blocks * self.format.tile_bytes();
        // SAFETY: `Line` is 64 plain bytes without padding.
        let data = unsafe {
            std::slice::from_raw_parts(self.data.as_ptr().cast::<u8>(), self.data.len() * 64)
        };
        &data[tile_row * bytes..(tile_row + 1) * bytes]
    }

    /// Writes the weights of one output as floats; for embeddings. `out` has `inputs` places.
    pub(crate) fn dequantize_row(&self, output: usize, out: &mut [f32]) {
        let tiles = self.tile_row(output / TILE);
        let member = output % TILE;
        for (block, out) in out[..self.inputs].chunks_mut(BLOCK).enumerate() {
            let tile =
                &tiles[block * self.format.tile_bytes()..(block + 1) * self.format.tile_bytes()];
            let byte = |position: usize, i: usize| tile[(position * TILE + member) * 4 + i];
            for (i, out) in out.iter_mut().enumerate() {
                *out = match self.format {
                    Format::Q4K => {
                        let (chunk, within) = (i / 64, i % 64);
                        let packed = byte(chunk * 8 + within % 32 / 4, i % 4);
                        let quant = if within < 32 {
                            packed & 15
                        } else {
                            packed >> 4
                        };
                        let sub = i / 32;
                        let scale = tile[2048 + sub * TILE + member];
                        let minimum = tile[2176 + ((sub / 2) * TILE + member) * 2 + sub % 2];
                        half_at(tile, 2304, member) * f32::from(scale) * f32::from(quant)
                            - half_at(tile, 2336, member) * f32::from(minimum)
                    }
                    Format::Q6K => {
                        let (group, part, within) = (i / 128, i % 128 / 32, i % 32);
                        let low = byte(group * 16 + part % 2 * 8 + within / 4, i % 4);
                        let low = if part < 2 { low & 15 } else { low >> 4 };
                        let high =
                            tile[2048 + ((group * 8 + within / 4) * TILE + member) * 4 + i % 4];
                        let quant = i32::from(low | ((high >> (2 * part)) & 3) << 4) - 32;
                        let sub = i / 16;
                        let scale = tile[3072 + ((sub / 2) * TILE + member) * 2 + sub % 2] as i8;
                        half_at(tile, 3328, member) * f32::from(scale) * quant as f32
                    }
                    Format::Q8 => {
                        let quant = i32::from(byte(i / 4, i % 4)) - 128;
                        half_at(tile, 4096 + i / 32 * 2 * TILE, member) * quant as f32
                    }
                };
            }
        }
    }
}

struct Shared(*mut u8);
// SAFETY: see `PackedMatrix::fill`: every row of tiles is written by one worker.
unsafe impl Sync for Shared {}

fn half_at(tile: &[u8], start: usize, member: usize) -> f32 {
    f16::from_le_bytes([tile[start + 2 * member], tile[start + 2 * member + 1]]).to_f32()
}

/// Copies dwords of one output into a tile, where the dwords of 16 outputs alternate.
#[inline(always)]
fn scatter(source: &[u8], member: usize, target: &mut [u8]) {
    for (dword, target) in source
        .chunks_exact(4)
        .zip(target.chunks_exact_mut(4 * TILE))
    {
        target[4 * member..4 * member + 4].copy_from_slice(dword);
    }
}

/// ggml's `block_q4_K`: d, dmin (f16), 12 bytes of 6-bit scales and minima, 128 bytes of quants.
fn pack_q4k(block: &[u8], member: usize, tile: &mut [u8]) {
    let (quants, rest) = tile.split_at_mut(2048);
    scatter(&block[16..144], member, quants);
    let packed = &block[4..16];
    for sub in 0..8 {
        let (scale, minimum) = if sub < 4 {
            (packed[sub] & 63, packed[sub + 4] & 63)
        } else {
            (
                packed[sub + 4] & 15 | (packed[sub - 4] >> 6) << 4,
                packed[sub + 4] >> 4 | (packed[sub] >> 6) << 4,
            )
        };
        rest[sub * TILE + member] = scale;
        rest[128 + ((sub / 2) * TILE + member) * 2 + sub % 2] = minimum;
    }
    rest[256 + 2 * member..256 + 2 * member + 2].copy_from_slice(&block[0..2]);
    rest[288 + 2 * member..288 + 2 * member + 2].copy_from_slice(&block[2..4]);
}

/// ggml's `block_q6_K`: 128 bytes of low bits, 64 of high bits, 16 int8 scales, d (f16).
fn pack_q6k(block: &[u8], member: usize, tile: &mut [u8]) {
    let (low, rest) = tile.split_at_mut(2048);
    let (high, rest) = rest.split_at_mut(1024);
    scatter(&block[..128], member, low);
    scatter(&block[128..192], member, high);
    for (pair, scales) in block[192..208].chunks_exact(2).enumerate() {
        rest[(pair * TILE + member) * 2..][..2].copy_from_slice(scales);
    }
    rest[256 + 2 * member..256 + 2 * member + 2].copy_from_slice(&block[208..210]);
}

/// Eight blocks of 32: `block_q8_0` (d, 32 int8), `block_q5_0` (d, 4 bytes of fifth bits, 16 bytes
/// of nibbles) or `block_q4_0` (d, 16 bytes of nibbles). The low nibbles are the first 16 values.
fn pack_q8(dtype: GgmlDType, row: &[u8], block: usize, member: usize, tile: &mut [u8]) {
    let size = dtype.type_size();
    for sub in 0..8 {
        let Some(source) = row.get((block * 8 + sub) * size..(block * 8 + sub + 1) * size) else {
            return;
        };
        let scale = f16::from_le_bytes([source[0], source[1]]);
        let mut quants = [0i8; 32];
        match dtype {
            GgmlDType::Q8_0 => {
                for (quant, byte) in quants.iter_mut().zip(&source[2..]) {
                    *quant = *byte as i8;
                }
            }
            GgmlDType::Q5_0 => {
                let fifth = u32::from_le_bytes([source[2], source[3], source[4], source[5]]);
                for (i, byte) in source[6..22].iter().enumerate() {
                    let bit = |position: usize| ((fifth >> position) & 1) as i8 * 16;
                    quants[i] = (byte & 15) as i8 + bit(i) - 16;
                    quants[i + 16] = (byte >> 4) as i8 + bit(i + 16) - 16;
                }
            }
            _ => {
                for (i, byte) in source[2..18].iter().enumerate() {
                    quants[i] = (byte & 15) as i8 - 8;
                    quants[i + 16] = (byte >> 4) as i8 - 8;
                }
            }
        }
        put_q8(&quants, scale, sub, member, tile);
    }
}

fn put_q8(quants: &[i8; 32], scale: f16, sub: usize, member: usize, tile: &mut [u8]) {
    for (i, quant) in quants.iter().enumerate() {
        tile[((sub * 8 + i / 4) * TILE + member) * 4 + i % 4] = (*quant as u8) ^ 0x80;
    }
    tile[4096 + (sub * TILE + member) * 2..][..2].copy_from_slice(&scale.to_le_bytes());
}
