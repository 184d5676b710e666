//! Who acts, in which role, and the one table of what each role may do.
//! Never asks who someone is; that is settled before an `Actor` exists.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::base::limits;

/// People's roles first, then the service principals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Officer,
    Analyst,
    Approver,
    Auditor,
    Admin,
    CoreBanking,
    Worker,
    Sync,
    Backup,
    Metrics,
}

impl Role {
    pub const ALL: [Self; 10] = [
        Self::Officer,
        Self::Analyst,
        Self::Approver,
        Self::Auditor,
        Self::Admin,
        Self::CoreBanking,
        Self::Worker,
        Self::Sync,
        Self::Backup,
        Self::Metrics,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Analyst => "analyst",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::CoreBanking => "core-banking",
            Self::Worker => "worker",
            Self::Sync => "sync",
            Self::Backup => "backup",
            Self::Metrics => "metrics",
        }
    }

    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A use case that someone asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    InitHome,
    ImportData,
    Train,
    Work,
    SignPolicy,
    PromoteModel,
    ProposePromotion,
    DecidePromotion,
    RollbackModel,
    Score,
    ReadDecisions,
    ReplayDecisions,
    ReportOutcomes,
    MakeReports,
    ApplySchedule,
    RunSchedule,
    AnswerAlerts,
    ReadRegistry,
    ReadRuns,
    ReadAudit,
    ManageUsers,
    ManageKeys,
    ReadPeople,
    ReadMetrics,
    ReadStatus,
}

impl Act {
    /// As it completes the sentence "may not ...".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InitHome => "initialise a home",
            Self::ImportData => "import data",
            Self::Train => "train",
            Self::Work => "work on runs",
            Self::SignPolicy => "sign a policy",
            Self::PromoteModel => "promote a model",
            Self::ProposePromotion => "propose a promotion",
            Self::DecidePromotion => "decide about a promotion",
            Self::RollbackModel => "roll a model back",
            Self::Score => "score",
            Self::ReadDecisions => "read decisions",
            Self::ReplayDecisions => "replay decisions",
            Self::ReportOutcomes => "report outcomes",
            Self::MakeReports => "make a report of a model",
            Self::ApplySchedule => "put a schedule in force",
            Self::RunSchedule => "start, hold or stop chains",
            Self::AnswerAlerts => "answer alerts",
            Self::ReadRegistry => "read the registry",
            Self::ReadRuns => "read runs",
            Self::ReadAudit => "read the audit log",
            Self::ManageUsers => "manage users",
            Self::ManageKeys => "manage API keys",
            Self::ReadPeople => "see users and API keys",
            Self::ReadMetrics => "read the metrics",
            Self::ReadStatus => "read their own status",
        }
    }

    /// The table. Who makes a model never puts it in force; rolling back leads to what was approved
    /// before, so the admin on duty may do that too.
    pub fn allowed_roles(self) -> &'static [Role] {
        use Role::{Admin, Analyst, Approver, Auditor, CoreBanking, Metrics, Officer, Sync, Worker};
        match self {
            Self::InitHome => &[Admin],
            Self::ImportData => &[Analyst, Worker],
            Self::Train => &[Analyst, Worker],
            Self::Work => &[Worker],
            Self::SignPolicy => &[Approver],
            Self::PromoteModel | Self::DecidePromotion => &[Approver],
            Self::ProposePromotion => &[Analyst, Approver, Worker],
            Self::RollbackModel => &[Approver, Admin],
            Self::Score => &[Officer, Analyst, CoreBanking, Worker],
            Self::ReadDecisions => &[Officer, Analyst, Approver, Auditor, Admin, CoreBanking],
            Self::ReplayDecisions => &[Analyst, Auditor],
            Self::ReportOutcomes => &[Analyst, CoreBanking, Worker],
            // What a report finds may hold a model back or bring the version before it back.
            Self::MakeReports => &[Analyst, Worker],
            // A schedule may promote by the gates alone, so whoever answers for promotions puts it in force.
            Self::ApplySchedule => &[Approver],
            Self::RunSchedule | Self::AnswerAlerts => &[Analyst, Approver, Admin],
            Self::ReadRegistry => &[Analyst, Approver, Auditor, Admin, Sync],
            // The admin on duty starts chains and answers alerts, and must see what they are about.
            Self::ReadRuns => &[Analyst, Approver, Auditor, Admin],
            Self::ReadAudit => &[Auditor, Admin],
            Self::ManageUsers | Self::ManageKeys => &[Admin],
            Self::ReadPeople => &[Auditor, Admin],
            Self::ReadMetrics => &[Metrics, Admin],
            Self::ReadStatus => &Role::ALL,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawActor {
    name: String,
    role: Role,
}

/// Someone with a name in one role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawActor", into = "RawActor")]
pub struct Actor {
    name: String,
    role: Role,
}

/// Someone with a name and every role they hold. Each act is done, and recorded, in one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    name: String,
    roles: Vec<Role>,
}

