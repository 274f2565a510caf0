use super::*;

const GOOD: &str = r#"
[pbx]
url = "https://pbx.example.com"
client_id = "callspool"
secret_file = "pbx.secret"
[[target]]
name = "crm"
url = "https://crm.example.com/hook"
secret_file = "crm.secret"
[[target]]
name = "archive"
kind = "folder"
path = "/mnt/nas"
"#;

fn with(rules: &str) -> Result<Config, Vec<String>> {
    let text = format!("{GOOD}{rules}");
    let parsed = parse(&text, Path::new("c.toml"));
    parsed.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn a_rule_is_read_as_it_was_typed_and_one_word_needs_no_list() {
    let config = with(
        "[numbers]\ncountry = \"+44\"\ntime_zone = \"CET-1CEST,M3.5.0,M10.5.0/3\"\n\
         [[rule]]\nname = \"long ones\"\ndirection = [\"inbound\", \"outbound\"]\nmin_duration = \"10s\"\n\
         hours = \"22:00-06:30\"\nweekdays = [\"sat\", \"sun\"]\ndeliver = \"crm\"\naudio = false\nretain = \"30d\"\n",
    )
    .unwrap();
    let rule = &config.rules[0];
    assert_eq!((rule.name.as_str(), rule.line), ("long ones", Some(17)));
    assert_eq!((rule.when.min_ms, rule.when.hours), (Some(10_000), Some((1320, 390))));
    assert_eq!(rule.when.weekdays.iter().copied().collect::<Vec<_>>(), [5, 6]);
    assert_eq!(rule.then.deliver, Some(vec!["crm".to_owned()]));
    assert_eq!(rule.then.audio, Some(Some(Vec::new())));
    assert_eq!(rule.then.retain_ms, Some(30 * 86_400_000));
    let numbering = config.numbers.numbering(None);
    assert_eq!((numbering.country.as_str(), numbering.trunk.as_str()), ("44", "0"));
}

#[test]
fn what_the_pbx_says_about_dialling_counts_until_something_else_is_typed() {
    let told = crate::numbers::Numbering {
        area: "30".to_owned(),
        ..crate::numbers::Numbering::of_country("49")
    };
    let config = with("").unwrap();
    assert_eq!(config.numbers.numbering(None).country, "");
    assert_eq!(config.numbers.numbering(Some(&told)), told);
    let typed = with("[numbers]\ncountry = \"39\"\ntrunk = \"0\"\n").unwrap().numbers;
    let numbering = typed.numbering(Some(&told));
    assert_eq!(
        (
            numbering.country.as_str(),
            numbering.trunk.as_str(),
            numbering.area.as_str()
        ),
        ("39", "0", "")
    );
}

#[test]
fn a_wrong_rule_is_refused_at_its_line_with_what_would_be_right() {
    for (rule, line, told) in [
        (
            "deliver = \"erp\"",
            16,
            "rule.0.deliver: \"erp\" is the name of no target; there are crm, archive",
        ),
        (
            "audio = [\"crm\", \"nas\"]",
            16,
            "rule.0.audio: \"nas\" is the name of no target",
        ),
        ("notify = \"mqtt\"", 16, "rule.0.notify: there is no [mqtt] to tell"),
        (
            "direction = \"incoming\"\ndelay = \"1m\"",
            16,
            "\"incoming\" is none of inbound, outbound, internal",
        ),
        (
            "exclude = true\ndeliver = \"crm\"",
            17,
            "rule.0.deliver: an excluded call goes nowhere",
        ),
        (
            "min_duration = \"1m\"\nmax_duration = \"10s\"\nexclude = true",
            17,
            "is shorter than min_duration",
        ),
        (
            "outcome = \"missed\"\nmin_duration = \"1s\"\nexclude = true",
            17,
            "nobody speaks in a call",
        ),
        (
            "internal = true\nnumber = \"+44*\"\nexclude = true",
            17,
            "an internal call has no number outside",
        ),
        (
            "internal = true\ndirection = \"inbound\"\nexclude = true",
            16,
            "contradicts direction",
        ),
        ("extension = []\nexclude = true", 16, "is empty; name something"),
        ("hours = \"8-18\"\nexclude = true", 16, "is no span of the day"),
        ("hours = \"08:00-18:00\"\nexclude = true", 16, "set numbers.time_zone"),
        (
            "outcome = \"answered\"\ncall_back = \"15m\"",
            17,
            "only a missed call from outside",
        ),
        ("call_back_to = \"crm\"\ndelay = \"1m\"", 16, "needs call_back"),
        (
            "deliver = \"crm\"\naudio = [\"archive\"]",
            17,
            "\"archive\" does not get the call at all",
        ),
        ("delay = \"soon\"", 16, "is no span of time"),
        ("direction = \"inbound\"", 15, "the rule says nothing"),
        ("dilay = \"1m\"", 16, "unknown field `dilay`"),
    ] {
        let problems = with(&format!("[[rule]]\nname = \"one\"\n{rule}\n")).unwrap_err();
        let first = &problems[0];
        assert!(first.starts_with(&format!("c.toml:{line}: ")), "{rule}: {problems:?}");
        assert!(
            problems.iter().any(|problem| problem.contains(told)),
            "{rule}: {problems:?}"
        );
    }
    let twice = "[[rule]]\nname = \"a\"\nexclude = true\n[[rule]]\nname = \"a\"\nexclude = true\n";
    assert!(with(twice).unwrap_err()[0].contains("\"a\" is taken by another rule"));
    assert!(with("[[rule]]\nexclude = true\n").unwrap_err()[0].contains("rule.0.name: must be given"));
}
