-- What was forecast, how good it was, and how the scheduler did. Instants are UTC.
-- No keys: the archive checks what is unique, and rows are replaced within one transaction.

CREATE TABLE issue (
    issued_at TIMESTAMP NOT NULL,
    as_of TIMESTAMP NOT NULL,
    known_at TIMESTAMP NOT NULL,
    lead_min DOUBLE[] NOT NULL,
    levels DOUBLE[] NOT NULL,
    provenance VARCHAR NOT NULL,
    thinned BOOLEAN NOT NULL
);
COMMENT ON TABLE issue IS 'One row a forecast: what its rows in "forecast" share.';
COMMENT ON COLUMN issue.issued_at IS 'When it was made (UTC); names the forecast.';
COMMENT ON COLUMN issue.as_of IS 'The instant of the hospital it starts from (UTC); leads count from here.';
COMMENT ON COLUMN issue.known_at IS 'It used only what was known by then (UTC).';
COMMENT ON COLUMN issue.lead_min IS 'Leads, in minutes after as_of; the order of every list over leads.';
COMMENT ON COLUMN issue.levels IS 'Quantile levels, 0 to 1; the order of every list over levels.';
COMMENT ON COLUMN issue.provenance IS 'State hash, seed, versions and settings, as JSON text.';
COMMENT ON COLUMN issue.thinned IS 'True once only the first scenario at the verified leads is kept.';

CREATE TABLE forecast (
    issued_at TIMESTAMP NOT NULL,
    place INTEGER NOT NULL,
    scenario VARCHAR NOT NULL,
    measure VARCHAR NOT NULL,
    mean DOUBLE[] NOT NULL,
    quantiles DOUBLE[][] NOT NULL,
    difference_mean DOUBLE[],
    difference_quantiles DOUBLE[][]
);
COMMENT ON TABLE forecast IS 'One row an issue, scenario and measure; values in the unit of the measure.';
COMMENT ON COLUMN forecast.issued_at IS 'The forecast it belongs to (issue.issued_at, UTC).';
COMMENT ON COLUMN forecast.place IS 'Order within the forecast, from 0; place 0 is of the scenario that all are compared with.';
COMMENT ON COLUMN forecast.scenario IS 'Name of the scenario in the catalogue.';
COMMENT ON COLUMN forecast.measure IS 'Stable name of the measure: counts of people or beds, arrivals an hour, waits in minutes.';
COMMENT ON COLUMN forecast.mean IS 'Mean over members by lead; NaN where no member has the measure.';
COMMENT ON COLUMN forecast.quantiles IS 'Quantiles over members, a list over levels of lists over leads; NaN as in mean.';
COMMENT ON COLUMN forecast.difference_mean IS 'Mean paired difference from the first scenario by lead; null for the first itself.';
COMMENT ON COLUMN forecast.difference_quantiles IS 'Quantiles of the paired differences, laid out as quantiles; null for the first itself.';

