"""Which columns make a delivery look like data about single people, told from its headers and its values.

Belongs here: the words of headers (English and Spanish), the shapes of values, and how much of them it takes. Does not
belong here: reading, the mapping (every column counts, used or not), and what happens to a delivery that is refused.

A message names columns and never repeats a value. Where a header is missing, the first row's values became the names of
columns: a name that looks like a value is shown as the position of its column.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from pipelines.intake.reading import RESERVED_COLUMNS, Delivered

READ_PERSONAL: Final = "READ-PERSONAL"
PERSONAL_MEANING: Final = "The delivery looks like data about single students or other people, which is never taken or kept."
PERSONAL_FIX: Final = "Send counts by school, grade and student group; this file was not kept. Delete it where it lies."

_STUDENT_NUMBER: Final = "a student number"
_SOCIAL_SECURITY: Final = "Social Security numbers"
_BIRTH: Final = "birth dates"
_GUARDIAN: Final = "parents or guardians"
_STAFF: Final = "staff members"
_NAMES: Final = "names of people"
_EMAIL: Final = "e-mail addresses"
_PHONE: Final = "phone numbers"
_ADDRESS: Final = "home addresses"
_ONE_ROW: Final = "a number of its own in every row, beside traits of single students"
_OF_STUDENTS: Final = frozenset({_STUDENT_NUMBER, _SOCIAL_SECURITY, _BIRTH, _GUARDIAN, _ADDRESS, _ONE_ROW, _NAMES})


@dataclass(frozen=True)
class PersonalColumn:
    """A column that speaks for data about single people, why, and where it stands if not in the table itself."""

    column: str
    why: str
    place: str = ""


# --- words in headers ---
#
# A header is compared in lower case, without accents, camel case taken apart, everything but letters one blank. A blank
# in a pattern is optional wherever people also write the words together.

_PERSON: Final = (
    r"(?:student|studnt|stdnt|stud|stu|pupil|learner|scholar|child|kid|examinee|test ?taker|participant|respondent"
    r"|individual|person|candidate|alumn[oa]|estudiante|nin[oa])"
)
_SPANISH_PERSON: Final = r"(?:alumn[oa]|estudiante|nin[oa])"
_ID: Final = r"(?:i ?d(?: ?s)?|ident|identifier|identification|identificador|identificacion|uid|guid|uuid|key|pin)"
_NUMBER: Final = r"(?:number|num|nbr|nmbr|no|nr|code|cd)"
_WHICH: Final = (
    r"(?: ?(?:state|local|district|dist|sis|unique|uniq|perm|permanent|internal|external|national|registration|lunch"
    r"|official|system|record|enrollment))*"
)
_REST: Final = rf"(?: ?(?:{_ID}|{_NUMBER}|state|local|district|sis|hash|hashed|encrypted|masked))*"
_NAME: Final = r"(?:names?|nm|nombres?)"
_OF: Final = r"(?: (?:of|for|de los|de la|del|de))?(?: the)?"
_GUARDIANS: Final = (
    r"(?:parent|guardian|mother|father|caregiver|care ?giver|emergency ?contact|madre|padre|tutor|tutora|acudiente|encargad[oa])"
)

_TELLING: Final[Mapping[str, str]] = {
    _SOCIAL_SECURITY: r"\bs ?s ?n\b|\bsoc(?:ial)? ?sec(?:urity)?\b|\bseguro ?social\b",
    _BIRTH: (
        r"\b(?:date|dt|dte|day)(?: ?of)? ?(?:birth|brth)\b|\b(?:birth|brth) ?(?:date|dates|dt|dte|day|days)\b|\bd ?o ?b\b"
        r"|\bb ?day\b|^born(?: ?on)?$|\bfec(?:ha)?(?: ?de)? ?nac(?:imiento)?\b|\bnacimiento\b"
    ),
    _GUARDIAN: (
        rf"\b{_GUARDIANS}(?: ?(?:s|or|and|guardian|parent|legal|first|last|full|maiden|home|cell|mobile|work|primary|day ?time))*"
        rf" ?(?:{_NAME}|surname|phone|telephone|tel|cell|mobile|e ?mail|address|correo|telefono|signature|contact|{_ID})\b"
        rf"|\b(?:{_NAME}|apellidos?|telefono|correo|firma){_OF} ?(?:(?:the )?(?:padres?|madres?|tutor(?:a|es)?|parents?|guardians?"
        r"|acudientes?|encargad[oa]s?))\b"
    ),
    _STAFF: (
        r"\b(?:teacher|educator|instructor|counselor|counsellor|employee|staff(?: ?member)?|maestr[oa]|docente|profesora?)"
        rf"(?: ?(?:s|of ?record|first|last|full|primary|homeroom|math))* ?(?:{_NAME}|e ?mail|phone|i ?d(?: ?s)?|identifier)\b"
        rf"|\b{_NAME}{_OF} ?(?:teacher|employee|maestr[oa]|docente|profesora?)$"
    ),
    _STUDENT_NUMBER: (
        rf"\b{_PERSON}(?: ?s)?{_WHICH} ?{_ID}{_REST}$|\b{_PERSON}{_WHICH} ?{_NUMBER}{_REST}$"
        rf"|\b{_ID}(?: ?{_NUMBER})?{_OF} ?{_PERSON}$"
        rf"|\b(?:numero|num|no|nro|codigo|cod|clave|matricula|cedula|folio|expediente){_OF} ?{_SPANISH_PERSON}$"
        rf"|^(?:nyc|nys|local|state|student|unique)* ?(?:osis|ssid|sasid|lasid|suid|upn|nyssis|curp)(?: ?(?:{_ID}|{_NUMBER}))*$"
        rf"|^(?:perm|permanent) ?(?:{_ID}|{_NUMBER})$|\b(?:medicaid|passport|driver ?s? ?licen[sc]e) ?(?:{_ID}|{_NUMBER})?$"
    ),
    _EMAIL: rf"\b{_PERSON}(?: ?s)?(?: ?(?:school|personal|home|district))? ?e ?mail\b|\b(?:personal|home) ?e ?mail\b",
    _PHONE: (
        rf"\b(?:{_PERSON}|home|cell|cellular|mobile|personal|emergency)(?: ?(?:s|home|cell|mobile))* ?(?:phone|telephone|tel)\b"
        r"|^(?:celular|movil)$|\btelefono ?(?:de casa|del hogar|celular|movil|particular|del? (?:alumn[oa]|estudiante))\b"
    ),
    _ADDRESS: (
        rf"\b(?:home|residence|residential|{_PERSON}|parent|guardian)(?: ?(?:s|street|mailing|home))* ?(?:address|addr|street)\b"
        r"|\bdomicilio\b|\bdireccion ?(?:particular|de casa|del hogar|residencial|de domicilio|del? (?:alumn[oa]|estudiante))\b"
    ),
    _NAMES: (
        r"\b(?:first|last|middle|given|maiden|preferred|nick|fore|christian|sur)s? ?(?:names?|nm)\b|^family ?name$"
        r"|\b[flm] ?name\b|\bapellidos?\b|\b(?:primer|segundo) ?nombre\b|^nombres$"
        rf"|\b{_PERSON}(?: ?s)?(?: ?(?:full|legal|first|last|middle|display|preferred|complete|official))* ?(?:{_NAME}|surname)\b"
        rf"|\b{_NAME}{_OF} ?{_PERSON}$|\bnombre ?(?:completo|y apellidos?)\b|^last ?(?:name)? ?first(?: ?name)?(?: ?m(?:i|iddle)?)?$"
    ),
}
"""Why, and headers that by themselves say that a row is about one person."""

_FULL_NAME: Final = r"^(?:full|legal|complete) ?name$"
_SOMEBODY: Final = (
    rf"^(?:school )?(?:{_PERSON}|{_GUARDIANS}|vice principal|assistant principal|principal|head ?teacher|superintendent|director"
    rf"|directora|contact(?: person)?|coach|administrator|teacher|counselor|maestr[oa]|docente|employee)(?: ?s)?(?: ?{_NAME})?$"
)
_PLAIN_NAME: Final = r"^(?:name|nombre)$"
_PERSON_WORD: Final = rf"\b{_PERSON}\b"
_SCHOOL_WORD: Final = r"\b(?:school|campus|district|dbn|site|building|escuela|distrito|lea|plantel)\b"
_OFFICE_WORD: Final = r"\b(?:school|office|district|department|website|escuela|distrito|oficina)\b"
_SUBJECT_WORD: Final = (
    r"\b(?:school|campus|district|network|site|building|title|publisher|edition|course|program|curriculum|group|subgroup|category"
    r"|race|ethnicity|raza|etnia|city|town|location|county|state|jurisdiction|address|comments?|notes?|text|message|description"
    r"|subject|test|instrument|material|provider|vendor|organization|agency|entity|institution|escuela|distrito|titulo|author)\b"
)
_NOT_BIRTH_WORD: Final = (
    r"\b(?:open|opened|opening|close|closed|start|begin|end|test|tested|testing|admin|administration|administered|approved|adopted"
    r"|adoption|created|updated|modified|effective|release|released|publish|published|report|reported|review|window|export)\b"
)
_COUNTED: Final = (
    r"\b(?:counts?|pct|percent|percentage|rates?|share|avg|average|mean|median|total|sum|ratio|proportion|missing"
    r"|(?:number|num|no|nbr|n) of|porcentaje|promedio|cantidad|tasa)\b|%"
)
"""In such a header the words of a person are what is counted."""
_COUNT_COLUMN: Final = (
    r"^(?:n|num|no|number|nbr|nbr|pct|percent) |\bnumber (?:of|tested|enrolled|scored|valid|students?)\b|%"
    r"|\b(?:counts?|pct|percent|percentage|proportion|tested|enrolled|enrollment|enrolment|membership|headcount|students|pupils"
    r"|learners|estudiantes|alumnos|matricula|mean|average|avg|median)\b|\btotal (?:n|count|number|reported)\b"
)
_SCORE_WORD: Final = r"\b(?:scores?|theta|percentile|proficien\w+|(?:performance|achievement) level|gpa|puntaje|calificacion)\b"
_TRAIT_WORD: Final = (
    r"\b(?:gender|sex|race|ethnicity|sexo|genero|raza|etnia|home language|ell|lep|iep|swd|frl|lunch|disability|english learner"
    r"|birth|age|edad|grade level|economically disadvantaged|homeless|migrant)\b"
)
_NOT_OWN_ID_WORD: Final = (
    r"\b(?:school|campus|district|lea|site|dbn|network|unit|building|institution|row|record|line|index|county|cds|nces|title|isbn"
    r"|course|class|section|item|standard|date|score|scores|escuela|distrito)\b"
)

# --- shapes of values ---

_EMAIL_VALUE: Final = r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
_SSN_VALUE: Final = r"^(\d{3})[- ](\d{2})[- ](\d{4})$"
_PHONE_VALUE: Final = r"^(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])\d{3}[ .-]\d{4}(?: ?(?:x|ext\.?) ?\d+)?$"
_YEAR_FIRST: Final = (
    r"^((?:19|20)\d{2})[-/.]\d{1,2}[-/.]\d{1,2}(?:[ T].*)?$|^((?:19|20)\d{2})(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$"
)
_YEAR_LAST: Final = (
    r"^\d{1,2}[-/. ](?:\d{1,2}|[A-Za-z]{3,9})[-/. ]((?:19|20)?\d{2})(?: .*)?$|^[A-Za-z]{3,9}\.? \d{1,2}, ((?:19|20)\d{2})$"
)
_NAME_PART: Final = r"\p{Lu}[\p{L}'’.-]*(?: \p{L}[\p{L}'’.-]*){0,2}"
_LAST_FIRST_VALUE: Final = rf"^{_NAME_PART}, ?{_NAME_PART}$"
_FIRST_LAST_VALUE: Final = r"^(?:(?:Mr|Ms|Mrs|Dr)\.? )?\p{Lu}[\p{L}'’.-]*(?: \p{L}[\p{L}'’.-]*){1,3}$"
_NOT_A_NAME: Final = (
    r"\b(?:school|elementary|middle|high|academy|academies|charter|magnet|center|centre|prep|preparatory|institute|campus|college"
    r"|university|isd|usd|district|county|city|state|program|primary|secondary|intermediate|junior|senior high|ps|ms|hs|es|inc|llc"
    r"|ltd|co|corp|company|press|publishing|publishers|education|learning|math|mathematics|algebra|geometry|reading|writing|science"
    r"|english|grades?|level|test|white|black|hispanic|latin[oax]|asian|pacific|islander|native|indian|alaskan?|hawaiian|african"
    r"|american|multiracial|races?|ethnic\w*|male|female|boys|girls|students?|learners?|disabilit\w+|income|economic\w*|general"
    r"|special|not|non|and|or|of|with|without|all|other|unknown|total|yes|no|north|south|east|west"
    r"|alabama|alaska|arizona|arkansas|california|colorado|connecticut|delaware|florida|hawaii|idaho|illinois|indiana|iowa|kansas"
    r"|kentucky|louisiana|maine|maryland|massachusetts|michigan|minnesota|mississippi|missouri|montana|nebraska|nevada|hampshire"
    r"|jersey|mexico|york|ohio|oklahoma|oregon|pennsylvania|tennessee|texas|utah|vermont|wisconsin|wyoming|usa)\b"
    r"|, ?(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|W[AVIY])$"
)
_GENDER_VALUE: Final = r"^(?:f|m|x|u|n|male|female|non-?binary|masculino|femenino|hombre|mujer|boy|girl|unknown|not specified|gender|sex|sexo|genero)$"
_RACE_VALUE: Final = (
    r"\b(?:white|black|hispanic|latin[oax]|asian|pacific|hawaiian|native|american indian|multiracial|two or more|unknown|race|races"
    r"|ethnicity|multi|other|filipino|caucasian|african|raza|etnia|blanc[oa]|negr[oa]|hispan[oa])\b"
)
_MANY_VALUE: Final = r"^(?:all|all students|total|totals|everyone|both|todos)$"
_LOOKED_AT_BYTES: Final = 200
_TOP_ROWS: Final = 30
_HEADER_CELL_BYTES: Final = 80
_MOST_HEADER_CELLS: Final = 200_000
_YOUNGEST, _OLDEST = 4, 22


def personal_message(columns: Sequence[PersonalColumn]) -> str:
    """What makes a delivery look personal, in one sentence without a value. `columns` as `personal_data` returns them."""
    listed = [f'"{column.column}" {column.place} ({column.why})'.replace("  ", " ") for column in columns[:10]]
    if len(columns) > 10:
        listed.append(f"{len(columns) - 10:,} more")
    named = " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)
    subject, verb = ("the columns", "make") if len(columns) > 1 else ("the column", "makes")
    whom = "students" if any(column.why in _OF_STUDENTS for column in columns) else "people"
    return f"{subject} {named} {verb} this file look like data about single {whom}"


def personal_data(delivered: Delivered, today: dt.date | None = None) -> tuple[PersonalColumn, ...]:
    """The columns for which a delivery must be refused; none for a table of counts.

    Looks into every column of the table and into what lies beside it (lines above the header, other sheets, pivot tables).
    `today` (default: the current day) is what birth dates are counted back from. Time is linear in the cells.
    """
    today = today or dt.date.today()
    found = _personal_columns(delivered.table.select(delivered.columns), _top_rows(delivered), "", today)
    for beside in delivered.beside:
        found += _personal_columns(beside.table, beside.table.head(_TOP_ROWS).with_row_index("row"), beside.place, today)
    return tuple(found)


def _top_rows(delivered: Delivered) -> pl.DataFrame:
    """The first 30 rows of each file, where a header may stand if it was not read as one."""
    place = delivered.table.select(*RESERVED_COLUMNS)
    is_first = (pl.col("delivered_file") != pl.col("delivered_file").shift()) | (pl.col("delivered_line").diff() <= 0)
    starts = place.select(pl.when(is_first.fill_null(True)).then(pl.col("delivered_row")).forward_fill()).to_series()
    is_top = place["delivered_row"] - starts < _TOP_ROWS
    return delivered.table.filter(is_top).select(pl.col("delivered_row").alias("row"), *delivered.columns)


@dataclass(frozen=True)
class _Column:
    """A column: what its headers say, and its distinct values with how often each occurs."""

    name: str
    labels: tuple[str, ...]
    telling: str | None
    values: pl.DataFrame
    n_rows: int

    def says(self, pattern: str) -> bool:
        """Whether a header of the column, normalised, has this pattern in it."""
        return any(re.search(pattern, label) for label in self.labels)

    def count(self, mask: pl.Expr) -> tuple[int, int]:
        """Rows and distinct values for which an expression over `value` is true."""
        if self.values.is_empty():
            return 0, 0
        return self.values.select(pl.col("n").filter(mask).sum(), mask.sum()).row(0)

    def is_mostly(self, mask: pl.Expr, share: float) -> bool:
        """Whether at least two distinct values, and this share of the rows that hold one, are so."""
        rows, distinct = self.count(mask)
        return distinct >= 2 and rows >= share * self.n_filled

    @property
    def n_filled(self) -> int:
        return int(self.values["n"].sum())


def _personal_columns(table: pl.DataFrame, tops: pl.DataFrame, place: str, today: dt.date) -> list[PersonalColumn]:
    if not table.width or not table.height:
        return []
    labels = _labels(table.columns, tops)
    columns = [_column(table[name], labels.filter(pl.col("column") == position)) for position, name in enumerate(table.columns)]
    is_counted = any(column.says(_COUNT_COLUMN) and column.telling is None for column in columns)
    reasons: dict[int, str] = {}
    for position, column in enumerate(columns):
        why = _reason(column, columns, today, is_counted=is_counted)
        if why is not None:
            reasons[position] = why
    if not reasons and not is_counted and (own := _own_number(table, columns)) is not None:
        reasons[own] = _ONE_ROW
    if not reasons:
        return []
    hints = {position: why for position, column in enumerate(columns) if (why := _hint(column)) is not None}
    every = sorted({**hints, **reasons}.items())
    return [PersonalColumn(_shown(columns[position].name, position), why, place) for position, why in every]


def _column(values: pl.Series, labels: pl.DataFrame) -> _Column:
    """One column's headers and distinct values; `labels`: text, telling (why, or null), of this column."""
    telling = labels["telling"].drop_nulls()
    counted = values.drop_nulls().value_counts(name="n")
    counted.columns = ["value", "n"]
    n_cells = labels.filter(pl.col("is_cell"), pl.col("telling").is_not_null()).height
    holds_more = int(counted["n"].sum()) > n_cells
    return _Column(
        values.name,
        tuple(labels["text"].to_list()),
        telling[0] if len(telling) and holds_more else None,
        counted.filter(pl.col("value").str.len_bytes() <= _LOOKED_AT_BYTES),
        len(values),
    )


