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
from functools import cached_property
from typing import Final

import polars as pl

from pipelines.intake.reading import (
    DEFAULT_LIMITS,
    MIB,
    RESERVED_COLUMNS,
    Delivered,
    DeliveredFile,
    ReadingLimits,
    ReadingOptions,
    UnreadableDelivery,
    read_delivery,
)

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

_PUPIL: Final = r"(?:student|studnt|stdnt|stud|stu|pupil|learner|scholar|child|kid|alumn[oa]|estudiante|nin[oa])"
_PERSON: Final = rf"(?:{_PUPIL}|examinee|test ?taker|participant|respondent|individual|person|candidate)"
_SPANISH_PUPIL: Final = r"(?:alumn[oa]|estudiante|nin[oa])"
_ID: Final = r"(?:i ?d(?: ?s)?|ident|identifier|identification|identificador|identificacion|uid|usi|guid|uuid|key|pin)"
_NUMBER: Final = r"(?:number|num|nbr|nmbr|no|nr|code|cd)"
_WHICH: Final = (
    r"(?: ?(?:state|local|district|dist|sis|unique|uniq|perm|permanent|internal|external|national|registration|lunch"
    r"|official|system|record|enrollment))*"
)
_REST: Final = rf"(?: ?(?:{_ID}|{_NUMBER}|state|local|district|sis|hash|hashed|encrypted|masked))*"
_NAME: Final = r"(?:names?|nm|nombres?)"
_LEAD: Final = r"(?:(?:state|local|district|unique|perm|permanent|legal|primary|current) ?)*"
_TAIL: Final = r"(?: ?(?:numbers?|num|no|nbr|address|addr))?"
_OF: Final = r"(?: ?(?:of|for|de los|de la|del|de))?(?: ?the)?"
_GUARDIAN_WORD: Final = (
    r"(?:parent|guardian|mother|father|care ?giver|emergency ?contact|madre|padre|tutora?|acudiente|encargad[oa])"
)

