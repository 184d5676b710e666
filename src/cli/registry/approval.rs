//! `approval list|show|approve|reject|withdraw`: proposals to promote, and deciding about those of others.
//! Never decides whether somebody may; the use case refuses.

use clap::Subcommand;
use serde_json::json;

use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::api::pages::every;
use crate::cli::registry::model::{gate_text, of_model, short};
use crate::cli::speak::output::{Answer, columns};
use crate::client::call::Client;
use crate::client::target::Target;
use crate::http::views::approval::{CommentBody, ProposalList, ProposalView, ProposeBody};
use crate::registry::proposal::ProposalState;

#[derive(Subcommand)]
#[command(
    after_help = "Whoever proposed a version or trained it does not decide about it.\n\nExamples:\n  tallystick model propose loan-default@4 --to production --why 'better on the last quarter'\n  tallystick approval list --state open\n  tallystick approval approve 3 --comment 'the figures hold'"
)]
pub enum ApprovalCommand {
    /// Every proposal, those that wait first
    List {
        /// Only open, approved, rejected, withdrawn, expired or superseded ones
        #[arg(long)]
        state: Option<ProposalState>,
        /// Only those about this model
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
    },
    /// One proposal: what its gates found, and what came of it
    Show {
        /// The proposal's number
        proposal: u64,
    },
    /// Approve somebody else's proposal: the alias moves
    Approve {
        /// The proposal's number
        proposal: u64,
        /// Why; kept with the proposal and in the log
        #[arg(long, value_name = "TEXT")]
        comment: String,
    },
    /// Reject somebody else's proposal
    Reject {
        /// The proposal's number
        proposal: u64,
        /// Why; kept with the proposal and in the log
        #[arg(long, value_name = "TEXT")]
        comment: String,
    },
    /// Take one's own proposal back
    Withdraw {
        /// The proposal's number
        proposal: u64,
    },
}

fn of_proposal(proposal: u64, rest: &[&str]) -> Target {
    let number = proposal.to_string();
    Target::of(["v1", "proposals", &number].into_iter().chain(rest.iter().copied()))
}

pub fn run(command: ApprovalCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    let client = invocation.client()?;
    match command {
        ApprovalCommand::List { state, model } => list(&client, state, model),
        ApprovalCommand::Show { proposal } => {
            let view: ProposalView = client.get(&of_proposal(proposal, &[]))?;
            Ok(Answer::new(text(&view), json!(view)))
        }
        ApprovalCommand::Approve { proposal, comment } => {
            let target = of_proposal(proposal, &["approve"]);
            let view: ProposalView = client.post(&target, &CommentBody { comment })?;
            let ProposalView { name, version, to, .. } = &view;
            let said = format!("Approved: {name}:{to} is now version {version}.");
            Ok(Answer::new(said, json!(view)))
        }
        ApprovalCommand::Reject { proposal, comment } => {
            let target = of_proposal(proposal, &["reject"]);
            let view: ProposalView = client.post(&target, &CommentBody { comment })?;
            Ok(Answer::new(format!("Rejected: {}@{} stays out.", view.name, view.version), json!(view)))
        }
        ApprovalCommand::Withdraw { proposal } => {
            let view: ProposalView = client.act(&of_proposal(proposal, &["withdraw"]))?;
            Ok(Answer::new(format!("Proposal {proposal} is withdrawn."), json!(view)))
        }
    }
}

/// `model propose`: the gates judge at once, somebody else approves.
pub fn propose(client: &Client, name: &str, body: &ProposeBody) -> Result<Answer, Failure> {
    let view: ProposalView = client.post(&of_model(name, &["proposals"]), body)?;
    let said = format!(
        "{}\nProposal {}: {name}:{} is to become version {}. Somebody else approves until {}:\n  tallystick approval approve {} --comment TEXT",
        gate_text(&view.gate),
        view.id,
        view.to,
        view.version,
        view.expires,
        view.id
    );
    Ok(Answer::new(said, json!(view)))
}

fn list(client: &Client, state: Option<ProposalState>, model: Option<String>) -> Result<Answer, Failure> {
    let mut target = Target::of(["v1", "proposals"]);
    if let Some(state) = state {
        target = target.with("state", state);
    }
    if let Some(model) = model {
        target = target.with("model", model);
    }
    let proposals = every(client, target, |page: ProposalList| (page.proposals, page.next))?;
    let mut rows =
        vec![["proposal", "state", "version", "to", "by", "proposed", "why"].map(String::from).to_vec()];
    rows.extend(proposals.iter().map(|view| {
        let ProposalView { id, state, name, version, to, proposed_by, proposed, why, .. } = view;
        let cells = [&id.to_string(), state, &format!("{name}@{version}"), to, proposed_by, proposed, why];
        cells.map(String::clone).to_vec()
    }));
    let none = "No proposals: `tallystick model propose NAME --to production --why REASON`.";
    let text = if proposals.is_empty() { none.to_string() } else { columns(&rows) };
    Ok(Answer::new(text, json!({ "proposals": proposals })))
}

fn text(view: &ProposalView) -> String {
    let from = view.from.map_or("nothing".to_string(), |version| format!("version {version}"));
    let mut lines = vec![
        ("proposal", format!("{} ({})", view.id, view.state)),
        ("version", format!("{}@{} to {}, where {from} is", view.name, view.version, view.to)),
        ("policy", short(&view.policy)),
        ("why", view.why.clone()),
        ("proposed", format!("{} by {}", view.proposed, view.proposed_by)),
        ("waits until", view.expires.clone()),
    ];
    if let Some((by, when)) = view.decided_by.as_ref().zip(view.decided.as_ref()) {
        lines.push(("closed", format!("{when} by {by}")));
    }
    lines.extend(view.comment.clone().map(|comment| ("comment", comment)));
    let rows: Vec<Vec<String>> = lines.into_iter().map(|(key, value)| vec![key.to_string(), value]).collect();
    format!("{}{}", columns(&rows), gate_text(&view.gate))
}