# --- headers ---


def _normalised(text: pl.Expr) -> pl.Expr:
    """Lower case without accents, camel case taken apart, one blank for everything that is not a letter or a percent sign."""
    return (
        text.str.normalize("NFD")
        .str.replace_all(r"\p{M}", "")
        .str.replace_all(r"^\s*#", " number of ")
        .str.replace_all("#", " number ", literal=True)
        .str.replace_all("IDs", "Ids", literal=True)
        .str.replace_all(r"([a-z])([A-Z])", "$1 $2")
        .str.replace_all(r"([A-Z]+)([A-Z][a-z])", "$1 $2")
        .str.to_lowercase()
        .str.replace_all(r"[^a-z%]+", " ")
        .str.strip_chars()
    )


def _labels(names: Sequence[str], tops: pl.DataFrame) -> pl.DataFrame:
    """What may be a header: the names of columns, and cells of the first rows with telling words beside other text.

    Columns: column (position), text (normalised), telling (why, or null), is_cell.
    """
    positions = {name: position for position, name in enumerate(names)}
    headers = pl.DataFrame({"column": range(len(names)), "raw": list(names), "row": None, "is_cell": False})
    cells = (
        tops.unpivot(index="row", variable_name="name", value_name="raw")
        .drop_nulls("raw")
        .filter(pl.col("raw").str.len_bytes() <= _HEADER_CELL_BYTES, pl.col("raw").str.contains(r"\p{L}{2}"))
        .head(_MOST_HEADER_CELLS)
        .select(pl.col("name").replace_strict(positions, return_dtype=pl.Int64).alias("column"), "raw", "row", is_cell=True)
    )
    label = {"column": pl.Int64, "raw": pl.String, "row": pl.Int64, "is_cell": pl.Boolean}
    texts = pl.concat([headers.cast(pl.Schema(label)), cells.cast(pl.Schema(label))]).with_columns(
        text=_normalised(pl.col("raw"))
    )
    telling = pl.coalesce(pl.when(pl.col("text").str.contains(pattern)).then(pl.lit(why)) for why, pattern in _TELLING.items())
    texts = texts.with_columns(telling=pl.when(~pl.col("text").str.contains(_COUNTED)).then(telling))
    in_cells = texts.filter("is_cell")
    return pl.concat([texts.filter(~pl.col("is_cell")), _header_cells(in_cells)]).drop("raw", "row")


