"""What a briefing says, and that neither its document nor any finished text says more than the verdicts allow."""

from __future__ import annotations

import copy
import io
import json
import re
import zipfile
from datetime import datetime
from typing import Any

import jsonschema
import polars as pl
import pptx
import pytest
from pptx.dml.color import RGBColor

from pipelines.briefing.building import FORMATS, BriefingRefused, built_briefing, checked, rendered
from pipelines.briefing.charts import bounds_of, segments, svg_of
from pipelines.briefing.claims import Claim, Overclaim, claim_of, learning_sentence, years_sentence
from pipelines.briefing.content import CHANGED, LEARNING, briefing_document
from pipelines.briefing.deck import UnusableMaster, pptx_of
from pipelines.briefing.extraction import UnusableFile, subject_of_deck, texts_of_file
from pipelines.briefing.language import CAUSED, COMPARED, EQUALLED, RANKED, flagged
from pipelines.briefing.lint import document_problems, text_problems, texts_of
from pipelines.briefing.material import NoBriefing
from pipelines.briefing.reproducible import stamped
from pipelines.release.folder import ReleaseFolder
from tests.briefing_fixture import COMMITMENT, YEARS, pair, release, value

CONVENING = "2025"
SENTENCE = (
    "Sequenced support (EC13), 2024-25 against 2023-24: higher in Chicago; no difference detected in Houston; "
    "not to be compared in Miami-Dade (break in the trend)."
)


@pytest.fixture(scope="module")
def whole() -> tuple[ReleaseFolder, dict[str, Any]]:
    made = release()
    return made, briefing_document(made, CONVENING)


def claim(district: str = "Chicago", verdict: str = "directly_comparable", finding: str | None = "higher", **more: Any) -> Claim:
    row = {"indicator_id": "EC13", "district": district.lower(), "district_label": district, "school_year": YEARS[1]}
    row |= {"other_school_year": YEARS[0], "verdict": verdict, "verdict_label": verdict.replace("_", " ").capitalize()}
    row |= {"is_comparable": verdict in ("directly_comparable", "too_close_to_call"), "finding": finding, "q_value": 0.01}
    return Claim(**(row | more))


def texts(document: dict[str, Any]) -> str:
    return "\n".join(text for _, text in texts_of(document))


def blocks(document: dict[str, Any], part: str) -> list[dict[str, Any]]:
    return [block for page in document["pages"] if page["part"] == part for block in page["blocks"]]


# --- Words -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Houston outperformed its peers.", COMPARED),
        ("Scores IMPROVED in Chicago.", COMPARED),
        ("Chicago is\nahead\tof Houston.", COMPARED),
        ("Reach went up in Miami-Dade.", COMPARED),
        ("The gap narrowed.", COMPARED),
        ("Chicago has more coaches.", COMPARED),
        ("Philadelphia is at the top.", RANKED),
        ("The lowest share of all.", RANKED),
        ("Chicago ranks second.", RANKED),
        ("Coaching led to results.", CAUSED),
        ("That was because of tutoring.", CAUSED),
        ("The impact of the new title is plain.", CAUSED),
        ("Results were stable.", EQUALLED),
        ("The two are similar.", EQUALLED),
        ("It stayed flat.", EQUALLED),
        ("Houston's share equals Chicago's.", EQUALLED),
    ],
)
def test_a_claiming_word_is_found_whatever_stands_around_it(text: str, kind: str) -> None:
    assert kind in {one.kind for one in flagged(text)}


@pytest.mark.parametrize(
    "text",
    [
        "No difference detected in Chicago.",
        "Not on a common scale: read each panel by itself.",
        "Groups under 10 people are not shown, and cannot be found by subtraction.",
        "Who keeps the materials coherent after this year?",
        "Lowell, Grosse Pointe and Morehouse sent their files.",
        "",
    ],
)
def test_plain_sentences_claim_nothing(text: str) -> None:
    assert flagged(text) == []


# --- Claims ------------------------------------------------------------------------------------------------------------------


