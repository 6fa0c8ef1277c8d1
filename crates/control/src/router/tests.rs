mod access;
mod accounts;
mod description;
mod keys;
mod models;
mod together;
mod usage;
