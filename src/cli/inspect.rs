//! `newsml inspect`: what is read from a file, before any model sees it.

use newsml::{Document, Error, Failure, Result};
use serde_json::{Map, Value};

use super::args::Inspect;
use super::console::Console;
use super::documents;
use super::file::Form;
use super::outcome::Outcome;
use super::status::Status;

pub(crate) fn run(arguments: &Inspect, form: Form, console: &Console) -> Result<Status> {
    documents::run(&arguments.documents, form, console, None, |items| {
        Ok(Box::new(items.map(move |item| {
            let document = item?;
            show(&document, form).map_err(|error| {
                Box::new(Failure {
                    name: document.name().to_owned(),
                    fields: document.fields().clone(),
                    error,
                })
            })
        })))
    })
}

fn show(document: &Document, form: Form) -> Result<Outcome> {
    let json = match form {
        Form::Text | Form::Own => Map::new(),
        Form::Json => match serde_json::to_value(document.inspect(None)) {
            Ok(Value::Object(object)) => object,
            Ok(_) => Map::new(),
            Err(error) => {
                return Err(Error::Usage {
                    message: error.to_string(),
                    hint: None,
                });
            }
        },
    };
    Ok(Outcome {
        text: document.text().to_owned(),
        file: None,
        json,
        warnings: Vec::new(),
        counts: super::counts::Counts::default(),
    })
}
