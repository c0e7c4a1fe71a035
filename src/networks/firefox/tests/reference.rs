//! The network once more, in plain loops: one number at a time, sums in float64, no packing, no
//! batches. Only what is rounded to int8, and how, is as in the network itself.

use super::checkpoint::{Checkpoint, Matrix};
use crate::decode::TokenId;

type Row = Vec<f64>;

/// Scores of all target tokens at every step for given target tokens.
pub(super) fn scores(checkpoint: &Checkpoint, line: &[TokenId], targets: &[TokenId]) -> Vec<Row> {
    let shape = checkpoint.shape;
    let (source, target) = if shape.two_vocabularies {
        ("encoder_Wemb", "decoder_Wemb")
    } else {
        ("Wemb", "Wemb")
    };
    let mut xs: Vec<Row> = line
        .iter()
        .enumerate()
        .map(|(place, &token)| embed(checkpoint, source, Some(token), place))
        .collect();
    for layer in 1..=shape.encoder_layers {
        let prefix = format!("encoder_l{layer}_self");
        let memory = xs.clone();
        for x in &mut xs {
            *x = attend(checkpoint, &prefix, x, &memory);
        }
        for x in &mut xs {
            *x = feed_forward(checkpoint, &format!("encoder_l{layer}_ffn"), x);
        }
    }
    let mut cells = vec![vec![0.0; shape.width]; shape.decoder_layers];
    let given = std::iter::once(None).chain(targets.iter().map(|&token| Some(token)));
    let step = |(place, last): (usize, Option<TokenId>)| {
        let mut x = embed(checkpoint, target, last, place);
        for (layer, cell) in (1..).zip(&mut cells) {
            let prefix = format!("decoder_l{layer}_rnn");
            let candidate = multiply(&checkpoint.matrices[&format!("{prefix}_W")], None, &x);
            let bias = &checkpoint.vectors[&format!("{prefix}_bf")];
            let gate = multiply(
                &checkpoint.matrices[&format!("{prefix}_Wf")],
                Some(bias),
                &x,
            );
            for ((cell, gate), candidate) in cell.iter_mut().zip(gate).zip(candidate) {
                let keep = 1.0 / (1.0 + (-gate).exp());
                *cell = keep * *cell + (1.0 - keep) * candidate;
            }
            let output: Row = cell.iter().map(|cell| cell.max(0.0)).collect();
            x = add_and_normalize(checkpoint, &format!("{prefix}_ffn"), &x, &output);
            x = attend(checkpoint, &format!("decoder_l{layer}_context"), &x, &xs);
            x = feed_forward(checkpoint, &format!("decoder_l{layer}_ffn"), &x);
        }
        let embedding = &checkpoint.matrices[target];
        product(
            embedding,
            Some(&checkpoint.vectors["decoder_ff_logit_out_b"]),
            &x,
            shape.width,
        )
    };
    given.enumerate().map(step).collect()
}

fn embed(checkpoint: &Checkpoint, table: &str, token: Option<TokenId>, place: usize) -> Row {
    let width = checkpoint.shape.width;
    let matrix = &checkpoint.matrices[table];
    let half = width / 2;
    let vector = |column: usize| {
        let weight = token.map_or(0.0, |token| {
            f64::from(matrix.weights[token as usize * width + column])
        });
        let frequency = 10_000f64.powf(-((column % half) as f64) / (half as f64 - 1.0));
        let phase = place as f64 * frequency;
        let signal = if column < half {
            phase.sin()
        } else {
            phase.cos()
        };
        weight / f64::from(matrix.multiplier) * (width as f64).sqrt() + signal
    };
    (0..width).map(vector).collect()
}

fn multiply(matrix: &Matrix, bias: Option<&Vec<f32>>, xs: &Row) -> Row {
    product(matrix, bias, xs, matrix.shape.0)
}

