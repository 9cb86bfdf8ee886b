//! What the OpenAPI document says of types that serde writes in a way of their own, and of JSON that callers make up. The
//! rules are those of `ids` and `check`; here they stand as a schema can say them. A schema counts characters where a
//! limit counts bytes: what it refuses is refused, and a text of long characters may be refused beyond it.

use std::borrow::Cow;

use utoipa::openapi::schema::{AdditionalProperties, KnownFormat, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Array, Object, ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::ids::{MemberId, RoomId, UserId};
use crate::limits::{EXPIRE_MS, ID_MAX_CHARS, KEY_MAX, STRING_MAX, TEXT_MAX, TOP_KEYS};
use crate::view::Timestamp;

// The types below that have no values stand for a schema where a field's own type has none.

/// No control characters, not space alone, and not a step in an address.
const ROOM_PATTERN: &str = r"^(?!\.{1,2}$)(?!\s+$)[^\u0000-\u001F\u007F-\u009F]+$";
/// No control characters, and not space alone.
const MEMBER_PATTERN: &str = r"^(?!\s+$)[^\u0000-\u001F\u007F-\u009F]+$";
/// What a key may not be.
const KEY_PATTERN: &str = r"^(?!__proto__$)";

fn text(pattern: &str, description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).description(Some(description))
}

fn id(pattern: &str, description: &str) -> RefOr<Schema> {
    text(pattern, description).min_length(Some(1)).max_length(Some(ID_MAX_CHARS)).into()
}

/// The schema of a type of this crate by its name.
macro_rules! schema {
    ($type:ident, $name:literal, $schema:expr $(, needs $needed:ty)?) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }

            $(fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                schemas.push((<$needed>::name().into_owned(), <$needed>::schema()));
                <$needed>::schemas(schemas);
            })?
        }
    };
}

schema!(
    RoomId,
    "RoomId",
    id(
        ROOM_PATTERN,
        "The name of a room: 1 to 128 characters without control characters, and neither `.` nor `..`, which mean \
         another place in an address."
    )
);
schema!(
    MemberId,
    "MemberId",
    id(
        MEMBER_PATTERN,
        "The name of a member in a room: 1 to 128 characters without control characters. One that begins with `u_` is \
         refused unless it is the user id of who asks."
    )
);
schema!(
    UserId,
    "UserId",
    text(r"^u_[a-z2-7]{16}$", "Who somebody is: `u_` and base32 of the first ten bytes of BLAKE3 of their public key.")
        .into()
);
schema!(
    Timestamp,
    "Timestamp",
    text(
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        "A moment by a wall clock: RFC 3339 in UTC with milliseconds."
    )
    .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
    .into()
);

/// The key of a field that a caller makes up.
pub enum Key {}

fn key() -> Object {
    text(KEY_PATTERN, "The name of a field: 1 to 64 bytes of UTF-8, and not `__proto__`.")
        .min_length(Some(1))
        .max_length(Some(KEY_MAX))
        .build()
}

schema!(Key, "Key", key().into());

/// Any JSON that callers make up, as presence or metadata.
pub enum Json {}

/// The same in what is said, whose strings may be longer.
pub enum SaidJson {}

/// What is said: as [`SaidJson`], and not `null`.
pub enum Said {}

const SCALARS: [Type; 3] = [Type::Null, Type::Boolean, Type::Number];

/// JSON that holds more of itself, under this name.
fn json(name: &str, scalars: &[Type], string_max: usize, description: &str) -> RefOr<Schema> {
    let nested = || RefOr::Ref(Ref::from_schema_name(name));
    OneOfBuilder::new()
        .description(Some(description))
        .item(ObjectBuilder::new().schema_type(SchemaType::Array(scalars.to_vec())))
        .item(ObjectBuilder::new().schema_type(Type::String).max_length(Some(string_max)))
        .item(Array::new(nested()))
        .item(
            ObjectBuilder::new()
                .schema_type(Type::Object)
                .property_names(Some(Schema::Object(key())))
                .additional_properties(Some(AdditionalProperties::RefOr(nested()))),
        )
        .into()
}

schema!(
    Json,
    "Json",
    json(
        "Json",
        &SCALARS,
        STRING_MAX,
        "JSON of any kind: strings up to 2 KiB; at most 8 levels deep, the field of the body counted as the first; at most \
         256 objects in a field of the body."
    )
);
schema!(
    SaidJson,
    "SaidJson",
    json("SaidJson", &SCALARS, TEXT_MAX, "JSON of any kind inside of what is said: strings up to 4 KiB.")
);
schema!(
    Said,
    "Said",
    json(
        "SaidJson",
        &SCALARS[1..],
        TEXT_MAX,
        "JSON of any kind but `null`: strings up to 4 KiB, 8 KiB in all, at most 6 levels deep and 256 objects."
    ),
    needs SaidJson
);

/// What callers give as presence or metadata.
pub enum GivenBag {}

schema!(
    GivenBag,
    "GivenBag",
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(
            "An object of JSON that the caller makes up: at most 64 keys. How many bytes it may have as JSON stands where it \
             is used."
        ))
        .max_properties(Some(TOP_KEYS))
        .property_names(Some(Schema::Object(key())))
        .additional_properties(Some(AdditionalProperties::RefOr(RefOr::Ref(Ref::from_schema_name("Json")))))
        .into(),
    needs Json
);

/// What callers give as a room's metadata.
pub enum GivenMetadata {}

schema!(
    GivenMetadata,
    "GivenMetadata",
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(
            "Shared settings to write: at most 64 keys in a call, 8 KiB of JSON a value, 32 KiB and 128 keys in a room. \
             `title`, `mode` and `locked` are known to every client."
        ))
        .max_properties(Some(TOP_KEYS))
        .property_names(Some(Schema::Object(key())))
        .property("locked", ObjectBuilder::new().schema_type(Type::Boolean))
        .additional_properties(Some(AdditionalProperties::RefOr(RefOr::Ref(Ref::from_schema_name("Json")))))
        .into(),
    needs Json
);

/// The lives of fields.
pub(crate) fn lives() -> Object {
    let life = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(*EXPIRE_MS.start() as f64))
        .maximum(Some(*EXPIRE_MS.end() as f64));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(
            "Milliseconds after which a key of this call vanishes at every observer. Each names a key of `presence`.",
        ))
        .additional_properties(Some(AdditionalProperties::RefOr(life.into())))
        .build()
}
