//! Weight matrices in tiles, and how ggml's blocks become them.

use candle_core::quantized::GgmlDType;
use half::f16;

use super::activations::{BLOCK, Grain};

/// Output columns in a tile.
pub(crate) const TILE: usize = 16;

/// How the weights of a tile are stored. Blocks are 256 inputs of one output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// 2 bits a weight, and for each 16 a 4-bit scale and a 4-bit minimum: ggml's Q2_K.
    Q2K,
    /// 3 bits a weight, and for each 16 a 6-bit scale: ggml's Q3_K.
    Q3K,
    /// 4 bits a weight, and for each 32 a 6-bit scale and a 6-bit minimum: ggml's Q4_K.
    Q4K,
    /// 5 bits a weight, and for each 32 a 6-bit scale and a 6-bit minimum: ggml's Q5_K.
    Q5K,
    /// 4 bits a weight, and for each 32 a scale and a minimum as float16: ggml's Q4_1.
    Q4Minimum,
    /// 5 bits a weight, and for each 32 a scale and a minimum as float16: ggml's Q5_1.
    Q5Minimum,
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
            GgmlDType::Q2K => Some(Self::Q2K),
            GgmlDType::Q3K => Some(Self::Q3K),
            GgmlDType::Q4K => Some(Self::Q4K),
            GgmlDType::Q5K => Some(Self::Q5K),
            GgmlDType::Q4_1 => Some(Self::Q4Minimum),
            GgmlDType::Q5_1 => Some(Self::Q5Minimum),
            GgmlDType::Q6K => Some(Self::Q6K),
            GgmlDType::Q8_0 | GgmlDType::Q5_0 | GgmlDType::Q4_0 => Some(Self::Q8),
            _ => None,
        }
    }

    /// How many activations share a scale in products with such weights.
    pub(crate) const fn grain(self) -> Grain {
        match self {
            Self::Q2K | Self::Q3K | Self::Q4K | Self::Q5K | Self::Q6K => Grain::Block,
            Self::Q4Minimum | Self::Q5Minimum | Self::Q8 => Grain::Fine,
        }
    }

    /// Bytes of one tile of 16 outputs by 256 inputs.
    pub(crate) const fn tile_bytes(self) -> usize {
        match self {
            // quants, scales, minima, scale of scales, scale of minima
            Self::Q4K => 2048 + 128 + 128 + 32 + 32,
            // as Q4K, then fifth bits
            Self::Q5K => 2048 + 128 + 128 + 32 + 32 + 512,
            // quants, scales, minima, scale of scales, scale of minima
            Self::Q2K => 1024 + 256 + 256 + 32 + 32,
            // quants, scales plus 32, scales, scale of scales, 4 times it, third bits
            Self::Q3K => 1024 + 256 + 256 + 32 + 32 + 512,
            // quants, scales, minima
            Self::Q4Minimum => 2048 + 256 + 256,
            // as Q4Minimum, then fifth bits
            Self::Q5Minimum => 2048 + 256 + 256 + 512,
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
                        GgmlDType::Q5K => {
                            pack_q5k(&row[block * 176..(block + 1) * 176], member, tile)
                        }
                        GgmlDType::Q3K => {
                            pack_q3k(&row[block * 110..(block + 1) * 110], member, tile)
                        }
                        GgmlDType::Q2K => {
                            pack_q2k(&row[block * 84..(block + 1) * 84], member, tile)
                        }
                        GgmlDType::Q4_1 | GgmlDType::Q5_1 => {
                            pack_minimum(dtype, row, block, member, tile)
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
                    Format::Q4K | Format::Q5K => {
                        let sub = i / 32;
                        let quant = quant_of_nibbles(self.format, tile, 2368, member, i);
                        let scale = tile[2048 + sub * TILE + member];
                        let minimum = tile[2176 + ((sub / 2) * TILE + member) * 2 + sub % 2];
                        half_at(tile, 2304, member) * f32::from(scale) * f32::from(quant)
                            - half_at(tile, 2336, member) * f32::from(minimum)
                    }
                    Format::Q4Minimum | Format::Q5Minimum => {
                        let sub = i / 32 * 2 * TILE;
                        let quant = quant_of_nibbles(self.format, tile, 2560, member, i);
                        half_at(tile, 2048 + sub, member) * f32::from(quant)
                            + half_at(tile, 2304 + sub, member)
                    }
                    Format::Q2K | Format::Q3K => {
                        let (half, part, within) = (i / 128, i % 128 / 32, i % 32);
                        let quant = byte(half * 8 + within / 4, i % 4) >> (2 * part) & 3;
                        let sub = i / 16;
                        let scale = tile[1024 + sub * TILE + member];
                        let minimum = tile[1280 + ((sub / 2) * TILE + member) * 2 + sub % 2] as i8;
                        let d = half_at(tile, 1536, member);
                        if self.format == Format::Q2K {
                            d * f32::from(scale) * f32::from(quant)
                                - half_at(tile, 1568, member) * f32::from(minimum)
                        } else {
                            let bits = tile[1600 + (within / 4 * TILE + member) * 4 + i % 4];
                            let third = bits >> (4 * half + part) & 1;
                            let quant = i32::from(quant | third << 2) - 4;
                            d * f32::from(minimum) * quant as f32
                        }
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

/// One quant of four bits, or of five, whose fifth bits stand from `high` on.
fn quant_of_nibbles(format: Format, tile: &[u8], high: usize, member: usize, i: usize) -> u8 {
    let (chunk, within) = (i / 64, i % 64);
    let dword = within % 32 / 4;
    let packed = tile[((chunk * 8 + dword) * TILE + member) * 4 + i % 4];
    let quant = if within < 32 {
        packed & 15
    } else {
        packed >> 4
    };
    if !matches!(format, Format::Q5K | Format::Q5Minimum) {
        return quant;
    }
    let bits = tile[high + (dword * TILE + member) * 4 + i % 4];
    quant | (bits >> (i / 32) & 1) << 4
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

/// What `block_q4_K` and `block_q5_K` begin with: d, dmin (f16), 12 bytes of 6-bit scales and minima.
fn pack_scales(block: &[u8], member: usize, rest: &mut [u8]) {
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
    rest[256 + 2 * member..][..2].copy_from_slice(&block[0..2]);
    rest[288 + 2 * member..][..2].copy_from_slice(&block[2..4]);
}

/// ggml's `block_q4_K`: scales, 128 bytes of quants.
fn pack_q4k(block: &[u8], member: usize, tile: &mut [u8]) {
    let (quants, rest) = tile.split_at_mut(2048);
    scatter(&block[16..144], member, quants);
    pack_scales(block, member, rest);
}

/// ggml's `block_q5_K`: scales, 32 bytes of fifth bits, 128 bytes of quants.
fn pack_q5k(block: &[u8], member: usize, tile: &mut [u8]) {
    let (quants, rest) = tile.split_at_mut(2048);
    scatter(&block[48..176], member, quants);
    pack_scales(block, member, rest);
    scatter(&block[16..48], member, &mut rest[320..]);
}

/// ggml's `block_q2_K`: 16 bytes of 4-bit scales and minima, 64 bytes of quants, d, dmin (f16).
fn pack_q2k(block: &[u8], member: usize, tile: &mut [u8]) {
    let (quants, rest) = tile.split_at_mut(1024);
    scatter(&block[16..80], member, quants);
    for (sub, packed) in block[..16].iter().enumerate() {
        rest[sub * TILE + member] = packed & 15;
        rest[256 + ((sub / 2) * TILE + member) * 2 + sub % 2] = packed >> 4;
    }
    rest[512 + 2 * member..][..2].copy_from_slice(&block[80..82]);
    rest[544 + 2 * member..][..2].copy_from_slice(&block[82..84]);
}

/// ggml's `block_q3_K`: 32 bytes of third bits, 64 bytes of quants, 12 bytes of 6-bit scales, d (f16).
fn pack_q3k(block: &[u8], member: usize, tile: &mut [u8]) {
    let (quants, rest) = tile.split_at_mut(1024);
    scatter(&block[32..96], member, quants);
    let packed = &block[96..108];
    for sub in 0..16 {
        let low = packed[sub % 8] >> (4 * (sub / 8)) & 15;
        let high = packed[8 + sub % 4] >> (2 * (sub / 4)) & 3;
        let scale = low | high << 4;
        rest[sub * TILE + member] = scale;
        rest[256 + ((sub / 2) * TILE + member) * 2 + sub % 2] = scale.wrapping_sub(32);
    }
    let d = f16::from_le_bytes([block[108], block[109]]);
    rest[512 + 2 * member..][..2].copy_from_slice(&block[108..110]);
    // What a quant of 0 stands for: −4. Beyond the range of float16 the file holds no weights.
    let below = f16::from_f32(4.0 * d.to_f32());
    rest[544 + 2 * member..][..2].copy_from_slice(&below.to_le_bytes());
    scatter(&block[..32], member, &mut rest[576..]);
}

/// Eight blocks of 32: `block_q4_1` (d, m, 16 bytes of nibbles) or `block_q5_1` (d, m, 4 bytes of
/// fifth bits, 16 bytes of nibbles). The low nibbles are the first 16 values.
fn pack_minimum(dtype: GgmlDType, row: &[u8], block: usize, member: usize, tile: &mut [u8]) {
    let size = dtype.type_size();
    let mut nibbles = [0u8; 128];
    let mut fifths = [0u8; 32];
    for sub in 0..8 {
        let Some(source) = row.get((block * 8 + sub) * size..(block * 8 + sub + 1) * size) else {
            break;
        };
        let (fifth, packed) = if dtype == GgmlDType::Q5_1 {
            let bits = [source[4], source[5], source[6], source[7]];
            (u32::from_le_bytes(bits), &source[8..24])
        } else {
            (0, &source[4..20])
        };
        for i in 0..32 {
            let quant = packed[i % 16] >> (4 * (i / 16)) & 15;
            nibbles[sub / 2 * 32 + i] |= quant << (4 * (sub % 2));
            fifths[i] |= ((fifth >> i & 1) as u8) << sub;
        }
        let place = (sub * TILE + member) * 2;
        tile[2048 + place..][..2].copy_from_slice(&source[..2]);
        tile[2304 + place..][..2].copy_from_slice(&source[2..4]);
    }
    scatter(&nibbles, member, &mut tile[..2048]);
    if dtype == GgmlDType::Q5_1 {
        scatter(&fifths, member, &mut tile[2560..]);
    }
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
