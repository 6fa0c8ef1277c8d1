mod access;
mod accounts;
mod keys;
mod models;
mod usage;
