//! The demo's project folder, as it is committed beside the fixtures and carried in the binary.
//! Never written by a program: a person edits the fixture.

/// Path below the project folder, and text.
pub const FILES: [(&str, &str); 8] = [
    ("project.toml", include_str!("../../fixtures/projects/loan-default/project.toml")),
    ("contract.toml", include_str!("../../fixtures/projects/loan-default/contract.toml")),
    ("expectations.toml", include_str!("../../fixtures/projects/loan-default/expectations.toml")),
    ("recipe.toml", include_str!("../../fixtures/projects/loan-default/recipe.toml")),
    ("train.toml", include_str!("../../fixtures/projects/loan-default/train.toml")),
    ("gates.toml", include_str!("../../fixtures/projects/loan-default/gates.toml")),
    ("policy.toml", include_str!("../../fixtures/projects/loan-default/policy.toml")),
    ("text/en.toml", include_str!("../../fixtures/projects/loan-default/text/en.toml")),
];
