"""The medical facts of the fabricated hospital: every number of its law, with where it comes from.

Sources: (D) DREES survey of 13 June 2023 and its 2013 forerunner; (A) Alsace emergency visits 2013-2015, ORU/FEDORU;
(F) FRENCH triage, SFMU 2018; (J) our judgement, chosen so that the whole gives the published figures back.
All delays are lognormal, given as (median, sigma of the logarithm); minutes unless the name says otherwise.
Nothing here is shared with the twin's own parameters: this hospital obeys a law of its own.
"""

from __future__ import annotations

from typing import NamedTuple

from ingest.events import Acuity, AgeBand, ComplaintGroup, Mode, UnitId
from twin.fabricated_hospital import CARDIOLOGY, GERIATRICS, INTENSIVE_CARE, MEDICINE, SURGERY, UHCD


class Delay(NamedTuple):
    """How long something takes: lognormal."""

    median_min: float
    sigma: float


HOUR_MIN, DAY_MIN = 60.0, 1440.0

# --- arrivals -------------------------------------------------------------------------------------------------
HOURLY_ARRIVALS = (
    7001, 5650, 4529, 3898, 3394, 3238, 3584, 6105, 13676, 19662, 22533, 21483,
    18378, 19427, 22159, 21289, 20911, 21802, 21830, 20314, 19822, 16640, 13596, 9417,
)  # fmt: skip
"""340,338 visits by local hour (A)."""
WEEKDAY_FACTOR = (1.09, 1.0, 0.98, 0.98, 1.0, 0.98, 0.97)
"""Monday first; Monday is 11 % above the mean of the other days (D)."""
DAY_EFFECT_CV, DAY_EFFECT_MEMORY = 0.08, 0.3
"""Gamma effect of the day, 8-10 % (A), and its correlation from one day to the next (J)."""
SEASON_SHARE, SEASON_PEAK_DAY = 0.02, 15
"""Slow drift over the year, highest in mid-January (J)."""
HOLIDAYS = {
    (1, 1): 1.1,
    (5, 1): 0.9,
    (5, 8): 0.92,
    (7, 14): 1.05,
    (8, 15): 0.9,
    (11, 1): 0.92,
    (11, 11): 0.95,
    (12, 25): 0.82,
}
"""(month, day) of the French public holidays of fixed date: factor of the arrivals (J)."""
GROUP_SIZES, GROUP_SHARES = (1, 2, 3, 5), (0.955, 0.035, 0.008, 0.002)
"""Who arrives together: alone, a couple, a family, the victims of one accident (J)."""
EPIDEMIC_EVERY_DAYS, EPIDEMIC_DAYS = 90, 9
"""One epidemic somewhere in each block of 90 days; nine days with a ramp up and down, a week at full height (J)."""
EPIDEMIC_RISE = (0.15, 0.25)
"""Arrivals at the height of an epidemic: 15-25 % more, drawn for each (J)."""
EPIDEMIC_STAY_FACTOR, EPIDEMIC_OLD_FACTOR = 1.15, 1.4
"""Ward stays, and the odds of being 75 or over, at its height (J)."""
RETURN_SHARE, RETURN_WINDOW = 0.04, 1500
"""Visits by a patient who came before, among the last so many visits (J)."""

