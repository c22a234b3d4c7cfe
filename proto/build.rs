//! Compiles the `.proto` files without `protoc`, and derives the JSON of the messages.

use prost::Message;
use prost_types::{
    DescriptorProto, FieldDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

const PACKAGE: &str = "seedance.archiver.v1";
const FILES: &[&str] = &[
    "seedance/archiver/v1/task.proto",
    "seedance/archiver/v1/archive.proto",
    "seedance/archiver/v1/event.proto",
    "seedance/archiver/v1/lifecycle.proto",
    "seedance/archiver/v1/nexus.proto",
    "seedance/archiver/v1/submission.proto",
    "seedance/archiver/v1/sweep.proto",
    "seedance/archiver/v1/watch.proto",
    "seedance/archiver/v1/audit.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=seedance");
    let descriptors = protox::compile(FILES, ["."])?;

    let mut config = prost_build::Config::new();
    config.btree_map(["."]);
    config.enable_type_names();
    config.message_attribute(".", "#[derive(serde::Serialize, serde::Deserialize)]");
    config.message_attribute(".", "#[serde(default)]");
    for message in descriptors.file.iter().flat_map(|file| &file.message_type) {
        for field in &message.field {
            config.field_attribute(
                format!(".{PACKAGE}.{}.{}", message.name(), field.name()),
                json_attribute(message, field),
            );
        }
    }
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    config.compile_fds(descriptors)?;
    Ok(())
}

/// Returns the serde attribute of a field, which follows protobuf's JSON mapping for parsers. Two choices of the
/// serializer differ from the default, and every protobuf JSON parser accepts both: the field names of the
/// `.proto` file, and 64-bit integers as numbers.
fn json_attribute(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let mut rules = vec![format!(
        "skip_serializing_if = \"{}\"",
        if is_presence_tracked(field) {
            "Option::is_none"
        } else {
            "crate::json::is_default"
        }
    )];
    if field.json_name() != field.name() {
        rules.push(format!("alias = \"{}\"", field.json_name()));
    }
    match field.r#type() {
        _ if is_json(message, field) => {
            rules.push("deserialize_with = \"crate::json::text_of_json\"".into());
        }
        Type::Int64 if field.proto3_optional() => {
            rules.push("deserialize_with = \"crate::json::optional_int64\"".into());
        }
        Type::Int64 => rules.push("deserialize_with = \"crate::json::int64\"".into()),
        Type::Message if is_map(message, field) => {
            rules.push("deserialize_with = \"crate::json::int64_map\"".into());
        }
        _ if !is_presence_tracked(field) => {
            rules.push("deserialize_with = \"crate::json::null_as_default\"".into());
        }
        _ => {}
    }
    format!("#[serde({})]", rules.join(", "))
}

/// Returns whether a field is the text of a JSON object, which JSON callers may write as an object.
fn is_json(message: &DescriptorProto, field: &FieldDescriptorProto) -> bool {
    let messages = ["CreateVideoTaskRequest", "GenerateVideoRequest"];
    messages.contains(&message.name()) && field.name() == "request"
}

fn is_presence_tracked(field: &FieldDescriptorProto) -> bool {
    let single_message = field.r#type() == Type::Message && field.label() != Label::Repeated;
    single_message || field.proto3_optional()
}

fn is_map(message: &DescriptorProto, field: &FieldDescriptorProto) -> bool {
    message.nested_type.iter().any(|nested| {
        nested
            .options
            .as_ref()
            .is_some_and(|options| options.map_entry())
            && field
                .type_name()
                .ends_with(&format!(".{}.{}", message.name(), nested.name()))
    })
}