def _header_cells(cells: pl.DataFrame) -> pl.DataFrame:
    """The cells of rows that may be headers: a telling word beside other text, and not one of a list of such words."""
    by_row = cells.group_by("row").agg(pl.len().alias("n_texts"), pl.col("telling").count().alias("n_telling"))
    by_column = cells.drop_nulls("telling").group_by("column").agg(pl.col("text").n_unique().alias("n_stacked"))
    found = cells.join(by_row, on="row", how="left").join(by_column, on="column", how="left")
    is_header_row = (pl.col("n_telling") > 1) | (pl.col("n_texts") > 1)
    is_list = (pl.col("n_telling") == 1) & (pl.col("n_stacked") > 1)
    return found.filter(is_header_row & (pl.col("n_telling") > 0) & ~is_list.fill_null(False)).select(cells.columns)


# --- one column ---


def _matches(pattern: str) -> pl.Expr:
    return pl.col("value").str.strip_chars().str.contains(pattern)


_HAS_EMAIL: Final = pl.col("value").str.contains("@", literal=True) & pl.col("value").str.contains(_EMAIL_VALUE)
_IS_PHONE: Final = pl.col("value").str.len_bytes().is_between(12, 30) & _matches(_PHONE_VALUE)
_IS_ORGANISATION: Final = pl.col("value").str.contains("(?i)" + _NOT_A_NAME)
_IS_LAST_FIRST: Final = pl.col("value").str.contains(",", literal=True) & _matches(_LAST_FIRST_VALUE) & ~_IS_ORGANISATION
_IS_FULL_NAME: Final = _matches(_FIRST_LAST_VALUE) & ~_IS_ORGANISATION


