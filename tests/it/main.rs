//! The one integration binary: everything that is tested from outside a single module.

#[cfg(test)]
mod acceptance;
#[cfg(test)]
mod api_decisions;
#[cfg(test)]
mod api_outcomes;
#[cfg(test)]
mod api_people;
#[cfg(test)]
mod api_registry;
#[cfg(test)]
mod api_routes;
#[cfg(test)]
mod api_runs;
#[cfg(test)]
mod api_schedules;
#[cfg(test)]
mod api_watch;
#[cfg(test)]
mod approvals;
#[cfg(test)]
mod audit_damage;
#[cfg(test)]
mod cli_api;
#[cfg(test)]
mod expected_faults;
#[cfg(test)]
mod families;
#[cfg(test)]
mod fault_table;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod flow_batch;
#[cfg(test)]
mod flow_chains;
#[cfg(test)]
mod flow_exports;
#[cfg(test)]
mod flow_home;
#[cfg(test)]
mod flow_network;
#[cfg(test)]
mod flow_policy;
#[cfg(test)]
mod flow_projects;
#[cfg(test)]
mod flow_serve;
#[cfg(test)]
mod flow_train;
#[cfg(test)]
mod flow_worker;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod model_laws;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod pages_approvals;
#[cfg(test)]
mod pages_watch;
#[cfg(test)]
mod pipeline_graph;
#[cfg(test)]
mod pipeline_nodes;
#[cfg(test)]
mod quarter;
#[cfg(test)]
mod reader;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod release_damage;
#[cfg(test)]
mod store_damage;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tidy;