_TELLING: Final[Mapping[str, str]] = {
    _SOCIAL_SECURITY: (
        rf"\b(?:{_PUPIL} ?)?(?:s ?s ?n|soc(?:ial)? ?sec(?:urity)?){_TAIL}\b|\b(?:numero ?de ?(?:l ?)?)?seguro ?social\b"
    ),
    _BIRTH: (
        rf"\b(?:{_PUPIL} ?)?(?:(?:date|dte?|day)(?: ?of)? ?(?:birth|brth)|(?:birth|brth) ?(?:dates?|dte?|days?)|d ?o ?b|b ?day)"
        r"(?: ?m?m ?d?d ?yy(?:yy)?)?\b|^born(?: ?on)?$|\bfec(?:ha)?(?: ?de)? ?nac(?:imiento)?\b|^nacimiento$"
    ),
    _GUARDIAN: (
        rf"\b{_GUARDIAN_WORD}(?: ?(?:s|or|and|guardian|parent|legal|first|last|full|maiden|home|cell|mobile|work|primary))*"
        rf" ?(?:{_NAME}|surname|phone|telephone|tel|cell|mobile|e ?mail|address|correo|telefono|signature){_TAIL}\b"
        rf"|\b(?:{_NAME}|apellidos?|telefono|correo|firma){_OF}"
        r" ?(?:padre|madre|tutora?|acudiente|encargad[oa]|parent|guardian)s?\b"
    ),
    _STAFF: (
        r"\b(?:teacher|educator|instructor|counsell?or|employee|staff(?: ?member)?|maestr[oa]|docente|profesora?)"
        r"(?: ?(?:s|of ?record|first|last|full|primary|homeroom|math))*"
        rf" ?(?:{_NAME}|e ?mail|phone|i ?d(?: ?s)?|identifier){_TAIL}\b"
        rf"|\b{_NAME}{_OF} ?(?:teacher|employee|maestr[oa]|docente|profesora?)$"
    ),
    _STUDENT_NUMBER: (
        rf"\b{_LEAD}{_PERSON}(?: ?s)?{_WHICH} ?{_ID}{_REST}$|\b{_LEAD}{_PUPIL}{_WHICH} ?{_NUMBER}{_REST}$"
        rf"|\b{_ID}(?: ?{_NUMBER})?{_OF} ?{_PERSON}$"
        rf"|\b(?:numero|num|no|nro|codigo|cod|clave|matricula|cedula|folio|expediente){_OF} ?{_SPANISH_PUPIL}$"
        r"|^(?:(?:nyc|nys|local|state|student|unique) ?)*(?:osis|ssid|sasid|lasid|suid|upn|nyssis|curp)"
        rf"(?: ?(?:{_ID}|{_NUMBER}))*$"
        rf"|^(?:perm|permanent) ?(?:{_ID}|{_NUMBER})$|\b(?:medicaid|passport|driver ?s? ?licen[sc]e)(?: ?(?:{_ID}|{_NUMBER}))?$"
    ),
    _EMAIL: (
        rf"\b{_PERSON}(?: ?s)?(?: ?(?:school|personal|home|district))? ?e ?mail{_TAIL}\b"
        rf"|\b(?:personal|home) ?e ?mail{_TAIL}\b"
    ),
    _PHONE: (
        rf"\b(?:{_PERSON}|home|cell|cellular|mobile|personal|emergency)(?: ?(?:s|home|cell|mobile))*"
        rf" ?(?:phone|telephone|tel){_TAIL}\b|^(?:celular|movil)$"
        rf"|\btelefono ?(?:de ?casa|del ?hogar|celular|movil|particular|del? ?{_SPANISH_PUPIL})\b"
    ),
    _ADDRESS: (
        rf"\b(?:home|residence|residential|{_PERSON}|parent|guardian)(?: ?(?:s|street|mailing|home))*"
        rf" ?(?:address|addr|street)(?: ?line)?\b|^domicilio(?: ?(?:particular|del? ?{_SPANISH_PUPIL}))?$"
        rf"|\bdireccion ?(?:particular|de ?casa|del ?hogar|residencial|de ?domicilio|del? ?{_SPANISH_PUPIL})\b"
    ),
    _NAMES: (
        rf"\b{_LEAD}(?:first|last|middle|given|maiden|preferred|nick|fore|christian|sur)s? ?(?:names?|nm)\b|^family ?name$"
        rf"|(?:^|\b{_PUPIL} ?)[flm] ?name\b|\bapellidos?(?: ?(?:paterno|materno))?\b|\b(?:primer|segundo) ?nombre\b|^nombres$"
        rf"|\b{_LEAD}{_PERSON}(?: ?s)?(?: ?(?:full|legal|first|last|middle|display|preferred|complete|official))*"
        rf" ?(?:{_NAME}|surname)\b|\b{_NAME}{_OF} ?{_PERSON}$|^nombre ?(?:completo|y ?apellidos?)$"
        r"|^last ?(?:name ?)?first(?: ?name)?(?: ?m(?:i|iddle)?)?$"
    ),
}
"""Why, and headers that by themselves say that a row is about one person."""