def test_a_sentence_tells_every_district_with_what_its_verdict_allows() -> None:
    claims = [
        claim("Chicago"),
        claim("Houston", "too_close_to_call", None),
        claim("Miami-Dade", "trend_break", None, verdict_label="Break in the trend"),
    ]
    assert years_sentence("Sequenced support (EC13)", claims) == SENTENCE


@pytest.mark.parametrize("verdict", ["trend_break", "suppressed", "within_state_only", "too_close_to_call"])
def test_no_finding_is_told_that_a_verdict_does_not_allow(verdict: str) -> None:
    told = claim(verdict=verdict, finding="higher", is_comparable=False)
    with pytest.raises(Overclaim):
        _ = told.word
    assert "higher" not in years_sentence("S", [told])
    with pytest.raises(Overclaim):
        learning_sentence("S", told, [])


def test_a_finding_is_not_even_read_where_the_release_refuses_the_pair() -> None:
    row = pair("EC13", "chicago", "trend_break", "higher") | {"district_label": "Chicago", "verdict_label": "Break"}
    assert claim_of(row | {"is_comparable": False}).finding is None


def test_nothing_undetected_is_called_a_move() -> None:
    with pytest.raises(Overclaim):
        learning_sentence("S", claim(finding=None), [])


# --- The document ------------------------------------------------------------------------------------------------------------


def test_the_document_says_what_its_release_holds(whole: tuple[ReleaseFolder, dict[str, Any]]) -> None:
    made, document = whole
    checked(document)
    assert document_problems(document, made) == []
    statements = [block for page in document["pages"] for block in page["blocks"] if block["type"] == "statement"]
    assert statements[0]["text"] == SENTENCE
    assert [page["part"] for page in document["pages"]] == sorted(
        (page["part"] for page in document["pages"]), key=["changed", "challenges", "learning", "not_compared", "data"].index
    )
    first = document["pages"][0]
    assert first["title"].startswith("What we committed ourselves to")
    assert [row for block in first["blocks"] if block["type"] == "table" for row in block["rows"]] == [
        ["Chicago", "Educator Capacity", COMMITMENT, "2025-06-30", "Done (2024-25)"]
    ]
    said = texts(document)
    assert "No commitment of that convening was sent by Houston and Miami-Dade." in said
    assert "Houston: Math staff" in said and "Miami-Dade: Math staff" in said
    assert "2025-10-06 (2)" in said and "level 3, Met" in said


def test_context_stands_beside_every_district_and_hides_what_the_release_hides(
    whole: tuple[ReleaseFolder, dict[str, Any]],
) -> None:
    table = next(block for block in blocks(whole[1], CHANGED) if block.get("caption", "").startswith("Schools and students"))
    assert table["rows"][0] == ["Chicago", "IL", "20,000", "75 %", "not shown", "15 %", "10 %"]


def test_a_chart_shares_an_axis_only_where_every_pair_may_be_compared() -> None:
    def is_shared(verdict: str) -> bool:
        pairs = [
            pair("EC13", "chicago", "too_close_to_call"),
            pair("EC13", "chicago", verdict, comparison="districts", other_district="houston", other_school_year=YEARS[1]),
        ]
        document = briefing_document(release(pairs), CONVENING)
        return next(block["is_shared_axis"] for block in blocks(document, "challenges") if block["type"] == "years_chart")

    assert is_shared("too_close_to_call")
    assert not is_shared("trend_break")


def test_no_line_crosses_a_break_or_a_gap(whole: tuple[ReleaseFolder, dict[str, Any]]) -> None:
    chart = next(block for block in blocks(whole[1], "challenges") if block["type"] == "years_chart")
    hidden = next(panel for panel in chart["panels"] if panel["district"] == "miami_dade")["points"][1]
    assert (hidden["value"], hidden["why"], hidden["starts_anew"]) == (None, "confidential", True)
    points = [
        {"school_year": str(k), "value": v, "starts_anew": new}
        for k, (v, new) in enumerate([(1, False), (2, False), (3, True), (None, False), (4, False)])
    ]
    assert [[point["value"] for point in run] for run in segments(points)] == [[1, 2], [3], [4]]


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.4), (38.0, 47.0), (1200.0, 98000.0), (5.0, 5.0), (-0.4, 0.3)])
def test_an_axis_holds_what_is_drawn_on_it(low: float, high: float) -> None:
    point = {"value": (low + high) / 2, "lower": low, "upper": high}
    found = bounds_of({"panels": [], "is_shared_axis": False, "mark": ""}, {"points": [point]})
    assert found is not None
    assert found[0] <= low and found[1] >= high and found[0] < found[1]
    assert found[1] - found[0] <= 4 * max(high - low, abs(high), 1.0)


