//! The course-completion demo: learners of an online school four weeks into a course, and who finished it.
//! What a learner wants is seen by nobody; what is seen is what wanting it leaves behind.

use crate::base::clock;
use crate::data::table::{Kind, Table};
use crate::demo::draw::{Draw, round_to, sigmoid};
use crate::demo::sheet::{DemoError, counts, draw_rows, numbers, texts, words};

pub const ROWS_DEFAULT: usize = 6_000;
const FIRST_ID: usize = 20_001;
/// The activity columns count this many days.
const WATCHED_DAYS: f64 = 28.0;

const EDUCATION: [(&str, f64); 4] =
    [("secondary", 30.0), ("bachelor", 42.0), ("master", 22.0), ("doctorate", 6.0)];
const TOWNS: [&str; 40] = [
    "Alderbrook",
    "Ashmere",
    "Birchwick",
    "Brackenford",
    "Brightwater",
    "Calder Hill",
    "Cinderford",
    "Copperdale",
    "Dunmore",
    "Eastmarch",
    "Elderfield",
    "Fairhaven",
    "Fenwick",
    "Foxhollow",
    "Glenrock",
    "Greywater",
    "Harrowgate",
    "Hazelton",
    "Highmoor",
    "Ivybridge",
    "Kestrel Bay",
    "Kingsreach",
    "Larkfield",
    "Lindenau",
    "Longstrand",
    "Maplecross",
    "Millbrook",
    "Northolt Vale",
    "Oakhurst",
    "Pinewold",
    "Quarry Bank",
    "Redcliff",
    "Saltmarsh",
    "Silverlake",
    "Stonebury",
    "Thornby",
    "Underhill",
    "Westmere",
    "Willowdene",
    "Wyvern Cross",
];
/// Kinds of schools, how many learners they send, and how well they prepare them.
const SCHOOLS: [(&str, f64, f64); 12] = [
    ("Academy", 9.0, 0.1),
    ("Adult Education Centre", 6.0, -0.1),
    ("Business College", 8.0, 0.15),
    ("College", 14.0, 0.05),
    ("Evening School", 5.0, -0.3),
    ("Grammar School", 7.0, 0.2),
    ("High School", 15.0, -0.2),
    ("Institute of Technology", 10.0, 0.3),
    ("Polytechnic", 8.0, 0.15),
    ("Teacher Training College", 3.0, 0.3),
    ("University", 12.0, 0.25),
    ("Vocational School", 9.0, -0.25),
];

pub(super) struct Row {
    id: usize,
    enrolled: f64,
    female: Option<bool>,
    age_group: &'static str,
    education: &'static str,
    employment: Option<&'static str>,
    school: String,
    category: &'static str,
    device: &'static str,
    weekly_hours: Option<f64>,
    logins: f64,
    videos: f64,
    minutes: f64,
    quizzes: f64,
    /// Nothing where no quiz was tried.
    quiz_score: Option<f64>,
    posts: f64,
    assignments: f64,
    idle_days: f64,
    pub log_odds: f64,
    pub completed: bool,
}

/// The table of the demo, in order of enrolment.
pub fn course_completion(rows: usize, seed: u64) -> Result<Table, DemoError> {
    let drawn = drawn(rows, seed)?;
    Ok(Table::new(vec![
        texts("learner_id", &drawn, |r| Some(format!("U{}", r.id))),
        numbers("enrolled_on", Kind::Date, &drawn, |r| r.enrolled),
        texts("gender", &drawn, |r| r.female.map(|f| if f { "f" } else { "m" }.to_string())),
        words("age_group", &drawn, |r| r.age_group),
        words("education_level", &drawn, |r| r.education),
        texts("employment", &drawn, |r| Some(r.employment.unwrap_or("unknown").to_string())),
        texts("institution", &drawn, |r| Some(r.school.clone())),
        words("course_category", &drawn, |r| r.category),
        words("device_type", &drawn, |r| r.device),
        texts("planned_hours", &drawn, |r| r.weekly_hours.map(|hours| format!("{hours} h/week"))),
        counts("logins", &drawn, |r| r.logins),
        counts("videos_watched", &drawn, |r| r.videos),
        counts("minutes_spent", &drawn, |r| r.minutes),
        counts("quiz_attempts", &drawn, |r| r.quizzes),
        texts("quiz_score_avg", &drawn, |r| r.quiz_score.map(|score| format!("{score}%"))),
        counts("forum_posts", &drawn, |r| r.posts),
        counts("assignments_submitted", &drawn, |r| r.assignments),
        counts("days_since_last_login", &drawn, |r| r.idle_days),
        words("completed", &drawn, |r| if r.completed { "yes" } else { "no" }),
        texts("certificate_no", &drawn, |r| r.completed.then(|| format!("C-{:07}", r.id * 37))),
    ])?)
}