_FULL_NAME: Final = r"^(?:full|legal|complete) ?name$"
_SOMEBODY: Final = (
    rf"^(?:school )?(?:{_PERSON}|{_GUARDIAN_WORD}|(?:vice |assistant )?principal|head ?teacher|superintendent|directora?"
    rf"|contact(?: person)?|coach|administrator|teacher|counselor|maestr[oa]|docente|employee)(?: ?s)?(?: ?{_NAME})?$"
)
_PLAIN_NAME: Final = r"^(?:name|nombre)$"
_PERSON_WORD: Final = rf"\b{_PERSON}\b"
_SCHOOL_WORD: Final = r"\b(?:schools?|campus|district|dbn|site|building|unit|entity|institution|escuela|distrito|lea|plantel)\b"
_OFFICE_WORD: Final = r"\b(?:school|office|district|department|website|escuela|distrito|oficina)\b"
_SUBJECT_WORD: Final = (
    r"\b(?:school|campus|district|network|site|building|title|publisher|edition|course|program|curriculum|group|subgroup|category"
    r"|race|ethnicity|raza|etnia|city|town|location|county|state|jurisdiction|address|comments?|notes?|text|message|description"
    r"|subject|test|instrument|material|provider|vendor|organization|agency|entity|institution|escuela|distrito|titulo|author)\b"
)
_FREE_TEXT_WORD: Final = r"\b(?:comments?|notes?|remarks?|text|message|description)\b"
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
    r"^(?:n|num|no|number|nbr|pct|percent) | n$|\bnumber (?:of|tested|enrolled|scored|valid|students?)\b|%"
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
_DATE_START: Final = r"^\s*(?:(?:19|20)\d{2}[-/.]|(?:19|20)\d{6}\s*$|\d{1,2}[-/. ]|[A-Za-z]{3,9}\.? \d)"
_NAME_PART: Final = r"\p{Lu}[\p{L}'’.-]*(?: \p{L}[\p{L}'’.-]*){0,2}"
_LAST_FIRST_VALUE: Final = rf"^{_NAME_PART}, ?{_NAME_PART}$"
_FULL_NAME_VALUE: Final = r"^(?:(?:Mr|Ms|Mrs|Dr)\.? )?\p{L}[\p{L}'’.-]*(?: \p{L}[\p{L}'’.-]*){1,3}$"
_NOT_A_NAME: Final = (
    r"(?i)\b(?:school|elementary|middle|high|academy|academies|charter|magnet|center|centre|prep|preparatory|institute|campus"
    r"|college|university|isd|usd|district|county|city|state|program|primary|secondary|intermediate|junior|senior|ps|ms|hs|es"
    r"|inc|llc|ltd|co|corp|company|press|publishing|publishers|education|learning|math|mathematics|algebra|geometry|reading"
    r"|writing|science|english|grades?|level|test|team|office|department|dept|research|data|escuela|distrito|colegio"
    r"|white|black|hispanic|latin[oax]|asian|pacific|islander|native|indian|alaskan?|hawaiian|african|american|multiracial|races?"
    r"|ethnic\w*|male|female|boys|girls|students?|learners?|disabilit\w+|income|economic\w*|general|special"
    r"|not|non|and|or|of|with|without|all|other|unknown|total|yes|no|north|south|east|west"
    r"|alabama|alaska|arizona|arkansas|california|colorado|connecticut|delaware|florida|hawaii|idaho|illinois|indiana|iowa"
    r"|kansas|kentucky|louisiana|maine|maryland|massachusetts|michigan|minnesota|mississippi|missouri|montana|nebraska|nevada"
    r"|hampshire|jersey|mexico|york|ohio|oklahoma|oregon|pennsylvania|tennessee|texas|utah|vermont|wisconsin|wyoming|usa)\b"
    r"|, ?(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|W[AVIY])$"
)
_GENDER_VALUE: Final = r"^(?:f|m|male|female|masculino|femenino|hombre|mujer|boy|girl)$"
_GENDER_REST: Final = r"^(?:x|u|n|nonbinary|non-binary|other|otro|unknown|not specified|gender|sex|sexo|genero)$"
_RACE_VALUE: Final = (
    r"\b(?:white|black|hispanic|latin[oax]|asian|pacific|hawaiian|native|american indian|multiracial|two or more|filipino"
    r"|caucasian|african|blanc[oa]|negr[oa]|hispan[oa])\b"
)
_RACE_REST: Final = r"\b(?:unknown|other|otra|race|races|ethnicity|multi|raza|etnia)\b"
_MANY_VALUE: Final = r"^(?:all|all students|total|totals|everyone|both|todos)$"
_LOOKED_AT_BYTES: Final = 200
_TOP_ROWS: Final = 30
_HEADER_CELL_BYTES: Final = 80
_MOST_HEADER_CELLS: Final = 200_000
_MOST_TRAITS: Final = 60
_LOOSE_BYTES: Final = 8 * MIB
_LOOSE_LINES, _LOOSE_COLUMNS = 50_000, 200
_GENERIC: Final = re.compile(r"c\d+|column_\d+")
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
    cells = _anonymous([delivered.table[name] for name in delivered.columns])
    found = _personal_columns(delivered.columns, cells, _top_rows(delivered.table, cells), "", today, least=2)
    for beside in delivered.beside:
        # A sheet with two contacts is no list of people; telling headers are enough there as everywhere.
        cells = _anonymous(beside.table.get_columns())
        tops = cells.head(_TOP_ROWS).with_row_index("row").with_columns(part=pl.lit(0, pl.Int64))
        found += _personal_columns(beside.table.columns, cells, tops, beside.place, today, least=10)
    return tuple(found)


