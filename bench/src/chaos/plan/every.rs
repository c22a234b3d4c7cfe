//! Lists in which nothing is forgotten that the simulator can do.

/// Returns values of every variant of an enum. A variant that is missing does not compile.
macro_rules! every_variant {
    ($type:ident {
        $($variant:ident $(($($value:expr),+))? $({ $($field:ident: $of_field:expr),+ })?),+ $(,)?
    }) => {{
        #[allow(
            unreachable_patterns,
            clippy::unneeded_struct_pattern,
            reason = "a variant may have several values, or none"
        )]
        const _: fn(&$type) = |value| match value {
            $($type::$variant { .. } => (),)+
        };
        [$($type::$variant $(($($value),+))? $({ $($field: $of_field),+ })?),+]
    }};
}

/// Returns a value of a struct for each field, in which the field is not as in the default. Behind a comma are others without
/// which it has no effect. A field that is missing does not compile.
macro_rules! every_field {
    ($type:ident { $($field:ident: $value:expr $(, $other:ident: $needed:expr)*);+ $(;)? }) => {{
        const _: fn(&$type) = |$type { $($field: _),+ }| ();
        [$($type { $field: $value, $($other: $needed,)* ..$type::default() }),+]
    }};
}

/// Returns the name of each field of two values of a struct, and whether they differ in it. A field that is missing does not
/// compile.
#[cfg(test)]
macro_rules! compare_fields {
    ($type:ident { $($field:ident),+ $(,)? }, $value:expr, $other:expr) => {{
        const _: fn(&$type) = |$type { $($field: _),+ }| ();
        [$((stringify!($field), $value.$field != $other.$field)),+]
    }};
}

#[cfg(test)]
pub(super) use compare_fields;
pub(super) use every_field;
pub(super) use every_variant;