def _is_social_security() -> pl.Expr:
    """A number with dashes or blanks whose parts can have been given out (area not 000, 666, 900 and above; no part zero).

    Source: the Social Security Administration's rules on invalid numbers (POMS RM 10201.035).
    """
    parts = pl.col("value").str.strip_chars().str.extract_groups(_SSN_VALUE)
    area, group, serial = (parts.struct.field(str(number)).cast(pl.Int64) for number in (1, 2, 3))
    is_plausible = area.is_between(1, 899) & (area != 666) & (group > 0) & (serial > 0)
    return pl.col("value").str.len_bytes().is_between(11, 20) & is_plausible.fill_null(False)


def _is_school_age(today: dt.date) -> pl.Expr:
    """A date whose year makes a person 4 to 22 years old."""
    text = pl.col("value").str.strip_chars()
    year = pl.coalesce(
        text.str.extract(_YEAR_FIRST, 1),
        text.str.extract(_YEAR_FIRST, 2),
        text.str.extract(_YEAR_LAST, 1),
        text.str.extract(_YEAR_LAST, 2),
    ).cast(pl.Int64)
    century = pl.when(year > today.year % 100).then(1900).otherwise(2000)
    age = today.year - pl.when(year < 100).then(year + century).otherwise(year)
    return pl.col("value").str.len_bytes().is_between(6, 30) & age.is_between(_YOUNGEST, _OLDEST).fill_null(False)


