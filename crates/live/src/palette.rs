//! The colours of people: readable under a white label, on light and on dark.

use parlor_core::{Error, ErrorCode};

/// The colours that a person may have. On each, white text has a contrast of at least 4.6:1.
pub const PALETTE: [&str; 12] = [
    "#286fe3", "#bc5806", "#ab4cc0", "#0d8367", "#d53b4a", "#118186", "#996d07", "#7d5ee0", "#278701", "#c83d8b",
    "#037ea7", "#787804",
];

/// The colour of the palette for a random number.
pub(crate) fn colour_for(random: u64) -> &'static str {
    let index = usize::try_from(random % PALETTE.len() as u64).unwrap_or(0);
    PALETTE.get(index).copied().unwrap_or("#286fe3")
}

/// The same colour as the palette writes it.
pub(crate) fn checked(colour: &str) -> Result<String, Error> {
    let wanted = colour.to_ascii_lowercase();
    if PALETTE.contains(&wanted.as_str()) {
        return Ok(wanted);
    }
    Err(Error::new(
        ErrorCode::InvalidPresence,
        format!("{colour:?} is not a colour of the palette; use one of {}", PALETTE.join(" ")),
    )
    .at("color"))
}

/// What callers may give.
#[cfg(feature = "openapi")]
pub(crate) fn schema() -> utoipa::openapi::Object {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .enum_values(Some(PALETTE))
        .description(Some("Their colour, one of the palette."))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast of white text on a colour, by WCAG 2.
    fn contrast_with_white(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        1.05 / (0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5) + 0.05)
    }

    #[test]
    fn a_white_label_is_readable_on_every_colour() {
        for colour in PALETTE {
            assert!(contrast_with_white(colour) >= 4.6, "{colour}: {}", contrast_with_white(colour));
        }
    }

    #[test]
    fn only_the_palette_is_taken() {
        assert_eq!(checked("#286FE3").unwrap(), "#286fe3");
        assert_eq!(checked("#ffffff").unwrap_err().code, ErrorCode::InvalidPresence);
        assert_eq!(colour_for(12), PALETTE[0]);
    }
}
