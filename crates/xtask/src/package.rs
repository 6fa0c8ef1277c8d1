//! The packages of a tree, read from their manifests.

use toml::Table;

use crate::tree::{SourceFile, Tree};

/// How a manifest asks for a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Production,
    Development,
}

/// One dependency of one package.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The table it stands with, or just a version.
    pub(crate) value: toml::Value,
}

/// One package of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// The name without `omniroute-`.
    pub(crate) name: String,
    /// Path of its manifest.
    pub(crate) manifest: String,
    /// Where its sources stand, without a slash at the end.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) table: Table,
}

impl Package {
    /// Whether a file belongs to this package.
    pub(crate) fn owns(&self, file: &SourceFile) -> bool {
        file.path.strip_prefix(&self.folder).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Every package of the workspace; the desktop package, whose manifest is the root's, owns `src-tauri`.
/// A manifest below the root that opens a workspace of its own (fuzz targets, which need another
/// compiler) is none of them.
pub(crate) fn packages(tree: &Tree) -> Vec<Package> {
    tree.files.iter().filter(|file| file.name() == "Cargo.toml").filter_map(read).filter(is_member).collect()
}

fn is_member(package: &Package) -> bool {
    package.folder == "src-tauri" || !package.table.contains_key("workspace")
}

fn read(file: &SourceFile) -> Option<Package> {
    let table: Table = file.text.parse().ok()?;
    let name = table.get("package")?.get("name")?.as_str()?;
    let folder = match file.path.strip_suffix("/Cargo.toml") {
        Some(folder) => folder.to_owned(),
        None => "src-tauri".to_owned(),
    };
    let mut dependencies = dependencies(&table);
    for platform in table.get("target").and_then(toml::Value::as_table).into_iter().flat_map(Table::values) {
        dependencies.extend(platform.as_table().map(self::dependencies).unwrap_or_default());
    }
    let name = name.strip_prefix("omniroute-").unwrap_or(name).to_owned();
    Some(Package { name, manifest: file.path.clone(), folder, dependencies, table })
}

fn dependencies(table: &Table) -> Vec<Dependency> {
    let sections = [
        ("dependencies", Role::Production),
        ("build-dependencies", Role::Production),
        ("dev-dependencies", Role::Development),
    ];
    let mut found = Vec::new();
    for (section, role) in sections {
        for (key, value) in table.get(section).and_then(toml::Value::as_table).into_iter().flatten() {
            let name = value.get("package").and_then(toml::Value::as_str).unwrap_or(key);
            found.push(Dependency { name: name.to_owned(), role, value: value.clone() });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::packages;
    use crate::tree::Tree;

    #[test]
    fn a_workspace_of_its_own_below_the_root_is_no_member() {
        let files = [
            ("Cargo.toml", "[workspace]\n[package]\nname = \"omniroute-desktop\"\n"),
            ("crates/a/Cargo.toml", "[package]\nname = \"omniroute-a\"\n"),
            ("crates/a/fuzz/Cargo.toml", "[workspace]\n[package]\nname = \"omniroute-a-fuzz\"\n"),
        ];
        let names: Vec<String> = packages(&Tree::of(&files)).into_iter().map(|package| package.name).collect();
        assert_eq!(names, ["desktop", "a"]);
    }
}
