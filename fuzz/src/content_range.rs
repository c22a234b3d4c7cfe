//! A download from a host that answers range requests in any honest way.

use std::sync::{Arc, Mutex};

use seedance_archiver_archive::ObjectKind;

use crate::{
    host::Archival,
    input::Input,
    loopback::{Reply, Request},
    streams::MAX_PARTS,
};

/// Number of attempts in which an honest host must be enough.
const HONEST_ATTEMPTS: u32 = 4;
/// Maximum number of odd responses.
const MAX_STEPS: usize = 12;

/// Whatever statuses, ranges, lengths and interruptions precede it: the archived bytes are exactly those of one object that
/// the host served, never a mixture of two, and never a part. As soon as the host answers like others, the object is
/// archived.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let host = Arc::new(Mutex::new(Host::read(&mut input)));
    let part_size = (8 + usize::from(input.byte())).max(host.lock().unwrap().size() / MAX_PARTS);
    host.lock().unwrap().read_steps(input);
    let objects = host.lock().unwrap().objects.clone();
    let mut archival = Archival::new(ObjectKind::File, part_size);
    let mut errors = Vec::new();
    let mut honest_attempts = 0;
    loop {
        honest_attempts += u32::from(host.lock().unwrap().steps.is_empty());
        let respond = {
            let host = host.clone();
            move |request: &Request| host.lock().unwrap().respond(request)
        };
        match archival.attempt(respond) {
            Ok(archived) => {
                let is_object = objects.contains(&archived.bytes);
                assert!(is_object, "{:?} is none of {objects:?}", archived.bytes);
                return;
            }
            Err(error) => errors.push(error),
        }
        assert!(honest_attempts < HONEST_ATTEMPTS, "{errors:#?}");
    }
}

/// How a host says which object a response is of.
#[derive(Clone, Copy, Debug)]
enum Validators {
    None,
    Weak,
    Etag,
    LastModified,
}

struct Host {
    /// Objects of the same size that differ in every byte.
    objects: [Vec<u8>; 2],
    /// The object that is served.
    current: usize,
    validators: Validators,
    /// The responses before the host answers like others, in reverse order.
    steps: Vec<Step>,
}

/// A response.
#[derive(Clone, Copy, Debug)]
struct Step {
    form: u8,
    /// Whether the other object is served from here on.
    switches: bool,
    /// The first and the last byte of a range, as fractions of the size.
    range: [u8; 2],
    /// How much of the body arrives. 0: all of it.
    cut: u8,
}

impl Host {
    fn read(input: &mut Input) -> Self {
        let size = 1 + 3 * usize::from(input.byte());
        let validators = [
            Validators::None,
            Validators::Weak,
            Validators::Etag,
            Validators::LastModified,
        ];
        // No byte is that of a text or of a known format.
        let object = |bit: u8| {
            (0..size)
                .map(|index| 0x80 | ((index % 53) as u8 * 2) | bit)
                .collect()
        };
        Self {
            objects: [object(0), object(1)],
            current: 0,
            validators: *input.pick(&validators),
            steps: Vec::new(),
        }
    }

    fn read_steps(&mut self, mut input: Input) {
        while !input.is_empty() && self.steps.len() < MAX_STEPS {
            let form = input.byte();
            self.steps.push(Step {
                form: form & 0xf,
                switches: form & 0x80 != 0,
                range: [input.byte(), input.byte()],
                cut: input.byte(),
            });
        }
        self.steps.reverse();
    }

    fn respond(&mut self, request: &Request) -> Reply {
        let Some(step) = self.steps.pop() else {
            return self.usual(request);
        };
        if step.switches {
            self.current = 1 - self.current;
        }
        let reply = self.odd(step, request);
        let length: usize = reply.body.iter().map(Vec::len).sum();
        Reply {
            cut: (step.cut > 0).then(|| usize::from(step.cut) * length / 256),
            ..reply
        }
    }

    /// Answers as most hosts do.
    fn usual(&self, request: &Request) -> Reply {
        let size = self.size();
        match request.offset.map(|offset| offset as usize) {
            None => self.whole(200),
            Some(offset) if offset < size => self.part(offset, size - 1, Some(size)),
            Some(_) => self.unsatisfiable(),
        }
    }