def personal_data_in(
    files: Sequence[DeliveredFile], limits: ReadingLimits = DEFAULT_LIMITS, today: dt.date | None = None
) -> tuple[PersonalColumn, ...]:
    """The same for files that could not be read as one table, and whose bytes somebody may want to keep.

    Each file by itself: without a header, and where even that is refused its first lines as text, whatever their quotes.
    Nothing is found in what no reader opens (encrypted, damaged or packed files, pictures, PDF).
    """
    found: list[PersonalColumn] = []
    for file in files:
        try:
            delivered = read_delivery([file], ReadingOptions(header="none"), limits)
        except UnreadableDelivery:
            delivered = _lines_of(file)
        found += personal_data(delivered, today) if delivered.columns else ()
    return tuple(dict.fromkeys(found))


def _lines_of(file: DeliveredFile) -> Delivered:
    """The first lines of a text, cut at every separator, in columns c1, c2, …; without columns if there is no text."""
    head = file.content[:_LOOSE_BYTES]
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    text = head.decode(encoding, "replace")
    lines = pl.Series("line", [] if "\0" in text else text.splitlines()[:_LOOSE_LINES], dtype=pl.String)
    cells = lines.str.replace_all('"', "", literal=True).str.replace_all(r"[;\t|^~]", ",").str.split(",")
    width = min(max(cells.list.len().to_list(), default=0), _LOOSE_COLUMNS)
    names = tuple(f"c{number}" for number in range(1, width + 1))
    columns = [cells.list.get(position, null_on_oob=True).alias(name) for position, name in enumerate(names)]
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    table = pl.DataFrame(columns).select(
        pl.when(pl.all().str.strip_chars() != "").then(pl.all()),
        delivered_row=number,
        delivered_file=pl.lit("", pl.String),
        delivered_line=number,
    )
    return Delivered(table, names, ("csv",))


def _anonymous(columns: Sequence[pl.Series]) -> pl.DataFrame:
    """The columns under the names 0, 1, …: a delivered name such as `*` would be expanded as a pattern."""
    return pl.DataFrame([column.alias(str(position)) for position, column in enumerate(columns)])


