"""What must hold of every page as a browser shows it, whichever it is: each check gives what is wrong, in words."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from dashboard.theme import Theme, colours

AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE_ALSO = {
    "color-contrast-enhanced": {"enabled": True},
    "color-contrast": {"enabled": False},
    "target-size": {"enabled": True},
}
"""Contrast of 7 to 1 in place of the 4.5 to 1 that it includes, and targets of 24 px."""
STEP = 10
"""So often Tab is pressed before one looks."""
SMALLEST_PX = 18.0
"""Of a letter on the wall at 1920x1080: it grows with the screen."""
_SIDEWAYS = "() => document.documentElement.scrollWidth - window.innerWidth"
_SEEN = """
const seen = (e) => e.checkVisibility({visibilityProperty: true, opacityProperty: true})
    && e.getClientRects().length > 0;
const name = (e) => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '')
    + [...e.classList].filter(c => !c.startsWith('m_')).map(c => '.' + c).join('');
"""
_CUT = f"""() => {{ {_SEEN}
    const hides = (e, side) => ['hidden', 'clip'].includes(getComputedStyle(e)['overflow' + side]);
    const own = (e) => e.closest('.js-plotly-plot, svg, select, input, textarea, .out-of-sight');
    const wide = (e) => e.scrollWidth > e.clientWidth + 1
        && (hides(e, 'X') || e.matches('.card, .tile, .header, .banner, .chip'));
    const high = (e) => e.scrollHeight > e.clientHeight + 1 && hides(e, 'Y');
    const out = [];
    for (const e of document.querySelectorAll('body *')) {{
        if (!e.clientWidth || own(e) || !seen(e) || !e.innerText || !e.innerText.trim()) continue;
        if (wide(e)) out.push(name(e) + ' is ' + (e.scrollWidth - e.clientWidth) + ' px too wide: '
            + e.innerText.slice(0, 60));
        else if (high(e)) out.push(name(e) + ' is ' + (e.scrollHeight - e.clientHeight) + ' px too high: '
            + e.innerText.slice(0, 60));
    }}
    return out;
}}"""
_SMALL = f"""(smallest) => {{ {_SEEN}
    const out = new Set();
    for (const e of document.querySelectorAll('.wall *, .wall text')) {{
        const says = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
        const size = parseFloat(getComputedStyle(e).fontSize);
        if (says && seen(e) && size < smallest) out.add(name(e) + ' is written in ' + size + ' px');
    }}
    return [...out];
}}"""
_WALK = f"""() => {{ {_SEEN}
    const asked = 'a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex="-1"])';
    const lone = (e) => e.type !== 'radio' || e.checked
        || !document.querySelector(`input[type=radio][name="${{e.name}}"]:checked`);
    const mine = (e) => seen(e) && !e.disabled && e.tabIndex >= 0 && lone(e) && !e.closest('[inert]');
    const all = [...document.querySelectorAll(asked)].filter(mine);
    window.walked = {{ all, met: new Set(), unseen: [] }};
    const ring = (e) => {{
        const style = getComputedStyle(e);
        return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none';
    }};
    document.addEventListener('focusin', ({{target}}) => {{
        window.walked.met.add(target);
        if (!ring(target) && !ring(target.parentElement)) window.walked.unseen.push(name(target));
    }});
    document.activeElement?.blur();
    return all.length;
}}"""
_LEFT = "() => window.walked.all.filter(e => e.isConnected && !window.walked.met.has(e)).length"
_MISSED = f"""() => {{ {_SEEN}
    const {{ all, met, unseen }} = window.walked;
    return [
        ...all.filter(e => e.isConnected && !met.has(e)).map(e => 'Tab does not reach ' + name(e)),
        ...[...new Set(unseen)].map(one => 'the focus is not seen on ' + one),
    ];
}}"""
_THEME = "[document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]"
_AXE = "(options) => axe.run(document, options).then(found => found.violations)"


def sideways(page: Page) -> list[str]:
    """Whether the page scrolls sideways."""
    by = page.evaluate(_SIDEWAYS)
    return [f"the page scrolls sideways by {by} px"] if by > 0 else []


def cut_off(page: Page) -> list[str]:
    """Texts that stick out of what holds them."""
    found: list[str] = page.evaluate(_CUT)
    return found


def too_small(page: Page, width: int) -> list[str]:
    """Letters on the wall that are not read from four metres, on a screen so wide."""
    found: list[str] = page.evaluate(_SMALL, SMALLEST_PX * width / 1920 - 0.01)
    return found


def language_of(page: Page, language: str) -> list[str]:
    """Whether the page says another language of itself than was asked for."""
    said = page.locator("html").get_attribute("lang")
    return [] if said == language else [f"html lang is {said}, but {language} was asked for"]


def theme_of(page: Page, theme: Theme | None) -> list[str]:
    """Whether a page is in another theme than it should be: one without a theme of its own is dark."""
    said, ground = page.evaluate(_THEME)
    colour = colours(theme or "dark")["ground"]
    painted = f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"
    return [
        *([] if said == theme else [f"the theme is {said}, but should be {theme}"]),
        *([] if ground == painted else [f"the ground is {ground}, but should be {painted}"]),
    ]


def out_of_reach(page: Page) -> list[str]:
    """What Tab does not reach, or reaches without its being seen."""
    steps = page.evaluate(_WALK)
    for _ in range(0, 4 * steps + STEP, STEP):  # a date has several stops
        for _ in range(STEP):
            page.keyboard.press("Tab")
        if not page.evaluate(_LEFT):
            break
    found: list[str] = page.evaluate(_MISSED)
    return found


def barriers(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA, its good practice, and a contrast of 7 to 1."""
    page.evaluate(AXE_SCRIPT)  # by the debugger's channel, which the page's policy does not bind
    options = {"runOnly": {"type": "tag", "values": AXE_TAGS}, "rules": AXE_ALSO, "resultTypes": ["violations"]}
    return [_told(rule, node) for rule in page.evaluate(_AXE, options) for node in rule["nodes"]]


def _told(rule: dict[str, Any], node: dict[str, Any]) -> str:
    why = [check["message"] for kind in ("any", "all", "none") for check in node[kind]]
    return f"{rule['id']} at {' '.join(map(str, node['target']))}: {'; '.join(why)} {node['html'][:160]}"


def greyed(page: Page, language: str) -> list[str]:
    """Whether a page whose link is lost looks alive, or does not say since when and whom to call."""
    grey = page.evaluate("getComputedStyle(document.querySelector('#react-entry-point, main.phone')).filter")
    said = page.locator("#lost").inner_text()
    since = {"fr": "LIAISON PERDUE depuis", "en": "LINK LOST since"}[language]
    return [
        *([] if "grayscale(1)" in grey else [f"the page is not grey, but {grey}"]),
        *([] if since in said else [f"the page does not say that the link is lost, but {said!r}"]),
    ]