def _reason(column: _Column, columns: Sequence[_Column], today: dt.date, *, is_counted: bool) -> str | None:
    """Why one column alone, or with its companions, makes a table personal; None where it does not."""
    if column.telling is not None:
        return column.telling
    if column.n_filled == 0:
        return None
    if _are_social_security_numbers(column):
        return _SOCIAL_SECURITY
    if _are_emails(column) and not column.says(_OFFICE_WORD):
        return _EMAIL
    if _are_names(column, columns, is_counted=is_counted):
        return _NAMES
    if column.is_mostly(_IS_PHONE, 0.5) and not column.says(_OFFICE_WORD) and not _belongs_to_schools(column, columns):
        return _PHONE
    if not is_counted and _are_birth_dates(column, today) and any(_is_about_somebody(other) for other in columns):
        return _BIRTH
    return None


def _hint(column: _Column) -> str | None:
    """What a column adds to the message once a table is personal for another reason."""
    if column.n_filled == 0 or column.says(_OFFICE_WORD) or column.says(_COUNTED):
        return None
    if column.says(r"\be ?mail\b|\bcorreo\b"):
        return _EMAIL
    if column.says(r"\b(?:phone|telephone|telefono)\b"):
        return _PHONE
    return None


def _are_social_security_numbers(column: _Column) -> bool:
    _, distinct = column.count(_is_social_security())
    return distinct >= 10 or column.is_mostly(_is_social_security(), 0.3)