pub(super) fn drawn(rows: usize, seed: u64) -> Result<Vec<Row>, DemoError> {
    draw_rows(rows, seed, "demo.course_completion", |draw, place| draw_row(draw, place, rows))
}

fn draw_row(draw: &mut Draw, place: usize, rows: usize) -> Row {
    let (will, skill) = (draw.normal(0.0, 1.0), draw.normal(0.0, 1.0));
    let education = draw.weighted(&EDUCATION, |level| level.1).0;
    let town = draw.one_of(&TOWNS);
    let school = draw.weighted(&SCHOOLS, |school| school.1);
    let employment = draw_employment(draw);
    let weekly_hours = draw.normal(1.55 + 0.2 * will, 0.4).exp().round().clamp(1.0, 30.0);
    let quizzes = draw.count(3.6 * (0.45 * will).exp());
    let videos = draw.count(13.0 * (0.4 * will).exp());
    let score = (62.0 + 10.0 * skill + 3.0 * will + draw.normal(0.0, 8.0)).clamp(0.0, 100.0);
    let idle_days = (draw.normal(1.45 - 0.62 * will, 0.75)).exp().round().min(WATCHED_DAYS);
    let level = EDUCATION.iter().position(|(name, _)| *name == education).unwrap_or(0) as f64;
    let log_odds = -0.55 + 1.25 * will + 0.75 * skill + 1.3 * school.2 + 0.18 * (level - 1.0)
        - 0.06 * (idle_days - 5.0).clamp(-5.0, 15.0)
        - if employment == "full-time" { 0.35 } else { 0.0 }
        - if quizzes == 0.0 { 0.8 } else { 0.0 };
    let first_day = clock::parse_iso_date("2024-01-08").unwrap_or(f64::NAN);
    let mut row = Row {
        id: FIRST_ID + place,
        enrolled: first_day + (700.0 * place as f64 / rows as f64).floor(),
        female: (!draw.chance(0.06)).then(|| draw.chance(0.52)),
        age_group: draw
            .weighted(&[("under 25", 34.0), ("25-34", 31.0), ("35-49", 24.0), ("50+", 11.0)], |age| age.1)
            .0,
        education,
        employment: (!draw.chance(0.04)).then_some(employment),
        school: format!("{town} {}", school.0),
        category: draw.weighted(&CATEGORIES, |category| category.1).0,
        device: draw.weighted(&[("desktop", 58.0), ("mobile", 33.0), ("tablet", 9.0)], |device| device.1).0,
        weekly_hours: (!draw.chance(0.07)).then_some(weekly_hours),
        logins: draw.count(7.5 * (0.42 * will).exp()),
        minutes: (videos * 9.0 * draw.normal(0.0, 0.3).exp() + quizzes * 11.0).round(),
        videos,
        quizzes,
        quiz_score: (quizzes > 0.0).then(|| round_to(score, 10.0)),
        posts: draw.count(0.8 * (0.5 * will).exp()),
        assignments: draw.count(2.0 * (0.4 * will + 0.1 * skill).exp()).min(8.0),
        idle_days,
        log_odds,
        completed: false,
    };
    row.completed = draw.chance(sigmoid(row.log_odds));
    row
}

const CATEGORIES: [(&str, f64); 6] = [
    ("business", 26.0),
    ("data", 22.0),
    ("design", 12.0),
    ("health", 14.0),
    ("languages", 16.0),
    ("programming", 10.0),
];

fn draw_employment(draw: &mut Draw) -> &'static str {
    let kinds = [("full-time", 38.0), ("part-time", 18.0), ("student", 30.0), ("not working", 14.0)];
    draw.weighted(&kinds, |kind| kind.1).0
}
