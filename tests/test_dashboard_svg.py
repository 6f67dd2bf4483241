"""Pieces of a picture: names fit their boxes, lines pass their points, texts are escaped."""

from __future__ import annotations

from dashboard.svg import breadth_of, curve, fitted, rect, text_at

WIDTH, HEIGHT, LETTER = 4.0, 3.0, 0.8


def fits(name: str, size: float, lines: list[str]) -> bool:
    """Every word there, no line too broad, all lines together not too high."""
    whole = " ".join(lines) == " ".join(name.split())
    return (
        whole and all(breadth_of(line) * size <= WIDTH for line in lines) and 1.12 * size * (len(lines) + 1) <= HEIGHT
    )


def test_a_name_is_broken_and_made_smaller_until_it_fits() -> None:
    for name in ("Triage", "Compte rendu d'imagerie", "Hospitalisation", "Short stay: wait for a bed"):
        size, lines = fitted(name, WIDTH, HEIGHT, LETTER, "45 min")
        assert fits(name, size, lines)
        assert not fits(name, 3 * LETTER, lines)
    assert fitted("Triage", WIDTH, HEIGHT, LETTER, "")[0] == LETTER


def test_a_name_that_fits_nowhere_stays_readable() -> None:
    size, lines = fitted("Anticonstitutionnellement" * 3, WIDTH, HEIGHT, LETTER, "")
    assert size > 0.4 * LETTER
    assert len(lines) == 1


def test_texts_are_escaped_and_shapes_have_their_class() -> None:
    assert text_at(1, 2, "a<b&c", "name", 0.8, "middle").endswith(">a&lt;b&amp;c</text>")
    assert rect(1, 2, 3, 4, "box", 0.3) == '<rect class="box" x="1.00" y="2.00" width="3.00" height="4.00" rx="0.3"/>'


def test_a_line_passes_its_points_and_leaves_along_the_way() -> None:
    assert curve([(0, 0), (2, 4)], down=False) == "M0.00 0.00C1.00 0.00 1.00 4.00 2.00 4.00"
    assert curve([(0, 0), (2, 4)], down=True) == "M0.00 0.00C0.00 2.00 2.00 2.00 2.00 4.00"
