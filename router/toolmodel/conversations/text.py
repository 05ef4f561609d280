"""Words and phrases: patterns such as ``{adjective} {noun}`` filled at random."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random

WORDS = Path(__file__).parent / "words"

HOLE = re.compile(r"\{([^{}]+)\}")
INTEGERS = re.compile(r"(-?\d+)\.\.(\d+)")
DECIMALS = re.compile(r"(-?\d+\.\d)\.\.(\d+\.\d)")

KNOWN_SHARE = 0.55
"""Of names and nouns: the others are rare or made up, so that they must be copied."""


@cache
def words(name: str) -> tuple[str, ...]:
    return tuple((WORDS / f"{name}.txt").read_text(encoding="utf-8").splitlines())


def expand(random: Random, pattern: str) -> str:
    """``pattern`` with each ``{kind}`` drawn: a word list, ``{3..9}``, ``{0.5..9.5}`` or one of
    the kinds below."""
    return HOLE.sub(lambda hole: drawn(random, hole[1]), pattern)


def drawn(random: Random, kind: str) -> str:
    if bounds := INTEGERS.fullmatch(kind):
        return str(random.randint(int(bounds[1]), int(bounds[2])))
    if bounds := DECIMALS.fullmatch(kind):
        return f"{random.uniform(float(bounds[1]), float(bounds[2])):.{random.choice((1, 2))}f}"
    if kind in KINDS:
        return KINDS[kind](random)
    return random.choice(words(kind))


def invented(random: Random, syllables: int | None = None) -> str:
    count = syllables or random.choice((2, 2, 3, 3, 4))
    if random.random() < 0.4:
        return "".join(_syllable(random) for _ in range(count))
    return "".join(random.choice(words("syllable")) for _ in range(count))


def _syllable(random: Random) -> str:
    """Any letters that can be spoken: what no list of syllables holds."""
    start, end = random.choice(ONSETS), random.choice(("", "", "", *CODAS))
    return start + random.choice("aaeeiioouuy") + end


ONSETS = (
    *("b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z"),
    *("br", "ch", "dr", "fl", "gr", "kl", "kr", "ph", "pl", "sch", "sh", "sk", "st", "th", "tr"),
)
CODAS = ("b", "ck", "d", "g", "k", "l", "ll", "m", "n", "nd", "ng", "p", "r", "rt", "s", "st", "x")


def name_like(random: Random, known: str) -> str:
    if random.random() < KNOWN_SHARE:
        return random.choice(words(known))
    if random.random() < 0.6:
        return invented(random).capitalize()
    return random.choice(words("rare")).capitalize()


def word(random: Random) -> str:
    chance = random.random()
    if chance < 0.4:
        return random.choice(words("noun"))
    return random.choice(words("rare")) if chance < 0.85 else invented(random)


def person(random: Random) -> str:
    prefix = random.choice(("", "", "", "", "", "", "Dr. ", "Ms. ", "Mr. "))
    last = name_like(random, "last")
    middle = random.choice(("", "", "", "", "van ", "de ", "O'", "Mc", "Le "))
    return f"{prefix}{name_like(random, 'known_first')} {middle}{last}"


def identifier(random: Random) -> str:
    pattern = random.choice(IDENTIFIERS)
    return "".join(LETTERS[one](random) if one in LETTERS else one for one in pattern)


IDENTIFIERS = (
    *("A00", "A000", "A0000", "AA0000", "AA-00", "AAA-000", "AA-0000-A", "00000", "0000", "000000"),
    *(
        "a0a0",
        "A0AA0A",
        "0A000AA0",
        "AAA0000",
        "A-0",
        "#0000",
        "AAAA-00",
        "0000-0000",
        "a00",
        "AA.00",
    ),
)


def _digit(random: Random) -> str:
    return random.choice("0123456789")


def _capital(random: Random) -> str:
    return random.choice("ABCDEFGHJKLMNPQRSTUVWXYZ")


def _small(random: Random) -> str:
    return random.choice("abcdefghkmnpqrstuvwxyz")


LETTERS: dict[str, Callable[[Random], str]] = {"0": _digit, "A": _capital, "a": _small}


def one_of(*patterns: str) -> Callable[[Random], str]:
    return lambda random: expand(random, random.choice(patterns))


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def title(random: Random) -> str:
    pattern = random.choice(TITLES)
    text = expand(random, pattern)
    return text.title() if "'" not in text and random.random() < 0.4 else sentence_case(text)


TITLES = (
    *("{adjective} {noun}", "{phrase}", "{phrase}", "{word} {word}", "{first}'s {noun}"),
    *("the {adjective} {word}", "{rare} & {rare}", "{noun} #{1..99}", "{word}", "{made} {noun}"),
    *("{noun} for {first}", "{noun} in {city}", "{word}: {phrase}", "{adjective} {noun} {2..40}"),
)


def clock(random: Random) -> str:
    minute = random.choice(("00", "15", "30", "45", f"{random.randint(0, 59):02d}"))
    forms = (
        f"{random.randint(0, 23):02d}:{minute}",
        f"{random.randint(1, 12)} {random.choice(('am', 'pm', 'AM', 'PM'))}",
        f"{random.randint(1, 12)}:{minute} {random.choice(('am', 'pm', 'AM', 'PM'))}",
        f"{random.randint(1, 12)}{random.choice(('am', 'pm'))}",
        random.choice(("noon", "midnight")),
    )
    return random.choices(forms, (6, 5, 5, 2, 1))[0]


def iso_date(random: Random) -> str:
    return f"{random.randint(2022, 2029)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"


def decimal(random: Random) -> str:
    return f"{random.uniform(0, 500):.{random.choice((1, 2))}f}"


def dotted(random: Random) -> str:
    day, month, year = random.randint(1, 28), random.randint(1, 12), random.randint(2022, 2029)
    return random.choice(
        (f"{day}.{month}.{year}", f"{month}/{day}/{year}", f"{day:02d}/{month:02d}")
    )


KINDS: dict[str, Callable[[Random], str]] = {
    "made": lambda random: invented(random).capitalize(),
    "word": word,
    "city": lambda random: name_like(random, "known_city"),
    "place": one_of("{city}", "{city}", "{city}, {country}", "{made} {city}", "Port {made}"),
    "first": lambda random: name_like(random, "known_first"),
    "person": person,
    "contact": one_of("{first}", "{first}", "{person}"),
    "handle": one_of(
        *("{made_word}{1..99}", "{rare}_{rare}", "{made_word}", "{rare}{10..999}", "{noun}.{rare}"),
        *("{made}_{made}", "{first}{1..2000}", "the_{made}", "{rare}-{made}", "{made_word}_{id}"),
    ),
    "made_word": invented,
    "phrase": one_of(
        *("{adjective} {noun}", "{rare} {noun}", "{noun} {noun}", "{adjective} {word} {noun}"),
        *("{word} in {city}", "{rare} {rare}", "{word} {word}", "{rare} and {rare}"),
    ),
    "title": title,
    "sentence": one_of(
        *("The {phrase} is ready", "See you at {time}", "Please check the {phrase}", "{greeting}"),
        *("I will be late for the {word}", "Don't forget the {word}", "Meet me in {city}"),
        *("The {word} starts at {time}", "Thanks for the {word}", "Let's discuss the {phrase}"),
        *(
            "Where is the {word}?",
            "I love {word}",
            "{greeting}, {first}",
            "The {word} is {adjective}",
        ),
        *("{first} wants the {word} back", "Bring {2..9} {noun}s", "{rare} {rare} {rare}"),
        *("The {noun} costs {5..900} {currency}", "{first} and {first} moved to {city}"),
    ),
    "time": clock,
    "iso": iso_date,
    "date": one_of(
        *("{iso}", "{iso}", "{month} {1..28}", "{month} {1..28}", "{1..28} {month}", "{weekday}"),
        *("{relative_day}", "{month} {1..28}, {2022..2029}", "{slashed}"),
    ),
    "slashed": dotted,
    "id": identifier,
    "email": one_of(
        *(
            "{mailbox}@{domain}",
            "{mailbox}@{made_word}.com",
            "{mailbox}@{rare}.net",
            "{mailbox}@{made_word}.io",
        ),
    ),
    "mailbox": lambda random: expand(
        random,
        random.choice(
            ("{first}", "{first}.{last}", "{made_word}", "{rare}", "team", "{first}{1..99}")
        ),
    ).lower(),
    "folder": one_of(
        *(
            "docs",
            "/tmp",
            "src",
            "data",
            "/var/{noun}",
            "{noun}",
            "{rare}/{noun}",
            "/home/{made_word}",
        ),
        *("./{rare}", "~/{noun}", "reports/{2019..2027}"),
    ),
    "file": one_of(
        *("{noun}{extension}", "{folder}/{noun}{extension}", "{rare}_{noun}{extension}"),
        *(
            "{folder}/{rare}-{1..30}{extension}",
            "{made_word}{extension}",
            "{folder}/{rare}_{rare}{extension}",
        ),
    ),
    "url": one_of(
        *(
            "https://{rare}.com",
            "https://www.{made_word}.io/{noun}",
            "http://{domain}/{rare}/{noun}",
        ),
        *("https://{made_word}.org/{rare}-{1..99}", "www.{rare}.net"),
    ),
    "phone": one_of(
        "+{1..99} {100..999} {1000..9999}", "555-{1000..9999}", "0{100..999} {100000..999999}"
    ),
    "decimal": decimal,
    "number": one_of("{1..99}", "{1..99}", "{100..9999}", "{decimal}"),
    "expression": one_of(
        *(
            "{number} + {number}",
            "{number} - {number}",
            "{number} * {number}",
            "{number} / {number}",
        ),
        *("({number} + {number}) * {number}", "{number} * {number} - {number}", "sqrt({1..999})"),
        *(
            "{1..40}^{2..5}",
            "{number}*{number}",
            "{number} + {number} + {number}",
            "({number} - {number}) / {2..9}",
        ),
        *(
            "{number} * ({number} + {number})",
            "{1..99} % {2..12}",
            "{number} / {number} + {number}",
        ),
    ),
    "square": lambda random: random.choice("abcdefgh") + random.choice("12345678"),
    "clock": lambda random: f"{random.randint(0, 23):02d}:{random.randint(0, 59):02d}",
    "ticker_made": lambda random: invented(random, 2)[:4].upper(),
    "temperature": one_of(
        "{-12..39}°C", "{10..102}°F", "{-12..39} degrees", "{-5..35}C", "{-12..39} °C"
    ),
    "price": one_of(
        "${1.0..900.0}", "{1.0..900.0}", "{1..900} EUR", "€{1..90}", "{1..900} dollars", "${1..90}"
    ),
    "coordinates": one_of("{-80.0..80.0}, {-170.0..170.0}"),
    "duration": one_of("{2..59} minutes", "{2..20} hours", "{2..9} days", "1 h {2..59} min"),
    "restaurant": one_of(
        *(
            "{known_first}'s",
            "The {adjective} {restaurant_word}",
            "{made}",
            "Cafe {made}",
            "{restaurant_word} & {restaurant_word}",
        ),
    ),
    "company": one_of("{brand}", "{made}", "{made} {noun}", "{brand} Inc", "{last} & {last}"),
}


def indefinite(phrase: str) -> str:
    """The article that goes before it."""
    return "an" if SPOKEN_WITH_A_VOWEL.match(phrase) else "a"


SPOKEN_WITH_A_VOWEL = re.compile(r"[aeio]|8|1[18]\b", re.IGNORECASE)


def article(noun: str) -> str:
    return f"{indefinite(noun)} {noun}"


def listed(items: Sequence[str], last: str = " and ") -> str:
    if len(items) == 1:
        return items[0]
    return ", ".join(items[:-1]) + last + items[-1]