/// Rounds activations, multiplies by the weights of each column, holds the sum of two neighbours to
/// 16 bits with the activations shifted up by 127, and takes the shift back.
fn product(matrix: &Matrix, bias: Option<&Vec<f32>>, xs: &Row, inputs: usize) -> Row {
    let multiplier = f64::from(matrix.activations);
    let xs: Vec<i64> = xs
        .iter()
        .map(|x| (x * multiplier).round_ties_even().clamp(-127.0, 127.0) as i64 + 127)
        .collect();
    let column = |(column, weights): (usize, &[i8])| {
        let pairs = weights.chunks(2).zip(xs.chunks(2)).map(|(weights, xs)| {
            (i64::from(weights[0]) * xs[0] + i64::from(weights[1]) * xs[1]).clamp(-32768, 32767)
        });
        let shift: i64 = weights.iter().map(|&weight| 127 * i64::from(weight)).sum();
        let sum = pairs.sum::<i64>() - shift;
        sum as f64 / (multiplier * f64::from(matrix.multiplier))
            + bias.map_or(0.0, |bias| f64::from(bias[column]))
    };
    matrix
        .weights
        .chunks(inputs)
        .enumerate()
        .map(column)
        .collect()
}

fn attend(checkpoint: &Checkpoint, prefix: &str, x: &Row, memory: &[Row]) -> Row {
    let project = |part: char, x: &Row| {
        let bias = &checkpoint.vectors[&format!("{prefix}_b{part}")];
        multiply(
            &checkpoint.matrices[&format!("{prefix}_W{part}")],
            Some(bias),
            x,
        )
    };
    let query = project('q', x);
    let keys: Vec<Row> = memory.iter().map(|x| project('k', x)).collect();
    let values: Vec<Row> = memory.iter().map(|x| project('v', x)).collect();
    let depth = checkpoint.shape.width / checkpoint.shape.heads;
    let mut mixed = vec![0.0; checkpoint.shape.width];
    for head in 0..checkpoint.shape.heads {
        let columns = head * depth..(head + 1) * depth;
        let score = |key: &Row| {
            columns
                .clone()
                .map(|column| query[column] * key[column])
                .sum::<f64>()
        };
        let weights: Row = keys
            .iter()
            .map(|key| (score(key) / (depth as f64).sqrt()).exp())
            .collect();
        let sum: f64 = weights.iter().sum();
        for (weight, value) in weights.iter().zip(&values) {
            for column in columns.clone() {
                mixed[column] += weight / sum * value[column];
            }
        }
    }
    add_and_normalize(
        checkpoint,
        &format!("{prefix}_Wo"),
        x,
        &project('o', &mixed),
    )
}

fn feed_forward(checkpoint: &Checkpoint, prefix: &str, x: &Row) -> Row {
    let layer = |part: u8, x: &Row| {
        let bias = &checkpoint.vectors[&format!("{prefix}_b{part}")];
        multiply(
            &checkpoint.matrices[&format!("{prefix}_W{part}")],
            Some(bias),
            x,
        )
    };
    let hidden: Row = layer(1, x).into_iter().map(|x| x.max(0.0)).collect();
    add_and_normalize(checkpoint, &format!("{prefix}_ffn"), x, &layer(2, &hidden))
}

fn add_and_normalize(checkpoint: &Checkpoint, prefix: &str, x: &Row, y: &Row) -> Row {
    let sum: Row = x.iter().zip(y).map(|(x, y)| x + y).collect();
    let mean = sum.iter().sum::<f64>() / sum.len() as f64;
    let variance = sum.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / sum.len() as f64;
    let scale = &checkpoint.vectors[&format!("{prefix}_ln_scale")];
    let bias = &checkpoint.vectors[&format!("{prefix}_ln_bias")];
    let norm = |((x, scale), bias): ((&f64, &f32), &f32)| {
        (x - mean) / (variance + 1e-6).sqrt() * f64::from(*scale) + f64::from(*bias)
    };
    sum.iter().zip(scale).zip(bias).map(norm).collect()
}