# --- patients -------------------------------------------------------------------------------------------------
AGE_SHARE: dict[AgeBand, float] = {"0-17": 0.25, "18-74": 0.60, "75+": 0.15}  # FEDORU 2021
AGE_RANGE: dict[AgeBand, tuple[int, int]] = {"0-17": (0, 17), "18-74": (18, 74), "75+": (75, 98)}
CHILD_EVENING_FACTOR, CHILD_EVENING = 1.35, range(17, 23)  # (J)
OLD_NIGHT_FACTOR, NIGHT = 0.8, frozenset((20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 6, 7))  # (J)
FEMALE_SHARE = 0.49
PLANNED_AGE_SHARE: dict[AgeBand, float] = {"18-74": 0.7, "75+": 0.3}  # (J)
MODE_SHARE: dict[AgeBand, dict[Mode, float]] = {
    "0-17": {"own_means": 0.918, "ambulance": 0.03, "fire_service": 0.046, "smur": 0.005, "police": 0.001},
    "18-74": {"own_means": 0.737, "ambulance": 0.14, "fire_service": 0.105, "smur": 0.009, "police": 0.009},
    "75+": {"own_means": 0.30, "ambulance": 0.48, "fire_service": 0.196, "smur": 0.022, "helicopter": 0.002},
}
"""All ages: own means 71-75 %, ambulance 16-17 %, fire service 10-11 %, SMUR 1 %, police 0.6 % (A); by age (J)."""
FIRE_NIGHT_FACTOR = 1.35
"""The fire service brings more by night (J)."""
COMPLAINT_SHARE: dict[AgeBand, dict[ComplaintGroup, float]] = {
    "0-17": {"medical_surgical": 0.58, "trauma": 0.36, "psychiatric": 0.01, "toxicology": 0.01, "other": 0.04},
    "18-74": {"medical_surgical": 0.60, "trauma": 0.28, "psychiatric": 0.045, "toxicology": 0.025, "other": 0.05},
    "75+": {"medical_surgical": 0.74, "trauma": 0.21, "psychiatric": 0.01, "toxicology": 0.005, "other": 0.035},
}
"""Diagnosis mix of Hauts-de-France 2022, 62 % medico-surgical and 28 % trauma in all; by age (J)."""
ACUITIES: tuple[Acuity, ...] = ("1", "2", "3A", "3B", "4", "5")
SEVERITY_LIMITS = (2.75, 1.62, 0.87, -0.02, -1.12)
"""Severity above the first limit is acuity 1 .. below the last is acuity 5: 1, 8, 15, 30, 33, 13 % in all (J, F)."""
SEVERITY_OF_AGE: dict[AgeBand, float] = {"0-17": -0.25, "18-74": 0.0, "75+": 0.7}
SEVERITY_OF_MODE: dict[Mode, float] = {
    "own_means": -0.15, "ambulance": 0.35, "fire_service": 0.5, "smur": 2.0, "helicopter": 2.2, "police": 0.1,
    "planned": 0.0,
}  # fmt: skip
SEVERITY_OF_COMPLAINT: dict[ComplaintGroup, float] = {
    "medical_surgical": 0.1, "trauma": -0.25, "psychiatric": 0.2, "toxicology": 0.5, "other": -0.2,
}  # fmt: skip

