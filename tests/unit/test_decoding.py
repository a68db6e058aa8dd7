"""ingest.parsers.decoding: files arrive in the encodings that people use, and guesses are refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from app.errors import DocumentError
from ingest.parsers.decoding import decode
from tests.growth import assert_linear

CHINESE = "检索增强生成把文档检索和语言模型结合起来，使答案有据可查。"
TRADITIONAL = "今天天氣很好，我們去公園散步吧。"
FRENCH = "Où est le café ? L’été à la forêt, déjà vu."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain", "ascii"),
        (CHINESE, "utf-8"),
        (CHINESE, "utf-8-sig"),
        (CHINESE, "gb18030"),
        ("word 文件 word", "gb18030"),
        (TRADITIONAL, "big5"),
        (TRADITIONAL, "gb18030"),
        (FRENCH, "cp1252"),
        ("naïve approach", "latin-1"),
        ("café", "latin-1"),
        ("“smart” don’t", "cp1252"),
        (CHINESE, "utf-16"),
        (CHINESE + "\n" + CHINESE, "utf-16-le"),
        (CHINESE + "\n" + CHINESE, "utf-16-be"),
        ("plain English", "utf-16-le"),
        ("plain English", "utf-32"),
        ("", "utf-8"),
    ],
)
def test_encodings_are_told_from_the_bytes(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_a_damaged_utf8_file_keeps_its_text() -> None:
    content = (CHINESE * 3).encode() + b"\xe4\xbd"
    assert decode(content) == CHINESE * 3 + "\ufffd"


def test_a_declared_charset_is_used_unless_the_bytes_are_utf8() -> None:
    assert decode("Привет, мир".encode("cp1251"), "cp1251") == "Привет, мир"
    assert decode("Привет".encode(), "cp1251") == "Привет"
    assert decode(FRENCH.encode("cp1252"), "no-such-charset") == FRENCH


SENTENCES = {
    "cs": [
        "Provozovna je otevřena od pondělí do pátku.",
        "Žádost se podává písemně na adresu úřadu.",
        "Při požáru opusťte budovu po schodišti a nepoužívejte výtah.",
        "Smlouva je platná od prvního dne měsíce.",
        "Nájemce platí nájemné předem, a to vždy do konce týdne.",
    ],
    "pl": [
        "Wniosek należy złożyć w ciągu trzech dni.",
        "Umowa jest ważna od dnia podpisania i nie może być zmieniona.",
        "Pracownik nie odpowiada za szkody, które powstały z winy firmy.",
        "Klucze są do odbioru w recepcji przez cały tydzień.",
        "Zamówienie zostało wysłane na podany adres, a faktura jest w załączniku.",
    ],
    "hu": [
        "A szerződés érvényes, és nem módosítható.",
        "Az üzlet hétfőtől péntekig van nyitva.",
        "A bérlő köteles a díjat előre megfizetni.",
        "Ez egy új űrlap, hogy a kérelem gyorsabb legyen.",
    ],
    "ru": [
        "Договор вступает в силу с момента подписания.",
        "Заявление подаётся в течение трёх дней, и не позже.",
        "При пожаре не пользуйтесь лифтом, а идите по лестнице.",
        "Ключи можно получить на посту охраны до конца рабочего дня.",
        "Оплата производится за каждый месяц по счёту.",
    ],
    "uk": [
        "Договір набирає чинності від дня підписання.",
        "Заяву слід подати протягом трьох днів.",
        "Ключі можна отримати на посту охорони до кінця дня.",
    ],
    "el": [
        "Η σύμβαση ισχύει από την ημέρα της υπογραφής.",
        "Το λιμάνι ανοίγει στις έξι και κλείνει στις δέκα.",
        "Τα κλειδιά είναι στη ρεσεψιόν μέχρι το τέλος της ημέρας.",
    ],
    "he": [
        "ההסכם נכנס לתוקף ביום החתימה",
        "את המפתחות אפשר לקבל בדלפק הקבלה עד סוף היום.",
        "בשעת שרפה אין להשתמש במעלית אלא לרדת במדרגות.",
    ],
    "ar": [
        "يسري العقد من تاريخ التوقيع",
        "تقدم الطلبات خلال ثلاثة أيام من نهاية الشهر.",
        "يمكن استلام المفاتيح من مكتب الاستقبال حتى نهاية الدوام.",
    ],
    "ja": [
        "契約は署名の日から有効になります。",
        "申請書は三日以内に提出してください。",
        "火災のときはエレベーターを使わず、階段で避難してください。",
        "鍵は受付で受け取ることができます。",
    ],
    "ko": [
        "계약은 서명한 날부터 효력이 발생합니다.",
        "신청서는 사흘 이내에 제출하여야 합니다.",
        "화재가 나면 승강기를 이용하지 말고 계단으로 대피하십시오.",
        "열쇠는 안내 데스크에서 받을 수 있습니다.",
    ],
    "zh": [
        "合同自双方签字之日起生效，有效期为三年。",
        "员工应当在出差后的五个工作日内提交报销单。",
        "发生火灾时不要使用电梯，请走楼梯到停车场集合。",
        "公司的文件由行政部门统一保管，不得外借。",
    ],
    "zht": [
        "合約自雙方簽字之日起生效，有效期為三年。",
        "員工應當在出差後的五個工作日內提交報銷單。",
        "發生火災時不要使用電梯，請走樓梯到停車場集合。",
        "公司的文件由行政部門統一保管，不得外借。",
    ],
    "fr": [
        "Le contrat est valable à partir de la signature.",
        "La demande est à déposer dans les trois jours.",
        "En cas d’incendie, prenez l’escalier et non l’ascenseur.",
        "Les clés sont à retirer à l’accueil, où l’on vous reçoit très tôt.",
    ],
    "de": [
        "Der Vertrag gilt ab dem Tag der Unterschrift für drei Jahre.",
        "Im Brandfall ist die Treppe zu benützen, nicht der Aufzug.",
        "Die Schlüssel liegen für Sie am Empfang, auch in der Früh.",
    ],
    "es": [
        "El contrato es válido desde la firma y por tres años.",
        "La solicitud se entrega en el plazo de tres días, según el artículo.",
        "En caso de incendio no use el ascensor: baje por la escalera más próxima.",
    ],
    "en": [
        "The naïve approach is to ask the café for a résumé of the day.",
        "It is “as good as new” – the owner’s words – and sold for £5.",
    ],
}
SETS = [
    *[("cs", encoding) for encoding in ("iso8859_2", "cp1250")],
    *[("pl", encoding) for encoding in ("iso8859_2", "cp1250")],
    *[("hu", encoding) for encoding in ("iso8859_2", "cp1250")],
    *[("ru", encoding) for encoding in ("cp1251", "koi8_r", "iso8859_5", "cp866", "utf-16-le")],
    *[("uk", encoding) for encoding in ("cp1251", "koi8_u")],
    *[("el", encoding) for encoding in ("cp1253", "iso8859_7")],
    *[("he", encoding) for encoding in ("cp1255", "iso8859_8")],
    *[("ar", encoding) for encoding in ("cp1256", "iso8859_6")],
    *[("ja", encoding) for encoding in ("cp932", "euc_jp", "iso2022_jp", "utf-16-le")],
    *[("ko", encoding) for encoding in ("euc_kr", "cp949", "utf-16-be")],
    *[("zh", encoding) for encoding in ("gb18030", "gb2312", "utf-16-le", "utf-16-be")],
    *[("zht", encoding) for encoding in ("big5", "gb18030", "utf-16-le")],
    *[(language, encoding) for language in ("fr", "de", "es") for encoding in ("cp1252", "latin-1")],
    ("en", "cp1252"),
]


def write_text(language: str, encoding: str, seed: int) -> str:
    """One to six sentences that the encoding can hold; ’ and – are not in Latin-1."""
    rng = random.Random(seed)
    chosen = [rng.choice(SENTENCES[language]) for _ in range(rng.randint(1, 6))]
    text = rng.choice(["\n", " ", "\r\n\r\n"]).join(chosen)
    return text.replace("’", "'").replace("–", "-") if encoding == "latin-1" else text


@pytest.mark.parametrize(("language", "encoding"), SETS)
def test_f_1124_texts_of_other_encodings_are_read_right(language: str, encoding: str) -> None:
    """F-1124: Czech and Polish were stored as mojibake, Japanese, Korean and Russian refused."""
    for seed in range(20):
        text = write_text(language, encoding, seed)
        assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["iso8859_2", "cp1250", "cp1254", "cp1257", "cp874"])
def test_f_1124_what_cannot_be_read_is_refused_and_never_mojibake(encoding: str) -> None:
    """F-1124: lists of names without a sentence, and languages that nobody here knows the words of."""
    texts = {
        "iso8859_2": "Jiří Dvořák; Růžena Ševčíková; Tomáš Němec\nŁukasz Żółkiewski; Agnieszka Dąbrowska",
        "cp1250": "Jiří Dvořák; Růžena Ševčíková; Ondřej Šťastný",
        "cp1254": "Sözleşme imza tarihinden itibaren geçerlidir, üç yıl için.",
        "cp1257": "Sutartis įsigalioja nuo pasirašymo dienos, šį mėnesį.",
        "cp874": "สัญญามีผลตั้งแต่วันที่ลงนาม",
    }
    with pytest.raises(DocumentError) as raised:
        decode(texts[encoding].encode(encoding))
    assert raised.value.code == "bad_encoding"


@pytest.mark.parametrize("encoding", ["cp1251", "koi8_r", "iso8859_5", "cp866"])
def test_titles_and_lists_of_another_alphabet_are_read_by_their_letters(encoding: str) -> None:
    """Without a word that every text has: such files were refused."""
    text = "Вид копии;Цена;Срок\nЧёрно-белая;15;2 дня\nЦветная;40;5 дней\n"
    assert decode(text.encode(encoding)) == text


def test_a_quotation_mark_is_no_word_of_another_alphabet() -> None:
    text = "um ini 18 greifen!“"
    assert decode(text.encode("cp1252")) == text


@pytest.mark.parametrize(
    "text", ["Müller; Señor Núñez; Søren; Françoise", "Crème brûlée\nSmørrebrød", "Größe: 5 µm"]
)
def test_names_of_many_western_countries_are_read(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


@pytest.mark.parametrize(
    "content",
    [
        "你好".encode("gb18030"),  # as good in Big5
        bytes(range(128, 256)) * 8,
        b"a" * 1000 + "文".encode("gb18030"),
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    ],
)
def test_what_cannot_be_told_is_refused(content: bytes) -> None:
    with pytest.raises(DocumentError) as raised:
        decode(content)
    assert raised.value.code == "bad_encoding"


@pytest.mark.parametrize(
    "content",
    [
        lambda n: random.Random(1).randbytes(n),
        lambda n: b"\xe9 " * (n // 2),
        lambda n: ("文档" * (n // 4)).encode("gb18030"),
        lambda n: b"\0\xd8" * (n // 2),
    ],
    ids=["random", "latin", "chinese", "surrogates"],
)
def test_whatever_the_bytes_time_is_linear(content: Callable[[int], bytes]) -> None:
    def read(size: int) -> Callable[[], object]:
        raw = content(size)

        def run() -> None:
            with suppress(DocumentError):
                decode(raw)

        return run

    assert_linear(read, 20_000)


@pytest.mark.parametrize(
    "text",
    [
        "会議議事録\n開催日時\n出席者一覧\n決定事項",
        "売上高,営業利益,経常利益,当期純利益",
        "東京都千代田区丸内\n大阪府大阪市北区梅田",
        "経理部 部長 佐藤健一\n営業部 課長 鈴木幸子",
        "エラー一覧",
    ],
)
def test_japanese_in_kanji_alone_is_not_read_as_chinese(text: str) -> None:
    """F-1124: without kana, EUC-JP was stored as the Chinese characters of the same bytes."""
    assert decode(text.encode("euc_jp")) == text


@pytest.mark.parametrize(("text", "encoding"), [("議事録", "euc_jp"), ("結果", "euc_jp")])
def test_what_may_be_several_languages_is_refused(text: str, encoding: str) -> None:
    with pytest.raises(DocumentError) as caught:
        decode(text.encode(encoding))
    assert caught.value.code == "bad_encoding"


@pytest.mark.parametrize(
    "text", ["检索报告", "安装步骤", "配置文件", "会议记录：李明、王芳", "报销标准\n差旅费"]
)
def test_short_chinese_is_still_told(text: str) -> None:
    assert decode(text.encode("gb18030")) == text


def test_accents_that_are_kanji_too_stay_accents() -> None:
    assert decode("créée".encode("cp1252")) == "créée"
