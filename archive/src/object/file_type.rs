//! The file types that are recognized.

/// What a file type stores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Class {
    Video,
    Image,
    Model,
    Other,
}

/// A type of file, with its name for each kind of object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FileType {
    pub(super) class: Class,
    pub(super) video: &'static str,
    pub(super) last_frame: &'static str,
    pub(super) file: &'static str,
    pub(super) content_type: &'static str,
}

macro_rules! file_types {
    ($($name:ident = $class:ident, $extension:literal, $content_type:literal;)*) => {
        impl FileType {
            $(pub(crate) const $name: Self = Self {
                class: Class::$class,
                video: concat!("video.", $extension),
                last_frame: concat!("last_frame.", $extension),
                file: concat!("file.", $extension),
                content_type: $content_type,
            };)*
        }
    };
}

file_types! {
    MP4 = Video, "mp4", "video/mp4";
    MOV = Video, "mov", "video/quicktime";
    M4V = Video, "m4v", "video/x-m4v";
    THREE_GP = Video, "3gp", "video/3gpp";
    THREE_G2 = Video, "3g2", "video/3gpp2";
    WEBM = Video, "webm", "video/webm";
    MKV = Video, "mkv", "video/matroska";
    AVI = Video, "avi", "video/vnd.avi";
    TS = Video, "ts", "video/mp2t";
    MPEG = Video, "mpg", "video/mpeg";
    FLV = Video, "flv", "video/x-flv";
    OGV = Video, "ogv", "video/ogg";
    ASF = Video, "wmv", "video/x-ms-asf";
    PNG = Image, "png", "image/png";
    JPEG = Image, "jpg", "image/jpeg";
    WEBP = Image, "webp", "image/webp";
    GIF = Image, "gif", "image/gif";
    AVIF = Image, "avif", "image/avif";
    HEIC = Image, "heic", "image/heic";
    BMP = Image, "bmp", "image/bmp";
    TIFF = Image, "tiff", "image/tiff";
    GLB = Model, "glb", "model/gltf-binary";
    GLTF = Model, "gltf", "model/gltf+json";
    USDZ = Model, "usdz", "model/vnd.usdz+zip";
    THREE_MF = Model, "3mf", "model/3mf";
    FBX = Model, "fbx", "application/octet-stream";
    USDC = Model, "usdc", "model/vnd.usd";
    USDA = Model, "usda", "model/vnd.usda";
    OBJ = Model, "obj", "model/obj";
    STL = Model, "stl", "model/stl";
    PLY = Model, "ply", "application/octet-stream";
    DAE = Model, "dae", "model/vnd.collada+xml";
    ZIP = Other, "zip", "application/zip";
    UNKNOWN = Other, "bin", "application/octet-stream";
}

impl FileType {
    /// Returns whether the file consists of boxes, as MP4 does.
    pub(crate) fn is_movie(self) -> bool {
        [
            Self::MP4,
            Self::MOV,
            Self::M4V,
            Self::THREE_GP,
            Self::THREE_G2,
        ]
        .contains(&self)
    }
}
