use super::super::candidates::Family;

/// Colour of the limit.
pub(super) const LIMIT: &str = "#222222";

pub(super) fn marker(family: Family, x: f64, y: f64, is_hollow: bool) -> String {
    let colour = colour(family);
    let fill = if is_hollow { "#fff" } else { colour };
    let shape = match family {
        Family::Learned => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\""),
        Family::Fixed => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\""),
        Family::TenthOfAge => square(x, y, 4.5),
        Family::Exponential => format!("<path d=\"M{:.1} {:.1}l5 9h-10z\"", x, y - 6.0),
        Family::OtherProject => format!("<path d=\"M{:.1} {y:.1}l5 -5l5 5l-5 5z\"", x - 5.0),
    };
    format!("{shape} fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n")
}

fn square(x: f64, y: f64, half: f64) -> String {
    let side = 2.0 * half;
    format!(
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{side}\" height=\"{side}\"",
        x - half,
        y - half
    )
}

pub(super) fn colour(family: Family) -> &'static str {
    match family {
        Family::Learned => "#0a7d4b",
        Family::TenthOfAge => "#d9730d",
        Family::Fixed => "#5b6b82",
        Family::Exponential => "#7c3aed",
        Family::OtherProject => "#b4233c",
    }
}