CREATE TABLE score (
    issued_at TIMESTAMP NOT NULL,
    measure VARCHAR NOT NULL,
    lead_min DOUBLE NOT NULL,
    observed DOUBLE,
    error DOUBLE,
    absolute_error DOUBLE,
    crps DOUBLE,
    in_50 BOOLEAN,
    in_80 BOOLEAN,
    in_95 BOOLEAN,
    raw_crps DOUBLE,
    raw_error DOUBLE,
    raw_half_width DOUBLE,
    raw_inside_80 DOUBLE,
    weight_of_simulation DOUBLE NOT NULL,
    rival_crps MAP(VARCHAR, DOUBLE) NOT NULL,
    rival_absolute_error MAP(VARCHAR, DOUBLE) NOT NULL,
    verified_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE score IS 'One row a forecast of the first scenario, measure and lead that met its truth; scores are null where there was nothing to compare.';
COMMENT ON COLUMN score.issued_at IS 'The forecast (issue.issued_at, UTC).';
COMMENT ON COLUMN score.measure IS 'Name of the measure; scores are in its unit.';
COMMENT ON COLUMN score.lead_min IS 'Lead in minutes after the forecast''s as_of.';
COMMENT ON COLUMN score.observed IS 'What came; null where the measure did not exist (a wait with nobody waiting).';
COMMENT ON COLUMN score.error IS 'Forecast mean - observed.';
COMMENT ON COLUMN score.absolute_error IS 'Distance of the forecast median from what came.';
COMMENT ON COLUMN score.crps IS 'Continuous ranked probability score of the published quantiles.';
COMMENT ON COLUMN score.in_50 IS 'Whether the outcome lay in the central 50 % interval, ends included.';
COMMENT ON COLUMN score.in_80 IS 'Whether it lay in the central 80 % interval.';
COMMENT ON COLUMN score.in_95 IS 'Whether it lay in the central 95 % interval.';
COMMENT ON COLUMN score.raw_crps IS 'The crps of the simulation''s own quantiles, before any recalibration.';
COMMENT ON COLUMN score.raw_error IS 'The mean of the simulation''s own members - observed.';
COMMENT ON COLUMN score.raw_half_width IS 'Half the width of its central 80 % interval.';
COMMENT ON COLUMN score.raw_inside_80 IS '1 where the outcome lay in that interval, else 0.';
COMMENT ON COLUMN score.weight_of_simulation IS 'Share of the simulation in what was published, 0 to 1.';
COMMENT ON COLUMN score.rival_crps IS 'Baseline to its crps; null for a baseline that had nothing to say.';
COMMENT ON COLUMN score.rival_absolute_error IS 'Baseline to the distance of its median from what came; null as in rival_crps.';
COMMENT ON COLUMN score.verified_at IS 'When the truth was read (UTC): its vintage.';

CREATE TABLE cycle (
    issued_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP NOT NULL,
    seconds DOUBLE NOT NULL,
    status VARCHAR NOT NULL,
    error VARCHAR
);
COMMENT ON TABLE cycle IS 'One row a turn of the scheduler, whether it brought a forecast or not.';
COMMENT ON COLUMN cycle.issued_at IS 'The issue time that was due (UTC).';
COMMENT ON COLUMN cycle.started_at IS 'When work began, on the house''s clock (UTC).';
COMMENT ON COLUMN cycle.ended_at IS 'When it ended (UTC).';
COMMENT ON COLUMN cycle.seconds IS 'How long it took in the world, in seconds, whatever the speed of the house''s clock.';
COMMENT ON COLUMN cycle.status IS 'done, missed or failed.';
COMMENT ON COLUMN cycle.error IS 'One sentence without identifiers; null when done.';

CREATE TABLE alarm_log (
    number BIGINT NOT NULL,
    noted_at TIMESTAMP NOT NULL,
    alarm VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    level VARCHAR NOT NULL,
    who VARCHAR,
    note VARCHAR,
    until TIMESTAMP,
    told VARCHAR NOT NULL
);
COMMENT ON TABLE alarm_log IS 'What became of every alarm, one row a step; rows are only added.';
COMMENT ON COLUMN alarm_log.number IS 'Order in which the rows were made.';
COMMENT ON COLUMN alarm_log.noted_at IS 'When, on the house''s clock (UTC).';
COMMENT ON COLUMN alarm_log.alarm IS 'Name of the alarm: its rule and when it was raised; of a watch, the rule''s alone.';
COMMENT ON COLUMN alarm_log.rule IS 'Name of the rule in the file of alerts.';
COMMENT ON COLUMN alarm_log.what IS 'watched, raised, escalated, acknowledged, snoozed or cleared.';
COMMENT ON COLUMN alarm_log.level IS 'Level of the rule from then on: normal, watch or alert.';
COMMENT ON COLUMN alarm_log.who IS 'Who was told (names of recipients), or who acknowledged or snoozed, as typed.';
COMMENT ON COLUMN alarm_log.note IS 'What that person wrote.';
COMMENT ON COLUMN alarm_log.until IS 'End of a snooze (UTC); null else.';
COMMENT ON COLUMN alarm_log.told IS 'What was said, as JSON text: sentences, chance, threshold, when first, how high.';

CREATE TABLE alarm_delivery (
    number BIGINT NOT NULL,
    noted_at TIMESTAMP NOT NULL,
    key VARCHAR NOT NULL,
    alarm VARCHAR NOT NULL,
    recipient VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    attempt INTEGER NOT NULL,
    next_at TIMESTAMP,
    error VARCHAR,
    message VARCHAR NOT NULL
);
COMMENT ON TABLE alarm_delivery IS 'Every step of every message to a recipient; rows are only added, the last of a key is how it stands.';
COMMENT ON COLUMN alarm_delivery.number IS 'Order in which the rows were made.';
COMMENT ON COLUMN alarm_delivery.noted_at IS 'When, on the house''s clock (UTC).';
COMMENT ON COLUMN alarm_delivery.key IS 'Names the message and its recipient; what is sent again bears it again.';
COMMENT ON COLUMN alarm_delivery.alarm IS 'The alarm that it is about (alarm_log.alarm).';
COMMENT ON COLUMN alarm_delivery.recipient IS 'Name of the recipient in the file of alerts.';
COMMENT ON COLUMN alarm_delivery.what IS 'What it tells: raised, escalated or cleared.';
COMMENT ON COLUMN alarm_delivery.outcome IS 'queued, failed (and will be tried again), sent, or dead (given up).';
COMMENT ON COLUMN alarm_delivery.attempt IS 'How often it was tried by then.';
COMMENT ON COLUMN alarm_delivery.next_at IS 'When it is tried again (UTC); null where it is not.';
COMMENT ON COLUMN alarm_delivery.error IS 'Why it was not taken, without addresses or content; null where it was.';
COMMENT ON COLUMN alarm_delivery.message IS 'What is sent, as JSON text, in the first row of a key.';

CREATE TABLE alert_chance (
    as_of TIMESTAMP NOT NULL,
    rule VARCHAR NOT NULL,
    threshold DOUBLE NOT NULL,
    p DOUBLE NOT NULL,
    rivals MAP(VARCHAR, DOUBLE) NOT NULL
);
COMMENT ON TABLE alert_chance IS 'What every forecast said of every rule: one row a forecast and rule.';
COMMENT ON COLUMN alert_chance.as_of IS 'The instant that the forecast is of (UTC).';
COMMENT ON COLUMN alert_chance.rule IS 'Name of the rule.';
COMMENT ON COLUMN alert_chance.threshold IS 'What must not be crossed, in the unit of the rule''s measure.';
COMMENT ON COLUMN alert_chance.p IS 'Share of members in which it comes, and lasts.';
COMMENT ON COLUMN alert_chance.rivals IS 'Baseline to the highest chance that it gives to any instant ahead.';

CREATE TABLE alert_setting (
    rule VARCHAR NOT NULL,
    set_at TIMESTAMP NOT NULL,
    p_alert DOUBLE,
    told VARCHAR NOT NULL
);
COMMENT ON TABLE alert_setting IS 'The chance that each rule was set to from the site''s own history; the last row of a rule counts.';
COMMENT ON COLUMN alert_setting.rule IS 'Name of the rule.';
COMMENT ON COLUMN alert_setting.set_at IS 'When (UTC).';
COMMENT ON COLUMN alert_setting.p_alert IS 'From this chance on it is an alarm; null where no chance keeps to the budget.';
COMMENT ON COLUMN alert_setting.told IS 'How it and its rivals would have done, as JSON text.';

CREATE TABLE proposal_log (
    number BIGINT NOT NULL,
    noted_at TIMESTAMP NOT NULL,
    proposal VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    who VARCHAR,
    words VARCHAR NOT NULL,
    told VARCHAR NOT NULL
);
COMMENT ON TABLE proposal_log IS 'The desk: what was proposed, said, decided and measured, one row a step; rows are only added.';
COMMENT ON COLUMN proposal_log.number IS 'Order in which the rows were made.';
COMMENT ON COLUMN proposal_log.noted_at IS 'When, on the house''s clock (UTC).';
COMMENT ON COLUMN proposal_log.proposal IS 'Name of the proposal.';
COMMENT ON COLUMN proposal_log.what IS 'proposed, commented, supported, unsupported, adopted, adapted, declined, withdrawn, ended, promised or measured.';
COMMENT ON COLUMN proposal_log.who IS 'Name of the person in the file of people; null for what the twin did.';
COMMENT ON COLUMN proposal_log.words IS 'What that person wrote.';
COMMENT ON COLUMN proposal_log.told IS 'JSON text: the change, until when it holds, what was foreseen of it, what it did.';

CREATE TABLE known_log (
    number BIGINT NOT NULL,
    noted_at TIMESTAMP NOT NULL,
    known BIGINT NOT NULL,
    what VARCHAR NOT NULL,
    who VARCHAR NOT NULL,
    told VARCHAR NOT NULL
);
COMMENT ON TABLE known_log IS 'What people said is already known, and undid, one row a step; rows are only added. Its events are in the log, of the source board.';
COMMENT ON COLUMN known_log.number IS 'Order in which the rows were made.';
COMMENT ON COLUMN known_log.noted_at IS 'When, on the house''s clock (UTC).';
COMMENT ON COLUMN known_log.known IS 'Which of the things said it is about: the number of the row in which it was said.';
COMMENT ON COLUMN known_log.what IS 'said or undone.';
COMMENT ON COLUMN known_log.who IS 'Name of the person in the file of people, or as it was typed.';
COMMENT ON COLUMN known_log.told IS 'JSON text: what was said, until when or for when, and the events that it became.';

CREATE TABLE own_scenario (
    name VARCHAR NOT NULL,
    saved_at TIMESTAMP NOT NULL,
    saved_by VARCHAR NOT NULL,
    told VARCHAR NOT NULL
);
COMMENT ON TABLE own_scenario IS 'Scenarios that the house''s people put together and saved; rows are only added, a name once.';
COMMENT ON COLUMN own_scenario.name IS 'Name in the catalogue; none that the catalogue had when it was saved.';
COMMENT ON COLUMN own_scenario.saved_at IS 'When, on the house''s clock (UTC).';
COMMENT ON COLUMN own_scenario.saved_by IS 'Who, as they said; empty where they did not.';
COMMENT ON COLUMN own_scenario.told IS 'Sentences and changes, as JSON text of the form of a catalogue''s entry.';

CREATE TABLE scenario_grid (
    grid_id VARCHAR NOT NULL,
    begun_at TIMESTAMP NOT NULL,
    as_of TIMESTAMP NOT NULL,
    known_at TIMESTAMP NOT NULL,
    design VARCHAR NOT NULL,
    made_from VARCHAR NOT NULL,
    members INTEGER NOT NULL,
    horizon_min DOUBLE NOT NULL,
    seed BIGINT NOT NULL
);
COMMENT ON TABLE scenario_grid IS 'One row a grid of scenarios that was run; the last ones are kept.';
COMMENT ON COLUMN scenario_grid.grid_id IS 'Names it: a hash of its design and what it was made from.';
COMMENT ON COLUMN scenario_grid.begun_at IS 'When it was first asked for (UTC).';
COMMENT ON COLUMN scenario_grid.as_of IS 'The instant of the hospital it starts from (UTC).';
COMMENT ON COLUMN scenario_grid.known_at IS 'It used only what was known by then (UTC).';
COMMENT ON COLUMN scenario_grid.design IS 'Its combinations, each a scenario by name and the levels of variables, as JSON text.';
COMMENT ON COLUMN scenario_grid.made_from IS 'Hashes of the state, the parameters and the code, as JSON text: it is carried on only where they are equal.';
COMMENT ON COLUMN scenario_grid.members IS 'Members that each combination is run with.';
COMMENT ON COLUMN scenario_grid.horizon_min IS 'The window that outcomes are of, in minutes.';
COMMENT ON COLUMN scenario_grid.seed IS 'Seed of presents and luck.';

CREATE TABLE scenario_grid_part (
    grid_id VARCHAR NOT NULL,
    first_member INTEGER NOT NULL,
    members INTEGER NOT NULL,
    outcome VARCHAR NOT NULL,
    outcomes FLOAT[] NOT NULL
);
COMMENT ON TABLE scenario_grid_part IS 'One row a chunk of members and outcome of a grid.';
COMMENT ON COLUMN scenario_grid_part.grid_id IS 'The grid it belongs to (scenario_grid.grid_id).';
COMMENT ON COLUMN scenario_grid_part.first_member IS 'The number of the chunk''s first member.';
COMMENT ON COLUMN scenario_grid_part.members IS 'How many members the chunk has.';
COMMENT ON COLUMN scenario_grid_part.outcome IS 'Name of the criterion, or of when a service breaks (break_min:..) and of its margin (margin:..).';
COMMENT ON COLUMN scenario_grid_part.outcomes IS 'In the criterion''s unit, combination by combination, of each its members; inf: never breaks, NaN: does not exist.';

CREATE TABLE placebo (
    as_of TIMESTAMP NOT NULL,
    told VARCHAR NOT NULL,
    distances VARCHAR
);
COMMENT ON TABLE placebo IS 'Windows in which nobody did anything: what was foreseen of them, and how far off it was; those of 60 days.';
COMMENT ON COLUMN placebo.as_of IS 'When the window begins (UTC).';
COMMENT ON COLUMN placebo.told IS 'What members foresaw of it, as JSON text.';
COMMENT ON COLUMN placebo.distances IS 'By measure, (observed - median) / standard deviation, as JSON text; null until its truth is settled.';

CREATE TABLE supply (
    issued_at TIMESTAMP NOT NULL,
    as_of TIMESTAMP NOT NULL,
    place INTEGER NOT NULL,
    scenario VARCHAR NOT NULL,
    item VARCHAR NOT NULL,
    levels DOUBLE[] NOT NULL,
    need DOUBLE[] NOT NULL,
    need_by_hour DOUBLE[][] NOT NULL,
    stock_by_hour DOUBLE[][] NOT NULL,
    lasts_min DOUBLE[] NOT NULL,
    p_short DOUBLE NOT NULL,
    p_short_before_next DOUBLE,
    missing DOUBLE NOT NULL
);
COMMENT ON TABLE supply IS 'What each forecast says of supplies: one row a scenario and item, in the item''s own unit.';
COMMENT ON COLUMN supply.issued_at IS 'The forecast (issue.issued_at).';
COMMENT ON COLUMN supply.as_of IS 'The instant that it is of (UTC).';
COMMENT ON COLUMN supply.place IS 'Place of the scenario in the forecast; 0 is what the others are compared with.';
COMMENT ON COLUMN supply.scenario IS 'Name of the scenario.';
COMMENT ON COLUMN supply.item IS 'Name of the item in the file of supplies.';
COMMENT ON COLUMN supply.levels IS 'Levels of the quantiles by hour and of lasts_min.';
COMMENT ON COLUMN supply.need IS '10, 50 and 90 % of what is needed in all; of devices, of the most in use.';
COMMENT ON COLUMN supply.need_by_hour IS 'By level: what is needed in each hour ahead; of devices, the most in use.';
COMMENT ON COLUMN supply.stock_by_hour IS 'By level: what is in stock now and after each hour; of devices free, of work waiting.';
COMMENT ON COLUMN supply.lasts_min IS 'By level: minutes until the stock is used up if nothing more comes (infinite: never); empty for what has none.';
COMMENT ON COLUMN supply.p_short IS 'Share of members in which something is needed and not there.';
COMMENT ON COLUMN supply.p_short_before_next IS 'The same before the next delivery; null where none comes.';
COMMENT ON COLUMN supply.missing IS 'How much is needed and not there, on average.';