def test_a_share_in_a_range_is_told_by_its_ends_and_not_drawn() -> None:
    ranged = value("EC13", "chicago", YEARS[1], None, "r", at_least=0.0, at_most=0.05)
    document = briefing_document(release(values=[ranged]), CONVENING)
    chart = next(block for block in blocks(document, "challenges") if block["type"] == "years_chart")
    point = chart["panels"][0]["points"][0]
    assert (point["value"], point["said"]) == (None, "at most 5 %")


def test_the_first_convening_has_nothing_to_look_back_on_and_a_release_before_briefings_is_named() -> None:
    assert "no commitments yet" in texts(briefing_document(release(), "2024"))
    with pytest.raises(NoBriefing, match="2024 and 2025"):
        briefing_document(release(), "1999")
    made = release()
    older = ReleaseFolder(
        made.release_id, made.folder, made.manifest, {k: v for k, v in made.tables.items() if k != "convenings"}
    )
    with pytest.raises(NoBriefing, match="before briefings"):
        briefing_document(older, CONVENING)
    with pytest.raises(NoBriefing, match="no section rankings"):
        briefing_document(made, CONVENING, sections=["rankings"])


def test_what_changed_is_told_against_the_release_of_the_convening_before() -> None:
    values = [value("EC13", "chicago", YEARS[1], 0.4)]
    before = ReleaseFolder("0003-old", release().folder, {"inputs": [], "tables": {}}, release(values=values).tables)
    after = release(values=[*values, value("EC13", "houston", YEARS[1], 0.3)])
    document = briefing_document(after, CONVENING, before)
    assert document["since"] == "0003-old"
    assert "Since release 0003-old" in texts(document) and "1 value" in texts(document)
    assert document_problems(document, after, before) == []


# --- Who might learn from whom -----------------------------------------------------------------------------------------------

IMPROVED = pair("EC13", "chicago", "directly_comparable", "higher", 0.001)


def suggestions(pairs: list[dict[str, Any]], focus: list[tuple[str, str | None, bool | None]] | None = None) -> list[str]:
    document = briefing_document(release(pairs, focus=focus), CONVENING)
    assert document_problems(document, release(pairs)) == []
    return [block["text"] for block in blocks(document, LEARNING) if block["type"] == "statement"]


def test_a_certain_improvement_stands_beside_those_who_work_on_it() -> None:
    beside = pair("CM6", "chicago", "directly_comparable", "higher", 0.01)
    assert suggestions([IMPROVED, beside]) == [
        "Chicago: Sequenced support (EC13) was higher in 2024-25 than in 2023-24. "
        "Came before or with it: Materials on day 1 (CM6) was higher in 2024-25 than in 2023-24."
    ]


def test_a_lower_number_is_an_improvement_where_its_definition_says_so() -> None:
    assert len(suggestions([pair("EC7", "chicago", "directly_comparable", "lower", 0.001)])) == 1
    assert suggestions([pair("EC7", "chicago", "directly_comparable", "higher", 0.001)]) == []


@pytest.mark.parametrize(
    ("pairs", "focus"),
    [
        ([IMPROVED | {"q_value": 0.2}], None),
        ([IMPROVED | {"q_value": None}], None),
        ([IMPROVED | {"verdict": "trend_break"}], None),
        ([IMPROVED | {"verdict": "too_close_to_call", "finding": None}], None),
        ([IMPROVED | {"subgroup": "english_learner"}], None),
        ([IMPROVED], [("chicago", None, False), ("houston", "educator_capacity", True)]),
        ([IMPROVED], [("chicago", None, True), ("houston", "educator_capacity", False)]),
        ([IMPROVED], [("chicago", "educator_capacity", True)]),
        ([IMPROVED], [("chicago", None, True), ("houston", "materials", True)]),
    ],
)
def test_where_evidence_or_consent_is_thin_nothing_is_suggested(
    pairs: list[dict[str, Any]], focus: list[tuple[str, str | None, bool | None]] | None
) -> None:
    assert suggestions(pairs, focus) == []


