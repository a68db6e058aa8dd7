"""How far a text reads as the languages that an encoding is made for: what tells a right decoding from mojibake.

Two things must agree: the letters beside ASCII are those of one alphabet, and the words or characters that every text
of the language is full of are there. Knows nothing of bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

_SAMPLE_CHARS: Final = 50_000
_LEAST_OF_ALPHABET: Final = 0.97  # of the letters beside ASCII
_LEAST_CHARACTERS: Final = 8  # beside ASCII, or words: fewer say nothing of a language
_LEAST_WORDS: Final = 4
_FREQUENT: Final = 0.12  # of the words of a text are the few most frequent ones of its language, at the least
_FREQUENT_LETTERS: Final = (
    0.52  # of its letters are the ten most frequent ones: about two thirds in running text
)
_LEAST_LETTERS: Final = 20
_MARKS: Final = frozenset("؟،؛“”„‘’‚«»‹›–—…•·°§©®™±×€£ \u00ad\u00b5²³½¼¾¡¿´№‰†‡")
# What no text has: control characters, and within a word signs or letters of two scripts.
_STRAY: Final = re.compile(
    r"[\x00-\x08\x0e-\x1a\x80-\x9f]|[^\W\d_][±¶¦¬]|[±¶¦¬®©](?=[^\W\d_])|[^\W\d_][¹²³¼½¾§](?=[^\W\d_])|[a-z][\u0400-\u045f]|[\u0400-\u045f][a-z]",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Language:
    """An alphabet beside ASCII, in lower case, the words that any text is full of, and the encodings it is found in.

    `frequent`: of an alphabet that shares no letter with ASCII, the ten that are met most; they tell it in lists and
    titles too, which have few such words.
    """

    letters: frozenset[str]
    words: frozenset[str]
    encodings: tuple[str, ...]
    frequent: frozenset[str] = frozenset()


def _language(letters: str, words: str, *encodings: str, frequent: str = "") -> Language:
    return Language(frozenset(letters), frozenset(words.split()), encodings, frozenset(frequent))


_WEST: Final = ("cp1252",)
_EAST: Final = ("cp1250", "iso8859_2")
_CYRILLIC: Final = ("cp1251", "koi8_r", "koi8_u", "iso8859_5", "cp866")
_RUSSIAN_LETTERS: Final = "абвгдежзийклмнопрстуфхцчшщъыьэюяё"
LANGUAGES: Final = (
    _language("éèêëàâçïîôöûùüœæñ", "the of and to in is a that for it with as on be are by this was", *_WEST),
    _language(
        "éèêëàâçîïôûùüÿœæ", "le la les de des du et en un une est que qui pour dans au sur par à l d", *_WEST
    ),
    _language(
        "äöüß", "der die das und ist in zu den von mit ein eine nicht für im dem auf des sich werden", *_WEST
    ),
    _language("áéíóúüñ", "el la los las de del y en un una es que por para con no se su al lo", *_WEST),
    _language(
        "áàâãçéêíóôõúü", "o a os as de do da dos das e em um uma que para com não por no na se", *_WEST
    ),
    _language("àèéìíîòóùú", "il la le lo gli i di del della e in un una che per con non è da si al", *_WEST),
    _language(
        "éëèïöüäáíóú", "de het een en van in is dat te op voor met zijn niet aan er bij ook om", *_WEST
    ),
    _language("åäöé", "och att det i en som är på för med av den till inte om ett har de från", *_WEST),
    _language("æøåéóôò", "og i det at en er som på til av for med den ikke de et har om fra", *_WEST),
    _language("äöåšž", "ja on ei se että oli hän mutta kun niin kuin tai jos ovat myös sekä joka", *_WEST),
    _language(
        "áčďéěíňóřšťúůýž", "a v na se je že s z do i to o k ve pro od po jsou by nebo jako které", *_EAST
    ),
    _language("áäčďéíĺľňóôŕšťúýž", "a v na sa je že s z do aj to o k vo pre od po sú by alebo ako", *_EAST),
    _language("ąćęłńóśźż", "i w na z do się nie jest że to o od po za dla jak oraz przez są lub", *_EAST),
    _language(
        "áéíóöőúüű", "a az és hogy nem is egy ez meg de van csak vagy mint el ha már ki minden", *_EAST
    ),
    _language("čćđšž", "i u je da na se za od su s o po iz ne koji kao bi te to ali in v z ki", *_EAST),
    _language("ăâîşţ", "şi de în la a cu pe nu că este din o pentru să un care mai au prin sau", *_EAST),
    _language(
        _RUSSIAN_LETTERS,
        "и в не на с что по для к из от за это при как о или если до у после",
        *_CYRILLIC,
        frequent="оеаинтсрвл",
    ),
    _language(
        "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя’",
        "і в не на з що по для до та від за це при як або у й",
        *_CYRILLIC,
        frequent="оанивітеср",
    ),
    _language(
        "абвгдежзийклмнопрстуфхцчшщъьюя",
        "и в не на с че по за от да се е са при до като или",
        *_CYRILLIC,
        frequent="аоиетнрсвл",
    ),
    _language(
        "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ",
        "και το η του της να για με των που την στο τα από είναι ο τον σε στην οι",
        "cp1253",
        "iso8859_7",
        frequent="αοιετσνηυρ",
    ),
    _language(
        "אבגדהוזחטיכלמנסעפצקרשתךםןףץ",
        "של את על לא הוא היא זה עם או כל גם אם יש אל כי",
        "cp1255",
        "iso8859_8",
        frequent="יוהלאתמרשנ",
    ),
    _language(
        "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيًٌٍَُِّْـ",
        "في من على إلى أن لا ما هذا هذه التي الذي عن مع أو كل كان هو هي",
        "cp1256",
        "iso8859_6",
        frequent="اليمنوترةب",
    ),
)
# The most frequent characters: a fifth of Chinese, a quarter of Korean in syllables, half of Japanese are among these.
_CHINESE: Final = frozenset(
    "的一是不了在有人我这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生"
    "這為來個們說國時會對後發經過學無與應當須本第日月部工作公司文件用行法定分能"
)
_KOREAN: Final = frozenset("이다는을에의가하고은로를한지사기도서어나대인과시해정자리아일수")
_RUN: Final = re.compile(r"[^\x00-\x7f]+")
_KANA: Final = re.compile("[ぁ-ん]")
_FEW_KANA: Final = 0.1
# Characters (None: kana), their share in the poorest texts, encodings.
_EAST_ASIAN: Final = (
    (_CHINESE, 0.15, ("gb18030", "big5")),
    (_KOREAN, 0.2, ("cp949",)),
    (None, 0.25, ("cp932", "euc_jp")),
)
_UTF16: Final = ("utf-16-le", "utf-16-be")
ENCODINGS: Final = tuple(
    dict.fromkeys(
        encoding
        for group in (
            *(language.encodings for language in LANGUAGES),
            *(one[2] for one in _EAST_ASIAN),
            _UTF16,
        )
        for encoding in group
    )
)


def weigh_reading(text: str, encoding: str) -> float:
    """How well a decoded text reads as a language of its encoding: 1 for what the poorest texts reach, more for
    better, 0 where it reads as none.

    >>> weigh_reading("Provozovna je otevřena od pondělí do pátku.", "cp1250") > 2
    True
    >>> weigh_reading("Provozovna je otevøena od pondìlí do pátku.", "cp1252")
    0.0
    """
    sample = text[:_SAMPLE_CHARS]
    best = _weigh_east_asian(sample, encoding)
    if _STRAY.search(sample) or any(map(_is_capital_inside, sample, sample[1:])):
        return best
    beside = Counter(character for character in sample.lower() if not character.isascii())
    words = Counter(_WORD.findall(sample.lower()))
    if words.total() < _LEAST_WORDS:
        return best
    for language in LANGUAGES:
        if (encoding in language.encodings or encoding in _UTF16) and _is_of(language, beside):
            share = sum(words[word] for word in language.words) / max(1, words.total())
            weight = share / _FREQUENT if share >= _FREQUENT else 0.0
            best = max(
                best, _weigh_letters(sample, beside, language, weight) if language.frequent else weight
            )
    return best


def _weigh_letters(sample: str, beside: Counter[str], language: Language, by_words: float) -> float:
    """The weight of a text in an alphabet of its own, by words or by letters; 0 where it has few of these. Capitals
    prove nothing: one encoding's small letters are another's capitals."""
    letters = sum(count for character, count in beside.items() if character in language.letters)
    if letters < _LEAST_CHARACTERS:
        return 0.0
    share = sum(beside[letter] for letter in language.frequent) / letters
    capitals = sum(character.isupper() and not character.isascii() for character in sample)
    is_telling = letters >= _LEAST_LETTERS and share >= _FREQUENT_LETTERS and capitals <= letters / 2
    return max(share / _FREQUENT_LETTERS if is_telling else 0.0, by_words)


def is_of_one_alphabet(text: str, encoding: str) -> bool:
    """Whether the letters beside ASCII are all of one language of this encoding."""
    beside = Counter(character for character in text[:_SAMPLE_CHARS].lower() if not character.isascii())
    return any(encoding in language.encodings and _is_of(language, beside) for language in LANGUAGES)


def is_of_words_of_one_alphabet(text: str, encoding: str) -> bool:
    """Whether each word for itself is of one language of this encoding, as names of many countries are."""
    words = (set(word) for word in set(_WORD.findall(text[:_SAMPLE_CHARS].lower())) if not word.isascii())
    alphabets = [language.letters for language in LANGUAGES if encoding in language.encodings]
    return all(
        any({letter for letter in word if not letter.isascii()} <= alphabet for alphabet in alphabets)
        for word in words
    )


def _is_of(language: Language, beside: Counter[str]) -> bool:
    known = sum(
        count for character, count in beside.items() if character in language.letters or character in _MARKS
    )
    return known >= _LEAST_OF_ALPHABET * beside.total()


def _is_capital_inside(letter: str, following: str) -> bool:
    return letter.islower() and following.isupper() and not (letter.isascii() and following.isascii())


def _weigh_east_asian(text: str, encoding: str) -> float:
    beside = Counter(character for character in text if not character.isascii())
    runs = len(_RUN.findall(text))
    if beside.total() < max(_LEAST_CHARACTERS, 1.5 * runs):  # written in runs, unlike accents
        return 0.0
    kana = sum(count for character, count in beside.items() if _KANA.match(character)) / beside.total()
    weights = [
        kana / least
        if characters is None
        else 0.0
        if kana > _FEW_KANA
        else _share(beside, characters) / least
        for characters, least, encodings in _EAST_ASIAN
        if encoding in encodings or encoding in _UTF16
    ]
    return max((weight for weight in weights if weight >= 1), default=0.0)


def _share(beside: Counter[str], characters: frozenset[str]) -> float:
    return sum(beside[character] for character in characters) / beside.total()