def _top_rows(table: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """The first 30 rows of each file, where a header may stand if it was not read as one: cells, row, part (the file)."""
    place = table.select(RESERVED_COLUMNS)
    is_first = (pl.col("delivered_file") != pl.col("delivered_file").shift()) | (pl.col("delivered_line").diff() <= 0)
    starts = place.select(pl.when(is_first.fill_null(True)).then(pl.col("delivered_row")).forward_fill()).to_series()
    is_top = place["delivered_row"] - starts < _TOP_ROWS
    return cells.with_columns(row=place["delivered_row"], part=starts).filter(is_top)


def _personal_columns(
    names: Sequence[str], cells: pl.DataFrame, tops: pl.DataFrame, place: str, today: dt.date, *, least: int
) -> list[PersonalColumn]:
    """What one table shows. `tops`: see `_top_rows`. `least`: how many distinct values make a list."""
    if not cells.width or not cells.height:
        return []
    labels = _labels(names, tops).partition_by("column", as_dict=True, include_key=False)
    columns = [_column(name, cells[str(position)], labels[(position,)]) for position, name in enumerate(names)]
    table = _Table(columns, cells, today, least)
    reasons = {position: why for position, column in enumerate(columns) if (why := _reason(column, table))}
    if not reasons and (own := _own_number(table)) is not None:
        reasons[own] = _ONE_ROW
    if not reasons:
        return []
    hints = {position: why for position, column in enumerate(columns) if (why := _hint(column))}
    every = sorted({**hints, **reasons}.items())
    return [PersonalColumn(_shown(columns[position], position), why, place) for position, why in every]


@dataclass(frozen=True, eq=False)
class _Shape:
    """What a value looks like. `likely` is cheap and spares `exact` most values."""

    likely: pl.Expr
    exact: pl.Expr


@dataclass(frozen=True)
class _Column:
    """A column: what its headers say (normalised), why they are telling, whether its own name is, its distinct values.

    values: value, n (rows that hold it), without values too long to be looked at.
    """

    name: str
    labels: tuple[str, ...]
    telling: str | None
    is_named: bool
    values: pl.DataFrame

    def says(self, pattern: str) -> bool:
        """Whether a header has this pattern in it."""
        return any(re.search(pattern, label) for label in self.labels)

    def count(self, shape: _Shape) -> tuple[int, int]:
        """Rows and distinct values of this shape."""
        if not self.likely.get(shape, True):
            return 0, 0
        found = self.values.filter(shape.likely).filter(shape.exact)
        return int(found["n"].sum()), found.height

    @cached_property
    def likely(self) -> dict[_Shape, bool]:
        """Whether any value may be of a shape, for the shapes that every column is held against."""
        found = self.values.select(shape.likely.any().alias(str(number)) for number, shape in enumerate(_USUAL_SHAPES))
        return dict(zip(_USUAL_SHAPES, found.row(0), strict=True))

    @cached_property
    def n_filled(self) -> int:
        """Rows with a value that is not too long to be looked at."""
        return int(self.values["n"].sum())


@dataclass(frozen=True)
class _Table:
    """Columns side by side: whether they count students, and whether they speak of single ones."""

    columns: Sequence[_Column]
    cells: pl.DataFrame
    today: dt.date
    least: int

    def is_mostly(self, column: _Column, found: tuple[int, int], share: float) -> bool:
        """Whether so many rows and distinct values as were `found` make a list, and this share of the rows with a value."""
        rows, distinct = found
        return distinct >= self.least and rows >= share * column.n_filled

    @cached_property
    def is_counted(self) -> bool:
        return any(column.telling is None and column.says(_COUNT_COLUMN) for column in self.columns)

    @cached_property
    def has_traits(self) -> bool:
        return any(column.says(_TRAIT_WORD) or column.says(_SCORE_WORD) for column in self.columns)

    @cached_property
    def is_about_somebody(self) -> bool:
        words = (_PERSON_WORD, _PLAIN_NAME, _FULL_NAME)
        return any(any(map(column.says, words)) or _is_trait(column) for column in self.columns)

    @cached_property
    def n_schools(self) -> int:
        return max((column.values.height for column in self.columns if column.says(_SCHOOL_WORD)), default=0)


def _column(name: str, values: pl.Series, labels: pl.DataFrame) -> _Column:
    """One column's headers and distinct values; `labels`: text, telling (why, or null) and is_cell of this column."""
    counted = values.drop_nulls().value_counts(name="n")
    counted.columns = ["value", "n"]
    telling = labels.drop_nulls("telling")
    holds_more = int(counted["n"].sum()) > int(telling["is_cell"].sum())
    return _Column(
        name,
        tuple(labels["text"].to_list()),
        telling["telling"][0] if telling.height and holds_more else None,
        not telling["is_cell"].all(),
        counted.filter(pl.col("value").str.len_bytes() <= _LOOKED_AT_BYTES),
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
    """What may be a header: the names of columns, and the cells of first rows that look like headers.

    Columns: column (position), text (normalised), telling (why, or null), is_cell.
    """
    label = pl.Schema({"column": pl.Int64, "raw": pl.String, "row": pl.Int64, "part": pl.Int64, "is_cell": pl.Boolean})
    headers = pl.DataFrame({"column": range(len(names)), "raw": list(names), "row": None, "part": None, "is_cell": False})
    cells = (
        tops.unpivot(index=["row", "part"], variable_name="name", value_name="raw")
        .drop_nulls("raw")
        .filter(pl.col("raw").str.len_bytes() <= _HEADER_CELL_BYTES, pl.col("raw").str.contains(r"\p{L}"))
        .head(_MOST_HEADER_CELLS)
        .select(pl.col("name").cast(pl.Int64).alias("column"), "raw", pl.col("row").cast(pl.Int64), "part", is_cell=True)
    )
    texts = pl.concat([headers.cast(label), cells.cast(label)]).with_columns(
        text=_normalised(pl.col("raw")), bare=_normalised(pl.col("raw").str.replace_all(r"[(\[][^)\]]*[)\]]", ""))
    )
    why = pl.coalesce(
        pl.when(pl.col("text").str.contains(pattern) | pl.col("bare").str.contains(pattern)).then(pl.lit(why))
        for why, pattern in _TELLING.items()
    )
    texts = texts.with_columns(telling=pl.when(~pl.col("text").str.contains(_COUNTED)).then(why))
    n_generic = sum(_GENERIC.fullmatch(name) is not None for name in names)
    cells = _header_cells(texts.filter("is_cell"), has_names=2 * n_generic <= len(names))
    return pl.concat([texts.filter(~pl.col("is_cell")), cells]).select("column", "text", "telling", "is_cell")


def _header_cells(cells: pl.DataFrame, *, has_names: bool) -> pl.DataFrame:
    """The cells of rows that may be headers: telling words beside other text, unless they are a list of such words.

    Where columns have no names, the first row with several usual words of headers is one too.
    """
    telling = cells.drop_nulls("telling")
    by_row = cells.group_by("row").agg(pl.len().alias("n_texts"))
    by_column = telling.group_by("part", "column").agg(pl.col("telling").n_unique().alias("n_stacked"))
    telling = telling.join(by_row, on="row", how="left").join(by_column, on=["part", "column"], how="left")
    is_header = (pl.col("n_texts") > 1) & (pl.col("n_stacked") == 1)
    rows = telling.group_by("row").agg(is_header.all()).filter("n_texts")["row"].to_list()
    if not has_names:
        known = "|".join((_COUNT_COLUMN, _TRAIT_WORD, _SCORE_WORD, _SCHOOL_WORD, _PERSON_WORD, _PLAIN_NAME))
        by_row = cells.group_by("row").agg(pl.col("text").str.contains(known).sum().alias("n_known"))
        rows += by_row.filter(pl.col("n_known") > 1).sort("row")["row"].head(1).to_list()
    return cells.filter(pl.col("row").is_in(rows))


# --- values ---


def _matches(pattern: str) -> pl.Expr:
    return pl.col("value").str.strip_chars().str.contains(pattern)


def _has_bytes(least: int, most: int) -> pl.Expr:
    return pl.col("value").str.len_bytes().is_between(least, most)


_HAS_EMAIL: Final = _Shape(pl.col("value").str.contains("@", literal=True), _matches(_EMAIL_VALUE))
_IS_PHONE: Final = _Shape(_has_bytes(12, 30), _matches(_PHONE_VALUE))
_IS_ORGANISATION: Final = _Shape(pl.lit(True), _matches(_NOT_A_NAME))
_IS_LAST_FIRST: Final = _Shape(
    pl.col("value").str.contains(",", literal=True), _matches(_LAST_FIRST_VALUE) & ~_matches(_NOT_A_NAME)
)
_IS_SOMEBODY: Final = _Shape(
    _has_bytes(3, 80), (_matches(_FULL_NAME_VALUE) | _matches(_LAST_FIRST_VALUE)) & ~_matches(_NOT_A_NAME)
)
_IS_OWN_NUMBER: Final = _Shape(_has_bytes(4, 30), _matches(r"^[A-Za-z]{0,3}-?\d{4,}$"))


def _plausible_social_security() -> pl.Expr:
    """A number with dashes or blanks whose parts can have been given out (area not 000, 666, 900 and above; no part zero).

    Source: the Social Security Administration's rules on invalid numbers (POMS RM 10201.035).
    """
    parts = pl.col("value").str.strip_chars().str.extract_groups(_SSN_VALUE)
    area, group, serial = (parts.struct.field(str(number)).cast(pl.Int64) for number in (1, 2, 3))
    return (area.is_between(1, 899) & (area != 666) & (group > 0) & (serial > 0)).fill_null(False)


_IS_SOCIAL_SECURITY: Final = _Shape(_has_bytes(11, 20) & _matches(_SSN_VALUE), _plausible_social_security())
_USUAL_SHAPES: Final = (_HAS_EMAIL, _IS_PHONE, _IS_SOCIAL_SECURITY, _IS_LAST_FIRST)


def _is_school_age(today: dt.date) -> _Shape:
    """A date whose year makes a person 4 to 22 years old."""
    text = pl.col("value").str.strip_chars()
    years = [text.str.extract(pattern, group) for pattern in (_YEAR_FIRST, _YEAR_LAST) for group in (1, 2)]
    year = pl.coalesce(years).cast(pl.Int64)
    century = pl.when(year > today.year % 100).then(1900).otherwise(2000)
    age = today.year - pl.when(year < 100).then(year + century).otherwise(year)
    return _Shape(
        _has_bytes(6, 30) & pl.col("value").str.contains(_DATE_START), age.is_between(_YOUNGEST, _OLDEST).fill_null(False)
    )


# --- one column beside the others ---


def _reason(column: _Column, table: _Table) -> str | None:
    """Why a column, alone or with its companions, makes a table personal; None where it does not."""
    if column.telling is not None or column.n_filled == 0:
        return column.telling
    is_of_office = column.says(_OFFICE_WORD)
    if _is_list(table, column, _IS_SOCIAL_SECURITY, 10):
        return _SOCIAL_SECURITY
    # An office may name its own address, in a column that says so; addresses in any other column are people's.
    is_address_of_office = is_of_office and column.says(r"\be ?mail\b|\bcorreo\b")
    if not is_address_of_office and _is_list(table, column, _HAS_EMAIL, 20):
        return _EMAIL
    if _are_names(table, column):
        return _NAMES
    if _are_students(table, column):
        return _STUDENT_NUMBER
    # As many schools as values: the phones are the schools' own.
    if (
        not is_of_office
        and table.n_schools < 0.8 * column.values.height
        and table.is_mostly(column, column.count(_IS_PHONE), 0.5)
    ):
        return _PHONE
    if not table.is_counted and table.is_about_somebody and _are_birth_dates(table, column):
        return _BIRTH
    return None


def _hint(column: _Column) -> str | None:
    """What a column adds to the message once a table is personal for another reason."""
    if column.n_filled and not column.says(_OFFICE_WORD) and not column.says(_COUNTED):
        if column.says(r"\be ?mail\b|\bcorreo\b"):
            return _EMAIL
        if column.says(r"\b(?:phone|telephone|telefono)\b"):
            return _PHONE
    return None


def _is_list(table: _Table, column: _Column, shape: _Shape, many: int) -> bool:
    """Whether so many values are of a shape, or such a share of them, that no footer explains it."""
    found = column.count(shape)
    return found[1] >= many or table.is_mostly(column, found, 0.8 if column.says(_FREE_TEXT_WORD) else 0.3)


def _are_names(table: _Table, column: _Column) -> bool:
    if column.says(_FULL_NAME):
        organisations, _ = column.count(_IS_ORGANISATION)
        return organisations < 0.3 * column.n_filled
    if column.says(_SOMEBODY) and table.is_mostly(column, column.count(_IS_SOMEBODY), 0.6):
        return True
    if column.says(_SUBJECT_WORD):
        return False
    rows, distinct = column.count(_IS_LAST_FIRST)
    if table.is_mostly(column, (rows, distinct), 0.6) and distinct >= 0.05 * rows:
        return True
    if table.is_counted or not table.has_traits or not column.says(_PLAIN_NAME):
        return False
    rows, distinct = column.count(_IS_SOMEBODY)
    return table.is_mostly(column, (rows, distinct), 0.9) and distinct >= 0.8 * rows


def _are_students(table: _Table, column: _Column) -> bool:
    """A column that is headed "student" and nothing else, and numbers them."""
    if table.is_counted or not column.says(rf"^{_PERSON}$"):
        return False
    rows, distinct = column.count(_IS_OWN_NUMBER)
    return table.is_mostly(column, (rows, distinct), 0.9) and distinct >= 0.2 * rows


def _are_birth_dates(table: _Table, column: _Column) -> bool:
    if column.says(_NOT_BIRTH_WORD):
        return False
    rows, distinct = column.count(_is_school_age(table.today))
    return table.is_mostly(column, (rows, distinct), 0.6) and (distinct >= 20 or distinct >= 0.5 * rows)


def _is_trait(column: _Column) -> bool:
    """Whether a column holds each row's gender or race: nothing else in it, and no value that means several."""
    if not 0 < column.values.height <= _MOST_TRAITS or column.says(_COUNTED):
        return False
    lower = pl.col("value").str.to_lowercase().str.strip_chars()
    several, _ = column.count(_Shape(pl.lit(True), lower.str.contains(_MANY_VALUE)))
    if several:
        return False
    if column.says(r"^(?:student )?(?:gender|sex|race|ethnicity|sexo|genero|raza|etnia)$"):
        return True
    for core, rest in ((_GENDER_VALUE, _GENDER_REST), (_RACE_VALUE, _RACE_REST)):
        _, distinct = column.count(_Shape(pl.lit(True), lower.str.contains(core)))
        rows, _ = column.count(_Shape(pl.lit(True), lower.str.contains(f"{core}|{rest}")))
        if distinct >= 2 and rows == column.n_filled:
            return True
    return False


def _own_number(table: _Table) -> int | None:
    """The position of a column that numbers single students, if the table has one row a student; else None.

    Such a number is different in every row, while what else describes a row (school, grade, gender, …) repeats: in a table
    of groups, these together name the group and do not repeat.
    """
    n_rows = table.cells.height
    if table.is_counted or n_rows < 10 or not any(map(_is_trait, table.columns)):
        return None
    n_traits = sum(column.says(_TRAIT_WORD) or column.says(_SCORE_WORD) or _is_trait(column) for column in table.columns)
    describing = [
        str(position)
        for position, column in enumerate(table.columns)
        if column.values.height <= n_rows / 2 and not column.says(_SCORE_WORD)
    ]
    if n_traits < 2 or not describing or table.cells.select(describing).n_unique() > 0.9 * n_rows:
        return None
    for position, column in enumerate(table.columns):
        is_own = column.values.height == n_rows and not column.says(_NOT_OWN_ID_WORD)
        if is_own and column.count(_IS_OWN_NUMBER)[0] >= 0.9 * n_rows:
            return position
    return None


# --- words for people ---

_LOOKS_LIKE_A_VALUE: Final = re.compile(r"@|\d{4}|\d{3}[- .)]+\d{2,3}[- .]\d{4}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2}")
_LOOKS_LIKE_A_NAME: Final = re.compile(r"^[^\W\d_][\w'’. -]*, ?[^\W\d_][\w'’. -]*$")


def _shown(column: _Column, position: int) -> str:
    """A column's name without control characters, or its position where the name may itself be a value."""
    clean = "".join(character for character in column.name if character.isprintable())
    if _LOOKS_LIKE_A_VALUE.search(clean) or (not column.is_named and _LOOKS_LIKE_A_NAME.search(clean)):
        return f"column {position + 1}"
    return clean if len(clean) <= 60 else clean[:59] + "…"
