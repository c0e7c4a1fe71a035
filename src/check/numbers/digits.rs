//! The ways to read one number in digits: as a value, a time of day, a date, a fraction, a list.
//!
//! A number that can be read in several ways has all of them, so that doubt raises no alarm.

use super::value::Value;

/// The ways to read a number in digits.
pub(super) fn readings(plain: &str) -> Vec<Vec<Value>> {
    let value = |digits: &str| digits.parse::<f64>().ok().map(Value::Plain);
    let parts: Vec<&str> = plain.split(['.', ',', ':', '/', ' ']).collect();
    let separators: Vec<char> = plain.chars().filter(|c| !c.is_ascii_digit()).collect();
    let mut readings: Vec<Vec<Value>> = Vec::new();
    let mut push = |reading: Option<Vec<Value>>| readings.extend(reading);
    let Some((&last, whole)) = parts.split_last() else {
        return readings;
    };
    if separators.is_empty() {
        push(value(plain).map(|value| vec![value]));
        return readings;
    }
    let is_clock = parts.len() >= 2
        && parts[0].len() <= 2
        && parts[1].len() == 2
        && matches!(separators[0], ':' | '.')
        && parts.len() <= 3;
    let clock = || {
        let hours: u32 = parts[0].parse().ok()?;
        let minutes: u32 = parts[1].parse().ok()?;
        (hours <= 24 && minutes < 60).then(|| Value::Clock((hours * 60 + minutes) % 720))
    };
    if !separators.contains(&':') && !separators.contains(&'/') {
        let grouped = parts[0].len() <= 3 && parts[1..].iter().all(|part| part.len() == 3);
        let same = separators.iter().all(|&c| c == separators[0]);
        if grouped && same {
            push(value(&parts.concat()).map(|value| vec![value]));
        }
        let thousands = whole.len() <= 1
            || (whole[0].len() <= 3 && whole[1..].iter().all(|part| part.len() == 3));
        let decimal = separators.last().is_some_and(|&c| c != ' ')
            && (separators.len() == 1 || !same)
            && thousands;
        if decimal {
            push(value(&format!("{}.{last}", whole.concat())).map(|value| vec![value]));
        }
    }
    if is_clock && let Some(clock) = clock() {
        push(Some(vec![clock]));
        if parts[1] == "00" && parts.len() == 2 {
            push(value(parts[0]).map(|value| vec![value]));
        }
    }
    if separators == ['/']
        && let (Ok(above), Ok(below)) = (parts[0].parse::<f64>(), last.parse::<f64>())
        && below > 0.0
    {
        push(Some(vec![Value::Plain(above / below)]));
    }
    // A list, a score, an address: each part by itself; but no decimal.
    let is_decimal = separators.len() == 1 && matches!(separators[0], '.' | ',') && last.len() != 2;
    if !is_decimal && (separators[0] != ' ' || parts.len() == 2) {
        push(parts.iter().map(|part| value(part)).collect());
    }
    // A date, day first or month first.
    let is_date =
        separators[0] == '/' || (separators[0] == '.' && (parts.len() == 3 || last.len() == 2));
    if parts.len() <= 3 && is_date {
        for (day, month) in [(0, 1), (1, 0)] {
            if let Ok(month @ 1..=12) = parts[month].parse::<u8>() {
                let rest = parts
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| *at == day || *at == 2);
                let rest: Option<Vec<Value>> = rest.map(|(_, part)| value(part)).collect();
                push(rest.map(|mut rest| {
                    rest.push(Value::Month(month));
                    rest
                }));
            }
        }
    }
    readings
}

/// Multiplies the readings that are one plain value.
pub(super) fn scaled(readings: &[Vec<Value>], factor: f64) -> Vec<Vec<Value>> {
    readings
        .iter()
        .filter_map(|reading| match reading.as_slice() {
            [Value::Plain(value)] => Some(vec![Value::Plain(value * factor)]),
            _ => None,
        })
        .collect()
}