# --- in the department ----------------------------------------------------------------------------------------
TARGET_MIN: dict[Acuity, float] = {"1": 0, "2": 20, "3A": 60, "3B": 90, "4": 120, "5": 240}
"""Longest delay to the doctor by level (F); who is due first is called first."""
URGENT: frozenset[Acuity] = frozenset(("1", "2"))
REGISTRATION, TRIAGE = Delay(3, 0.5), Delay(4.5, 0.4)  # first nurse evaluation 4 min after registration (D)
PATIENCE: dict[Acuity, Delay] = {"3B": Delay(700, 0.6), "4": Delay(480, 0.6), "5": Delay(340, 0.6)}
"""How long one waits for a doctor before leaving; nobody more urgent leaves (J); at least 1 % leave (A)."""
CONTACT: dict[Acuity, Delay] = {
    "1": Delay(36, 0.4), "2": Delay(22, 0.4), "3A": Delay(16, 0.4), "3B": Delay(12.5, 0.4), "4": Delay(9.5, 0.4),
    "5": Delay(7, 0.4),
}  # fmt: skip
REVIEW = Delay(6, 0.5)
HANDOVER = Delay(4, 0.4)
"""Doctor's time: first contact, review of results, taking over a patient of a colleague (J)."""
CASELOAD_MAX, EASY_CASELOAD, SLOWER_PER_PATIENT = 9, 4, 0.03
MOST_BOARDERS_EACH = 4.0
FRESH_MIN, SLOWER_PER_TIRED_HOUR, SLOWER_PER_BOARDER = 360.0, 0.02, 0.03
"""Fatigue: slower with each patient above four, each hour after six, each boarder (up to four) to look after (J)."""
P_LABORATORY: dict[Acuity, float] = {"1": 0.95, "2": 0.85, "3A": 0.7, "3B": 0.5, "4": 0.22, "5": 0.06}
P_IMAGING: dict[Acuity, float] = {"1": 0.75, "2": 0.6, "3A": 0.5, "3B": 0.4, "4": 0.3, "5": 0.12}
P_SPECIALIST: dict[Acuity, float] = {"1": 0.5, "2": 0.25, "3A": 0.16, "3B": 0.11, "4": 0.07, "5": 0.03}
TRAUMA_IMAGING_FACTOR, TRAUMA_LABORATORY_FACTOR, OLD_TEST_FACTOR = 1.7, 0.4, 1.25
P_MORE_TESTS = 0.1
"""Shares tested (J); stay 76 min for a consultation, 95 with an opinion, 106 with imaging, 168 with blood (D 2013)."""
SAMPLING, ANALYSIS_DAY, ANALYSIS_NIGHT = Delay(14, 0.6), Delay(58, 0.3), Delay(72, 0.35)
BATCH_DAY_MIN, BATCH_NIGHT_MIN = 10.0, 25.0
"""Blood waits for the next run of the tube and the machine, rarer by night (J)."""
TO_IMAGING, IMAGING, READING_DAY, READING_NIGHT = Delay(9, 0.5), Delay(12, 0.4), Delay(13, 0.6), Delay(24, 0.7)
OPINION_DAY, OPINION_NIGHT = Delay(40, 0.7), Delay(60, 0.8)
OBSERVATION = Delay(145, 0.5)
P_OBSERVATION: dict[Acuity, float] = {"1": 1.0, "2": 1.0, "3A": 0.85, "3B": 0.35, "4": 0.05, "5": 0.0}
"""Infusions, monitoring, a second look: care that has to run its time before the decision (J)."""
TREATMENT, PAPERWORK = Delay(26, 0.7), Delay(14, 0.6)
TRANSPORT_HOME = Delay(60, 0.6)
P_TRANSPORT_HOME: dict[AgeBand, float] = {"0-17": 0.0, "18-74": 0.05, "75+": 0.5}
STAY_STEPS = frozenset((
    SAMPLING, ANALYSIS_DAY, ANALYSIS_NIGHT, TO_IMAGING, IMAGING, READING_DAY, READING_NIGHT, OPINION_DAY, OPINION_NIGHT,
    OBSERVATION, TREATMENT, PAPERWORK, TRANSPORT_HOME,
))  # fmt: skip
"""What makes a stay in the department, but for queues and the time of nurses and doctors."""
P_LEAVES_DURING_CARE, LEAVES_DURING_CARE = 0.02, Delay(160, 0.6)
"""Against advice or without a word, 0.2 % coded and more in fact (A)."""

