//! The reference page of providers, made from the rows.

use std::fmt::Write as _;

use crate::catalog::Catalog;
use crate::provider::Provider;

/// The page in Markdown: one table row per provider.
pub fn providers_page(catalog: &Catalog) -> String {
    let mut page = String::from(
        "# Providers\n\nMade from the rows in `crates/core/catalog/providers/`; change a row, not this page.\n\n\
         | provider | id | prefixes | tier | state | login | format | models | checked | can be used |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for provider in catalog.providers() {
        // Writing to a String can't fail.
        let _ = writeln!(page, "{}", line(provider));
    }
    page
}

fn line(provider: &Provider) -> String {
    let prefixes: Vec<String> = provider.all_prefixes().map(|prefix| format!("`{prefix}/`")).collect();
    let login: Vec<&str> = provider.auth.iter().map(|kind| kind.as_str()).collect();
    let format = provider.chat.as_ref().and_then(|chat| chat.wire.as_ref()).map_or("–", |wire| wire.as_str());
    format!(
        "| {} | `{}` | {} | {} | {} | {} | {} | {} | {} | {} |",
        provider.name,
        provider.id,
        prefixes.join(" "),
        provider.tier,
        provider.status.state.as_str(),
        login.join(", "),
        format,
        provider.models.len(),
        provider.checked,
        provider.readiness(),
    )
}