# --- The linter over documents -----------------------------------------------------------------------------------------------


def _statement(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(block for page in document["pages"] for block in page["blocks"] if block["type"] == "statement")
    return found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: _statement(d).update(text=_statement(d)["text"].replace("Chicago", "Houston")), "is not the sentence"),
        (lambda d: _statement(d)["claims"][1].update(finding="higher", is_comparable=True), "does not hold"),
        (lambda d: _statement(d)["claims"][2].update(finding="lower"), "does not hold"),
        (lambda d: _statement(d).update(claims=[]), "no usable claims"),
        (lambda d: _statement(d).update(sentence="ranking"), "unknown kind"),
        (lambda d: d["quotes"].append("Houston is better than Chicago."), "release does not hold it"),
        (lambda d: d["pages"][0]["blocks"].append({"type": "text", "text": "Houston rose."}), "holds “rose”"),
        (lambda d: d["pages"][0]["notes"].append("Chicago leads the six."), "holds “leads the”"),
        (lambda d: d["pages"][0].update(title="The best year yet"), "holds “best”"),
    ],
)
def test_a_document_that_says_more_is_refused(
    whole: tuple[ReleaseFolder, dict[str, Any]], change: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, document = whole
    altered = copy.deepcopy(document)
    change(altered)
    assert any(said in problem.message() for problem in document_problems(altered, made))
    monkeypatch.setattr("pipelines.briefing.building.briefing_document", lambda *_: altered)
    with pytest.raises((BriefingRefused, jsonschema.ValidationError)):
        built_briefing(made, CONVENING, formats=[])


# --- Finished files ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(whole: tuple[ReleaseFolder, dict[str, Any]]) -> dict[str, bytes]:
    return built_briefing(whole[0], CONVENING)


def test_the_same_release_gives_the_same_bytes(files: dict[str, bytes]) -> None:
    assert built_briefing(release(), CONVENING) == files
    assert list(files)[-1] == "briefing.json"
    assert json.loads(files["briefing.json"])["release_id"] == "0007-abc"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_the_whole_document_and_no_more(
    files: dict[str, bytes], whole: tuple[ReleaseFolder, dict[str, Any]], name: str
) -> None:
    found = texts_of_file(f"briefing.{name}", files[f"briefing.{name}"])
    assert text_problems(found, whole[1]) == []
    said = " ".join(" ".join(text.split()) for _, text in found).replace("Miami- Dade", "Miami-Dade")
    for expected in (SENTENCE, COMMITMENT, "Which support stays?", "Second annual convening", "Break in the trend", "0007-abc"):
        assert expected in said, expected
    # Release, digest and what was chosen stand on every page.
    assert said.count(whole[1]["release_digest"]) >= len(whole[1]["pages"])


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "overclaim",
    [
        "Chicago outperforms Houston.",
        "Houston is the best of the six.",
        "Tutoring led to this.",
        "Results are stable everywhere.",
    ],
)
def test_an_overclaim_is_caught_in_every_format(whole: tuple[ReleaseFolder, dict[str, Any]], name: str, overclaim: str) -> None:
    altered = copy.deepcopy(whole[1])
    altered["pages"][1]["blocks"].insert(0, {"type": "text", "text": overclaim})
    content = rendered(altered, name)
    problems = text_problems(texts_of_file(f"briefing.{name}", content), whole[1])
    assert any(overclaim.split(".", maxsplit=1)[0] in problem.words for problem in problems)


def _edited(deck: bytes, change: Any) -> bytes:
    opened = pptx.Presentation(io.BytesIO(deck))
    change(opened)
    held = io.BytesIO()
    opened.save(held)
    return held.getvalue()


def _charts(deck: Any) -> list[Any]:
    return [shape for slide in deck.slides for shape in slide.shapes if shape.has_chart]


