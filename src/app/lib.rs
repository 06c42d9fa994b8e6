//! Use-cases of the control plane over the ports.