# --- where they go --------------------------------------------------------------------------------------------
ADMISSION_LOGIT: dict[Acuity, float] = {"1": 2.6, "2": 1.0, "3A": -0.3, "3B": -1.75, "4": -3.1, "5": -4.4}
ADMISSION_LOGIT_OF_AGE: dict[AgeBand, float] = {"0-17": -1.3, "18-74": 0.0, "75+": 1.45}
"""About 20 % admitted in all, 62 % of those of 75 and over in 2013 and fewer since (A, D)."""
TRAUMA_ADMISSION_LOGIT = -0.5
P_DIES: dict[Acuity, float] = {"1": 0.06, "2": 0.004}
P_TRANSFER = 0.016  # (A)
P_INTENSIVE_CARE: dict[Acuity, float] = {"1": 0.5, "2": 0.09}
P_UHCD = 0.5
"""Short-stay unit, of those hospitalised: 51.5 % (A)."""
WARD_SHARE: dict[AgeBand, dict[UnitId, float]] = {
    "0-17": {MEDICINE: 0.6, SURGERY: 0.4},
    "18-74": {MEDICINE: 0.5, SURGERY: 0.32, CARDIOLOGY: 0.18},
    "75+": {GERIATRICS: 0.47, MEDICINE: 0.28, CARDIOLOGY: 0.13, SURGERY: 0.12},
}
TRAUMA_WARD_SHARE: dict[UnitId, float] = {SURGERY: 0.8, GERIATRICS: 0.1, MEDICINE: 0.1}
BED_REQUEST, TO_WARD, INTERNAL_TRANSFER = Delay(28, 0.7), Delay(58, 0.5), Delay(45, 0.5)
SEARCH_ELSEWHERE, SEARCH_AGAIN, INTENSIVE_CARE_SEARCH = Delay(420, 0.5), Delay(240, 0.4), Delay(60, 0.4)
OUTLIER_FREE_BEDS, P_TRANSFER_FOR_WANT_OF_BED = 2, 0.2
"""A boarder long without a bed is offered one in another ward with two to spare, or another hospital (J)."""

# --- wards ----------------------------------------------------------------------------------------------------
STAY: dict[UnitId, Delay] = {
    MEDICINE: Delay(4.3 * DAY_MIN, 0.85), GERIATRICS: Delay(7.6 * DAY_MIN, 0.75), SURGERY: Delay(2.6 * DAY_MIN, 0.85),
    CARDIOLOGY: Delay(3.3 * DAY_MIN, 0.75), INTENSIVE_CARE: Delay(2.4 * DAY_MIN, 0.9), UHCD: Delay(11.5 * 60, 0.4),
}  # fmt: skip
"""Until fit to leave (J); UHCD without later admission: 14 h 50 in all at the median (D)."""
STAY_FACTOR_OF_AGE: dict[AgeBand, float] = {"0-17": 0.6, "18-74": 0.9, "75+": 1.25}
P_UHCD_TO_WARD = 0.3
ROUND_HOUR, EXIT_AFTER_ROUND = 9, Delay(265, 0.22)
P_EXIT_WEEKDAY, P_EXIT_OFF, PRESSURE_PER_QUEUED, PRESSURE_MAX = 0.8, 0.42, 0.03, 0.15
"""At the round, who is fit leaves today or not: fewer at weekends, more when others queue; most leave 11-16 h (J)."""
UHCD_EXIT_HOURS, UHCD_EXIT = range(8, 21), Delay(35, 0.6)
CLEANING_DAY, CLEANING_NIGHT, CLEANING_HOURS = Delay(40, 0.4), Delay(75, 0.5), range(7, 21)
P_DIES_ON_WARD = 0.025
ELECTIVES_PER_WEEKDAY: dict[UnitId, float] = {SURGERY: 10.0, CARDIOLOGY: 4.0, MEDICINE: 3.0}
ELECTIVES_AT_ARRIVALS, P_ELECTIVE_FIRST = 220.0, 0.5
"""Planned admissions of a hospital of 220 arrivals a day; half have a bed before those who board (J)."""
ELECTIVE_HOUR, ELECTIVE_ARRIVAL, ELECTIVE_PATIENCE = 6, Delay(150, 0.3), Delay(480, 0.3)
CLOSURE_HOUR, P_CLOSURE, CLOSED_SHARE, CLOSURE_DAYS = 7, 0.03, (0.04, 0.12), Delay(4 * DAY_MIN, 0.4)
"""Each morning a unit may close some of its beds for days, for want of staff or for works (J)."""