def _add_group(deck: Any) -> None:
    box = deck.slides[1].shapes.add_group_shape().shapes.add_textbox(0, 0, 900000, 300000)
    box.text_frame.text = "Chicago beats Houston"


@pytest.mark.parametrize(
    "change",
    [
        lambda deck: setattr(deck.slides[1].shapes.title.text_frame, "text", "Chicago beats Houston"),
        lambda deck: setattr(deck.slides[2].notes_slide.notes_text_frame, "text", "Say that Chicago beats Houston."),
        lambda deck: setattr(_charts(deck)[0].chart.chart_title.text_frame, "text", "Chicago beats Houston"),
        lambda deck: _charts(deck)[0]._element.nvGraphicFramePr.cNvPr.set("descr", "Chicago beats Houston"),
        lambda deck: setattr(
            next(s for s in deck.slides[1].shapes if s.has_table).table.cell(1, 2), "text", "Chicago beats Houston"
        ),
        _add_group,
    ],
)
def test_an_edited_deck_is_checked_wherever_people_write(
    files: dict[str, bytes], whole: tuple[ReleaseFolder, dict[str, Any]], change: Any
) -> None:
    problems = text_problems(texts_of_file("edited.pptx", _edited(files["briefing.pptx"], change)), whole[1])
    assert problems and all("beats" in problem.message() and problem.place.startswith("slide") for problem in problems)


@pytest.mark.parametrize("hidden", ["Chicago out\u00adperforms Houston", "Chicago is hig\u200bher", "Chicago is \uff48igher"])
def test_letters_without_a_width_and_other_forms_hide_no_word(whole: tuple[ReleaseFolder, dict[str, Any]], hidden: str) -> None:
    assert text_problems([("slide 3", hidden)], whole[1])


def test_a_master_speaks_on_every_slide(files: dict[str, bytes], whole: tuple[ReleaseFolder, dict[str, Any]]) -> None:
    def change(deck: Any) -> None:
        box = deck.slides[1].shapes.add_textbox(0, 0, 900000, 300000)
        box.text_frame.text = "The best districts"
        deck.slide_master.shapes._spTree.append(box._element)

    problems = text_problems(texts_of_file("edited.pptx", _edited(files["briefing.pptx"], change)), whole[1])
    assert [problem.place for problem in problems] == ["master"]


def test_an_honest_edit_passes(files: dict[str, bytes], whole: tuple[ReleaseFolder, dict[str, Any]]) -> None:
    def change(deck: Any) -> None:
        deck.slides[1].shapes.title.text_frame.text = "Our promises of last July"

    assert text_problems(texts_of_file("edited.pptx", _edited(files["briefing.pptx"], change)), whole[1]) == []


def test_a_sentence_may_not_lose_its_end(whole: tuple[ReleaseFolder, dict[str, Any]]) -> None:
    """That one district is higher may stand, but not without those of which nothing may be said."""
    cut = SENTENCE.split("; not to be compared", maxsplit=1)[0]
    assert text_problems([("slide 3", cut)], whole[1])
    assert text_problems([("slide 3", SENTENCE.replace(" ", "\n"))], whole[1]) == []


def test_the_deck_is_native_editable_and_described(files: dict[str, bytes]) -> None:
    deck = pptx.Presentation(io.BytesIO(files["briefing.pptx"]))
    charts = _charts(deck)
    assert len(charts) == 3
    assert all(shape._element.nvGraphicFramePr.cNvPr.get("descr") for shape in charts)
    chicago = charts[0].chart
    assert [round(number, 1) for number in chicago.plots[0].series[0].values] == [20.0, 25.0]
    assert b"errBars" in chicago.part.blob
    assert chicago.part.chart_workbook.xlsx_part is not None
    assert all(slide.shapes.title is not None and slide.shapes.title.text_frame.text for slide in deck.slides)
    assert (
        subject_of_deck(files["briefing.pptx"]) == f"0007-abc {CONVENING} {json.loads(files['briefing.json'])['release_digest']}"
    )


