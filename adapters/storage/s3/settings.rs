//! The settings of an S3 target, checked before anything is called.

use crate::required;
use backupx_core::domain::access::TargetAccess;
use backupx_core::{Error, Result};
use opendal::services::S3Config;
use reqwest::Url;
use std::net::IpAddr;

/// Checked settings.
pub(super) struct Settings<'a> {
    access: &'a TargetAccess,
    pub(super) bucket: String,
    endpoint: Option<Url>,
    virtual_host: bool,
}

impl<'a> Settings<'a> {
    pub(super) fn read(access: &'a TargetAccess) -> Result<Self> {
        let endpoint = access
            .config
            .get("endpoint")
            .filter(|text| !text.is_empty());
        let settings = Self {
            access,
            bucket: required(access, "bucket")?.to_owned(),
            endpoint: endpoint.map(|text| parse_endpoint(text)).transpose()?,
            virtual_host: match access.config.get("virtualHost").map(String::as_str) {
                None | Some("" | "false") => false,
                Some("true") => true,
                Some(other) => {
                    return Err(Error::field(
                        "config.virtualHost",
                        format!("{other:?} is not one of true, false"),
                    ));
                }
            },
        };
        let has_id = settings.get("accessKeyId").is_some();
        if has_id != access.secrets.contains_key("secretAccessKey") {
            return Err(Error::field(
                "config.accessKeyId",
                "accessKeyId and secretAccessKey belong together: give both or neither",
            ));
        }
        Ok(settings)
    }

    /// What people call the service.
    pub(super) fn endpoint_name(&self) -> String {
        match &self.endpoint {
            Some(endpoint) => endpoint.as_str().trim_end_matches('/').to_owned(),
            None => "Amazon S3".to_owned(),
        }
    }

    /// The settings as OpenDAL wants them. With keys given, nothing is taken from the environment or from the cloud's metadata address.
    pub(super) fn config(&self) -> S3Config {
        let mut config = S3Config::default();
        config.bucket.clone_from(&self.bucket);
        config.root = self
            .get("prefix")
            .map(|prefix| format!("/{}", prefix.trim_matches('/')));
        config.region = Some(self.get("region").unwrap_or("us-east-1").to_owned());
        config.endpoint = self.endpoint.as_ref().map(|_| self.endpoint_name());
        config.enable_virtual_host_style = self.virtual_host;
        // The service compares it with what arrived and refuses bytes that changed on the way. Cheap beside everything else.
        config.checksum_algorithm = Some("crc32c".to_owned());
        if let (Some(id), Some(secret)) = (
            self.get("accessKeyId"),
            self.access.secrets.get("secretAccessKey"),
        ) {
            config.access_key_id = Some(id.to_owned());
            config.secret_access_key = Some(secret.expose().to_owned());
            config.disable_config_load = true;
            config.disable_ec2_metadata = true;
        }
        config
    }

    fn get(&self, field: &str) -> Option<&str> {
        let value = self.access.config.get(field)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

fn parse_endpoint(text: &str) -> Result<Url> {
    let wrong = |why: &str| {
        Err(Error::field(
            "config.endpoint",
            format!(
                "{text:?} {why}; one looks like https://s3.example.com or http://minio.example:9000"
            ),
        ))
    };
    let Ok(url) = Url::parse(text) else {
        return wrong("is not a URL");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return wrong("does not begin with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return wrong("must not hold credentials or a query");
    }
    let address: Option<IpAddr> = url
        .host_str()
        .and_then(|host| host.trim_matches(['[', ']']).parse().ok());
    if address.is_some_and(is_link_local) {
        return wrong("is a link-local address, where clouds answer with their metadata");
    }
    Ok(url)
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_unicast_link_local()
                || address
                    .to_ipv4_mapped()
                    .is_some_and(|v4| v4.is_link_local())
        }
    }
}