def _are_emails(column: _Column) -> bool:
    _, distinct = column.count(_HAS_EMAIL)
    return distinct >= 20 or column.is_mostly(_HAS_EMAIL, 0.3)


def _are_names(column: _Column, columns: Sequence[_Column], *, is_counted: bool) -> bool:
    if column.says(_FULL_NAME):
        organisations, _ = column.count(_IS_ORGANISATION)
        return organisations < 0.3 * column.n_filled and not column.says(_COUNTED)
    if column.says(_SOMEBODY) and column.is_mostly(_IS_LAST_FIRST | _IS_FULL_NAME, 0.6):
        return True
    if column.says(_SUBJECT_WORD):
        return False
    rows, distinct = column.count(_IS_LAST_FIRST)
    if column.is_mostly(_IS_LAST_FIRST, 0.6) and distinct >= 0.05 * rows:
        return True
    is_beside_traits = any(other.says(_TRAIT_WORD) or other.says(_SCORE_WORD) for other in columns)
    rows, distinct = column.count(_IS_FULL_NAME)
    return (
        column.says(_PLAIN_NAME)
        and is_beside_traits
        and not is_counted
        and column.is_mostly(_IS_FULL_NAME, 0.9)
        and distinct >= 0.8 * rows
    )


def _are_birth_dates(column: _Column, today: dt.date) -> bool:
    if column.says(_NOT_BIRTH_WORD):
        return False
    is_school_age = _is_school_age(today)
    rows, distinct = column.count(is_school_age)
    return column.is_mostly(is_school_age, 0.6) and (distinct >= 20 or distinct >= 0.5 * rows)