def test_a_facilitators_own_master_is_used(tmp_path: Any, whole: tuple[ReleaseFolder, dict[str, Any]]) -> None:
    own = pptx.Presentation()
    own.slide_layouts[5].name = "Title Only"
    own.slides.add_slide(own.slide_layouts[0]).shapes.title.text = "An old slide"
    own.slide_master.background.fill.solid()
    own.slide_master.background.fill.fore_color.rgb = RGBColor(0xFA, 0xF0, 0xE6)
    path = tmp_path / "master.pptx"
    own.save(path)
    made = pptx.Presentation(io.BytesIO(pptx_of(whole[1], path)))
    assert made.slide_width == own.slide_width
    assert made.slide_master.background.fill.fore_color.rgb == RGBColor(0xFA, 0xF0, 0xE6)
    assert all(slide.shapes.title.text_frame.text != "An old slide" for slide in made.slides)
    right = max(shape.left + shape.width for slide in made.slides for shape in slide.shapes)
    assert right <= made.slide_width
    path.write_bytes(b"no presentation")
    with pytest.raises(UnusableMaster, match=r"master\.pptx"):
        pptx_of(whole[1], path)


def test_the_page_needs_nothing_else_and_takes_words_as_words(whole: tuple[ReleaseFolder, dict[str, Any]]) -> None:
    hostile = copy.deepcopy(whole[1])
    hostile["pages"][0]["blocks"].append({"type": "text", "text": "<script>alert('x')</script><img src=//example.invalid/i.png>"})
    hostile["pages"][0]["title"] = "</title><b>bold</b>"
    page = rendered(hostile, "html").decode()
    assert "<script" not in page and "<img" not in page and "<b>" not in page
    assert "default-src 'none'" in page
    for outside in ('src="http', 'href="http', "url(http", "@import"):
        assert outside not in page


def test_a_picture_tells_no_raw_numbers_to_screen_readers(whole: tuple[ReleaseFolder, dict[str, Any]]) -> None:
    chart = next(block for block in blocks(whole[1], "challenges") if block["type"] == "years_chart")
    picture = svg_of(chart)
    assert re.findall(r'aria-label="[^"]*\d', picture) == []
    assert "Chicago" in picture and "confidential" in picture


# --- Files that people bring -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["deck.pptx", "page.html", "print.pdf"])
def test_a_file_that_is_none_is_said_in_a_sentence(name: str) -> None:
    with pytest.raises(UnusableFile, match=name.split(".", maxsplit=1)[0] if name != "page.html" else "page"):
        texts_of_file(name, b"\xff\xfe\x00 no such file")


def test_other_kinds_of_files_and_archives_that_grow_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnusableFile, match="neither"):
        texts_of_file("deck.key", b"")
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ppt/big.xml", b"0" * 3_000_000)
    monkeypatch.setattr("pipelines.briefing.extraction.MOST_BYTES", 1_000_000)
    with pytest.raises(UnusableFile, match="larger than"):
        texts_of_file("deck.pptx", held.getvalue())


def test_a_stamped_package_names_one_time_only() -> None:
    def package(when: str) -> bytes:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("docProps/core.xml", f'<a><dcterms:created xsi:type="x">{when}</dcterms:created></a>')
        return held.getvalue()

    when = datetime(2025, 7, 15)
    first = stamped(package("2026-01-01T00:00:00Z"), when)
    assert first == stamped(package("2026-02-02T00:00:00Z"), when)
    assert b"2025-07-15T00:00:00Z" in zipfile.ZipFile(io.BytesIO(first)).read("docProps/core.xml")


def test_tables_of_a_release_that_are_empty_leave_honest_pages() -> None:
    made = release(values=[value("EC13", "chicago", YEARS[1], None, "x")], pairs=[pair("EC13", "chicago", "no_data")])
    nothing: dict[str, pl.DataFrame] = {
        name: made.tables[name].clear() for name in ("commitments", "district_focus", "submissions")
    }
    empty = release(values=[value("EC13", "chicago", YEARS[1], None, "x")], pairs=[pair("EC13", "chicago", "no_data")], **nothing)
    files = built_briefing(empty, CONVENING)
    assert (
        "Nothing is certified yet" in texts_of_file("briefing.html", files["briefing.html"])[3:][0][1]
        or b"Nothing is certified" in files["briefing.html"]
    )
