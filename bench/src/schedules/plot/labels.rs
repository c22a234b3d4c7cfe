/// Height of a label, and the width of a character.
const HEIGHT: f64 = 11.0;
const CHARACTER: f64 = 6.3;
/// Half of the width of a marker.
const MARKER: f64 = 5.5;

/// Places labels next to points, where they cover neither points nor other labels.
pub(super) struct Labels {
    taken: Vec<Area>,
    left: f64,
    right: f64,
}

#[derive(Clone, Copy)]
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Labels {
    /// Takes the points, and where the panel begins and ends.
    pub(super) fn new(points: impl Iterator<Item = (f64, f64)>, left: f64, right: f64) -> Self {
        let area = |(x, y)| Area {
            left: x - MARKER,
            top: y - MARKER,
            right: x + MARKER,
            bottom: y + MARKER,
        };
        Self {
            taken: points.map(area).collect(),
            left,
            right,
        }
    }

    /// Returns where the text begins, and its baseline.
    pub(super) fn place(&mut self, (x, y): (f64, f64), text: &str) -> (f64, f64) {
        let width = CHARACTER * text.len() as f64;
        let (left, right) = (x - MARKER - 2.0 - width, x + MARKER + 2.0);
        let (above, level, below) = (y - MARKER, y + 4.0, y + MARKER + 9.0);
        let places = [
            (right, above),
            (left, level),
            (right, level),
            (left, below),
            (right, below),
            (left, above),
            (x - width / 2.0, below + 4.0),
            (x - width / 2.0, above - 4.0),
        ];
        let area = |(x, baseline): (f64, f64)| Area {
            left: x,
            top: baseline - HEIGHT,
            right: x + width,
            bottom: baseline,
        };
        let is_free = |place: &&(f64, f64)| {
            let area = area(**place);
            let is_inside = self.left < area.left && area.right < self.right;
            is_inside && !self.taken.iter().any(|taken| taken.overlaps(area))
        };
        let place = *places.iter().find(is_free).unwrap_or(&places[0]);
        self.taken.push(area(place));
        place
    }
}

impl Area {
    fn overlaps(self, other: Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}
