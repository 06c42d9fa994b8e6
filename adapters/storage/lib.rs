//! Object stores: local folder and S3.