def _is_about_somebody(column: _Column) -> bool:
    return column.says(_PERSON_WORD) or column.says(_PLAIN_NAME) or column.says(_FULL_NAME) or _is_trait(column)


def _is_trait(column: _Column) -> bool:
    """Whether a column holds each row's gender or race: nothing else in it, and no value that means several."""
    lower = pl.col("value").str.to_lowercase().str.strip_chars()
    several, _ = column.count(lower.str.contains(_MANY_VALUE))
    if several or column.n_filled == 0 or column.says(_COUNTED):
        return False
    for words, pattern in (
        (r"\b(?:gender|sex|sexo|genero)\b", _GENDER_VALUE),
        (r"\b(?:race|ethnicity|raza|etnia)\b", _RACE_VALUE),
    ):
        rows, distinct = column.count(lower.str.contains(pattern))
        if rows == column.n_filled and (distinct >= 2 or column.says(words)):
            return True
    return column.says(r"^(?:student )?(?:gender|sex|race|ethnicity|sexo|genero|raza|etnia)$")


def _belongs_to_schools(column: _Column, columns: Sequence[_Column]) -> bool:
    """Whether the table has as many schools as this column has values: they are then the schools' own."""
    return any(other.says(_SCHOOL_WORD) and other.values.height >= 0.8 * column.values.height for other in columns)


def _own_number(table: pl.DataFrame, columns: Sequence[_Column]) -> int | None:
    """The position of a column that numbers single students, if the table has one row a student; else None.

    Such a number is different in every row, while what else describes a row (school, grade, gender, …) repeats: in a table
    of groups, these together name the group and do not repeat.
    """
    if table.height < 10 or not any(_is_trait(column) for column in columns):
        return None
    traits = sum(column.says(_TRAIT_WORD) or column.says(_SCORE_WORD) or _is_trait(column) for column in columns)
    describing = [column.name for column in columns if column.values.height <= table.height / 2 and not column.says(_SCORE_WORD)]
    if traits < 2 or not describing or table.select(describing).n_unique() > 0.9 * table.height:
        return None
    for position, column in enumerate(columns):
        is_own = column.values.height == table.height and not column.says(_NOT_OWN_ID_WORD)
        if is_own and column.count(_matches(r"^[A-Za-z]{0,3}-?\d{4,}$"))[0] >= 0.9 * table.height:
            return position
    return None


# --- words for people ---

_LOOKS_LIKE_A_VALUE: Final = re.compile(
    r"@|\d{4}|\d{3}[- .)]+\d{2,3}[- .]\d{4}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2}|^[^\W\d_][\w'’. -]*, ?[^\W\d_][\w'’. -]*$"
)


def _shown(name: str, position: int) -> str:
    """A column's name without control characters, or its position where the name may itself be a value."""
    clean = "".join(character for character in name if character.isprintable())
    if _LOOKS_LIKE_A_VALUE.search(clean):
        return f"column {position + 1}"
    return clean if len(clean) <= 60 else clean[:59] + "…"
