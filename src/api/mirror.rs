//! The mirror: enums and structs of the domain as they stand on the wire, with their names and both conversions.

/// Makes a wire enum with the same variants as a domain enum.
macro_rules! mirrored {
    ($(#[$meta:meta])* $name:ident = $domain:ty { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        $(#[$meta])*
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name as it stands in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl From<$domain> for $name {
            fn from(value: $domain) -> Self {
                match value { $(<$domain>::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for $domain {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => <$domain>::$variant),+ }
            }
        }
    };
}

/// A struct of the wire with the fields of one of the domain, and both conversions.
macro_rules! alike {
    ($wire:ident, $domain:ty, $($field:ident),+) => {
        impl From<$domain> for $wire {
            fn from(value: $domain) -> Self {
                Self { $($field: value.$field.into()),+ }
            }
        }

        impl From<$wire> for $domain {
            fn from(value: $wire) -> Self {
                Self { $($field: value.$field.into()),+ }
            }
        }
    };
}

pub(crate) use alike;
pub(crate) use mirrored;

#[cfg(test)]
mod tests {
    /// The name in JSON is the one that `as_str` says, for every variant.
    macro_rules! names_agree {
        ($($name:ty),+ $(,)?) => {
            $(for value in <$name>::ALL {
                let json = serde_json::to_value(value).expect("enums serialize");
                assert_eq!(json, value.as_str(), "{}", stringify!($name));
            })+
        };
    }

    #[test]
    fn names_in_json_and_in_text_agree() {
        names_agree!(
            crate::logs::Level,
            crate::nodes::NodeStatus,
            crate::operations::OperationKind,
            crate::operations::OperationStatus,
            crate::operations::Overwrite,
            crate::operations::VerifyMode,
            crate::records::CopyStatus,
            crate::records::Phase,
            crate::records::RecordStatus,
            crate::records::Trigger,
            crate::reports::EntryKind,
            crate::saphana::SaphanaLevel,
            crate::saphana::SaphanaVia,
            crate::targets::Reach,
            crate::tasks::AfterWhen,
            crate::schedules::CatchUp,
            crate::tasks::Compression,
            crate::schedules::Weekday,
            crate::users::Role,
        );
    }
}