impl Person {
    /// Whoever owns a home's files holds every role of a person in it.
    pub fn owner(name: &str) -> Result<Self, BadActorName> {
        let roles = vec![Role::Officer, Role::Analyst, Role::Approver, Role::Auditor, Role::Admin];
        Ok(Self { name: Actor::new(name, Role::Admin)?.name, roles })
    }

    /// Somebody with these roles: a user, a service's API key, or the far end of a socket.
    pub fn of(name: &str, roles: &[Role]) -> Result<Self, BadActorName> {
        Ok(Self { name: Actor::new(name, Role::Metrics)?.name, roles: roles.to_vec() })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The actor for one act: in the first role that may do it, or nobody.
    pub fn acting(&self, act: Act) -> Result<Actor, Forbidden> {
        let actor = |role: Role| Actor { name: self.name.clone(), role };
        match self.roles.iter().find(|role| act.allowed_roles().contains(role)) {
            Some(role) => Ok(actor(*role)),
            // Whoever holds no role at all is refused in the least of them.
            None => {
                let actor = actor(self.roles.first().copied().unwrap_or(Role::Metrics));
                Err(Forbidden { actor, act })
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error(
    "{name:?} is not an actor's name: 1 to {max} printable ASCII characters without space",
    max = limits::ACTOR_NAME_CHARS_MAX
)]
pub struct BadActorName {
    name: String,
}

impl Fact for BadActorName {
    fn code(&self) -> &'static str {
        "security.actor_name"
    }

    fn class(&self) -> Class {
        Class::Usage
    }
}

impl Actor {
    pub fn new(name: &str, role: Role) -> Result<Self, BadActorName> {
        let name = name.to_string();
        let fits = (1..=limits::ACTOR_NAME_CHARS_MAX).contains(&name.len());
        if fits && name.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self { name, role })
        } else {
            Err(BadActorName { name })
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn role(&self) -> Role {
        self.role
    }
}

impl TryFrom<RawActor> for Actor {
    type Error = BadActorName;

    fn try_from(raw: RawActor) -> Result<Self, BadActorName> {
        Self::new(&raw.name, raw.role)
    }
}

impl From<Actor> for RawActor {
    fn from(actor: Actor) -> Self {
        Self { name: actor.name, role: actor.role }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.role)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{actor} may not {act}", act = act.as_str())]
pub struct Forbidden {
    pub actor: Actor,
    pub act: Act,
}

impl Fact for Forbidden {
    fn code(&self) -> &'static str {
        "security.forbidden"
    }

    fn class(&self) -> Class {
        Class::Permission
    }

    fn next_step(&self) -> Option<String> {
        let roles: Vec<&str> = self.act.allowed_roles().iter().map(|role| role.as_str()).collect();
        Some(format!("Ask someone with the role {}.", roles.join(" or ")))
    }
}

/// Whether this actor may do this. Every use case asks first.
pub fn authorise(actor: &Actor, act: Act) -> Result<(), Forbidden> {
    if act.allowed_roles().contains(&actor.role) {
        Ok(())
    } else {
        Err(Forbidden { actor: actor.clone(), act })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table again as an auditor would draw it; a change of the code is a change here.
    const MATRIX: &str = "
        role          init import train work sign promote propose approve rollback score decisions replay outcomes reports apply run alerts registry runs audit users keys people metrics status
        officer       .    .      .     .    .    .       .       .       .        yes   yes       .      .        .       .     .   .      .        .    .     .     .    .      .       yes
        analyst       .    yes    yes   .    .    .       yes     .       .        yes   yes       yes    yes      yes     .     yes yes    yes      yes  .     .     .    .      .       yes
        approver      .    .      .     .    yes  yes     yes     yes     yes      .     yes       .      .        .       yes   yes yes    yes      yes  .     .     .    .      .       yes
        auditor       .    .      .     .    .    .       .       .       .        .     yes       yes    .        .       .     .   .      yes      yes  yes   .     .    yes    .       yes
        admin         yes  .      .     .    .    .       .       .       yes      .     yes       .      .        .       .     yes yes    yes      yes  yes   yes   yes  yes    yes     yes
        core-banking  .    .      .     .    .    .       .       .       .        yes   yes       .      yes      .       .     .   .      .        .    .     .     .    .      .       yes
        worker        .    yes    yes   yes  .    .       yes     .       .        yes   .         .      yes      yes     .     .   .      .        .    .     .     .    .      .       yes
        sync          .    .      .     .    .    .       .       .       .        .     .         .      .        .       .     .   .      yes      .    .     .     .    .      .       yes
        backup        .    .      .     .    .    .       .       .       .        .     .         .      .        .       .     .   .      .        .    .     .     .    .      .       yes
        metrics       .    .      .     .    .    .       .       .       .        .     .         .      .        .       .     .   .      .        .    .     .     .    .      yes     yes
    ";

    const COLUMNS: [(&str, Act); 25] = [
        ("init", Act::InitHome),
        ("import", Act::ImportData),
        ("train", Act::Train),
        ("work", Act::Work),
        ("sign", Act::SignPolicy),
        ("promote", Act::PromoteModel),
        ("propose", Act::ProposePromotion),
        ("approve", Act::DecidePromotion),
        ("rollback", Act::RollbackModel),
        ("score", Act::Score),
        ("decisions", Act::ReadDecisions),
        ("replay", Act::ReplayDecisions),
        ("outcomes", Act::ReportOutcomes),
        ("reports", Act::MakeReports),
        ("apply", Act::ApplySchedule),
        ("run", Act::RunSchedule),
        ("alerts", Act::AnswerAlerts),
        ("registry", Act::ReadRegistry),
        ("runs", Act::ReadRuns),
        ("audit", Act::ReadAudit),
        ("users", Act::ManageUsers),
        ("keys", Act::ManageKeys),
        ("people", Act::ReadPeople),
        ("metrics", Act::ReadMetrics),
        ("status", Act::ReadStatus),
    ];

    #[test]
    fn every_act_and_every_role_agree_with_the_matrix() {
        let mut lines = MATRIX.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let heads: Vec<&str> = lines.by_ref().find(|words| !words.is_empty()).unwrap();
        assert_eq!(heads[1..], COLUMNS.map(|(head, _)| head));
        let rows: Vec<Vec<&str>> = lines.filter(|words| !words.is_empty()).collect();
        assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), Role::ALL.map(Role::as_str));
        for row in &rows {
            let actor = Actor::new("someone", Role::find(row[0]).unwrap()).unwrap();
            assert_eq!(row.len(), heads.len());
            for ((_, act), cell) in COLUMNS.iter().zip(&row[1..]) {
                assert_eq!(authorise(&actor, *act).is_ok(), *cell == "yes", "{actor} {act:?}");
            }
        }
    }

    #[test]
    fn a_person_without_a_role_may_nothing() {
        let nobody = Person::of("nobody", &[]).unwrap();
        for (_, act) in COLUMNS {
            assert!(nobody.acting(act).is_err(), "{act:?}");
        }
    }

    #[test]
    fn a_refusal_says_who_may_instead() {
        let anna = Actor::new("anna", Role::Analyst).unwrap();
        let refused = authorise(&anna, Act::PromoteModel).unwrap_err();
        assert_eq!(refused.to_string(), "anna (analyst) may not promote a model");
        assert_eq!(refused.next_step().unwrap(), "Ask someone with the role approver.");
        assert_eq!(refused.class(), Class::Permission);
    }

    #[test]
    fn an_actor_keeps_its_name_and_role_in_json() {
        let text = r#"{"name":"core@hq","role":"core-banking"}"#;
        let actor: Actor = serde_json::from_str(text).unwrap();
        assert_eq!((actor.name(), actor.role()), ("core@hq", Role::CoreBanking));
        assert_eq!(serde_json::to_string(&actor).unwrap(), text);
        for bad in [r#"{"name":"","role":"admin"}"#, r#"{"name":"a b","role":"admin"}"#] {
            assert!(serde_json::from_str::<Actor>(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Actor>(r#"{"name":"a","role":"root"}"#).is_err());
    }
}