    fn odd(&self, step: Step, request: &Request) -> Reply {
        let size = self.size();
        let [first, last] = step.range.map(|at| usize::from(at) * size / 256);
        let is_past_end = request.offset.is_some_and(|offset| offset as usize >= size);
        match step.form {
            0 => self.whole(200),
            1 => self.part(first, last.max(first), Some(size)),
            2 => self.part(first, last.max(first), None),
            // From the requested byte on, but not to the end.
            3 | 4 => {
                let start = request
                    .offset
                    .map_or(0, |offset| offset as usize)
                    .min(size - 1);
                let end = last.max(start);
                self.part(start, end, (step.form == 3).then_some(size))
            }
            5 => self.whole(206),
            6 => Reply {
                has_length: false,
                ..self.whole(200)
            },
            7 if is_past_end => self.unsatisfiable(),
            8 if is_past_end => Reply::new(416, Vec::new()),
            9 if is_past_end => Reply::new(204, Vec::new()),
            10 => Reply::new(206, b"--a\r\n".to_vec())
                .with_header("content-type", "multipart/byteranges; boundary=a"),
            11 => Reply::new(403, b"<Error><Code>AccessDenied</Code></Error>".to_vec()),
            12 => Reply::new(404, b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
            13 => Reply::new(200, b"<html>error</html>".to_vec()),
            14 => {
                Reply::new(503, Vec::new()).with_header("retry-after", [b'0' + step.range[0] % 10])
            }
            _ => Reply::new(500, b"{\"error\": \"internal\"}".to_vec()),
        }
    }

    fn size(&self) -> usize {
        self.objects[self.current].len()
    }

    fn whole(&self, status: u16) -> Reply {
        self.of_object(Reply::new(status, self.objects[self.current].clone()))
    }

    /// Returns the bytes from `first` to `last`.
    fn part(&self, first: usize, last: usize, total: Option<usize>) -> Reply {
        let body = self.objects[self.current][first..=last].to_vec();
        let total = total.map_or("*".to_owned(), |total| total.to_string());
        let range = format!("bytes {first}-{last}/{total}");
        self.of_object(Reply::new(206, body).with_header("content-range", range))
    }

    fn unsatisfiable(&self) -> Reply {
        Reply::new(416, Vec::new()).with_header("content-range", format!("bytes */{}", self.size()))
    }

    /// Adds the validator of the object.
    fn of_object(&self, reply: Reply) -> Reply {
        let current = self.current;
        match self.validators {
            Validators::None => reply,
            Validators::Weak => reply.with_header("etag", format!("W/\"{current}\"")),
            Validators::Etag => reply.with_header("etag", format!("\"{current}\"")),
            Validators::LastModified => reply.with_header(
                "last-modified",
                format!("Sun, 06 Nov 1994 08:49:3{current} GMT"),
            ),
        }
    }
}

/// Returns sequences of responses as hosts are known to send them.
pub fn seeds() -> Vec<Vec<u8>> {
    let sequences: [(u8, &[[u8; 4]]); 7] = [
        // Interrupted.
        (2, &[[0, 0, 0, 100], [1, 80, 255, 200]]),
        // No range requests.
        (0, &[[0, 0, 0, 100], [0, 0, 0, 200], [6, 0, 0, 50]]),
        // Parts of a size that the host chooses.
        (
            0,
            &[[4, 0, 60, 0], [4, 0, 130, 0], [4, 0, 255, 0], [8, 0, 0, 0]],
        ),
        (
            1,
            &[[2, 0, 60, 0], [2, 30, 130, 0], [2, 0, 255, 0], [9, 0, 0, 0]],
        ),
        // Another object.
        (0, &[[0, 0, 0, 100], [0x83, 0, 255, 0], [0x83, 0, 255, 90]]),
        (3, &[[3, 0, 100, 0], [0x83, 0, 255, 0], [0x80, 0, 0, 9]]),
        // Not ready, expired, unavailable.
        (
            2,
            &[
                [12, 0, 0, 0],
                [11, 0, 0, 0],
                [14, 3, 0, 0],
                [13, 0, 0, 0],
                [10, 0, 0, 0],
                [5, 0, 0, 9],
            ],
        ),
    ];
    let seeds = sequences
        .iter()
        .map(|(validators, steps)| [&[90, *validators, 24], steps.concat().as_slice()].concat());
    seeds.collect()
}
