"""Sixty workbooks: what the cells of twenty kinds of sheet show, as Excel, openpyxl and LibreOffice store them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Final

from eval.fidelity import workbook_shapes as shapes
from eval.fidelity.sample import Sample
from eval.fidelity.workbook_cells import Made, a_day, serial_of, share_of_day, sheet
from eval.fidelity.workbook_parts import Book, Cell, Number, Writer

WRITERS: Final[tuple[Writer, ...]] = ("excel", "openpyxl", "libreoffice")


def make_workbooks() -> Iterator[Sample]:
    """Yield every kind by every writer; the values differ from writer to writer."""
    for name, kind in KINDS.items():
        for number, writer in enumerate(WRITERS):
            made = kind(number, writer)
            content = Book(writer, from_1904=made.from_1904).pack(made.sheets)
            yield Sample(f"xlsx/{writer}-{name}.xlsx", content, made.must, made.never, f"{writer}-{name}")


def _times(number: int, _: Writer) -> Made:
    shifts = [(6, 0), (13, 45 - number), (22, 5 + number)]
    rows: list[list[Cell]] = [["Shift", "Begins", "Ends (12 h)"]]
    must = ["Shift Begins Ends (12 h)"]
    for name, (hour, minute) in zip(("Early", "Late", "Night"), shifts, strict=True):
        late = (hour + 8) % 24
        rows.append(
            [
                name,
                Number(share_of_day(hour, minute), "hh:mm"),
                Number(share_of_day(late, minute), "h:mm AM/PM"),
            ]
        )
        must += [
            f"{name} {hour:02d}:{minute:02d}",
            f"{late % 12 or 12}:{minute:02d} {'AM' if late < 12 else 'PM'}",
        ]
    day = a_day(number, 1)
    rows.append(["Last", Number(f"{serial_of(day) + 0.25:.10g}", "h:mm"), None])
    return Made((sheet("Shifts", rows),), (*must, "Last 06:00"), ("0.25", "1098678:00"))


def _spent(number: int, _: Writer) -> Made:
    hours = 26 + number
    rows: list[list[Cell]] = [
        ["Run", "Took"],
        ["Full", Number(f"{hours / 24 + 15 / 1440:.15g}", "[h]:mm")],
        ["Part", Number(f"{95.5 / 86400:.15g}", "mm:ss.0")],
        ["Whole", Number(f"{(hours * 3600 + 61) / 86400:.15g}", "[h]:mm:ss")],
    ]
    return Made(
        (sheet("Runs", rows),), ("Run Took", f"Full {hours}:15", "Part 01:35.5", f"Whole {hours}:01:01")
    )


def _zeros(number: int, _: Writer) -> Made:
    code = 1067 + number
    rows: list[list[Cell]] = [
        ["Town", "Postcode", "Article", "Cost centre"],
        ["Dresden", Number(str(code), "00000"), "007", Number("42", '"KST-"0000')],
        ["Reus", Number("4320", "00000"), Number("7", "000000"), Number(str(300 + number), "000-000")],
    ]
    must = (
        "Town Postcode Article Cost centre",
        f"Dresden 0{code} 007 KST-0042",
        f"Reus 04320 000007 000-{300 + number}",
    )
    return Made((sheet("Places", rows),), must, (str(code), "4320"))


def _money(number: int, writer: Writer) -> Made:
    amount = 1250.5 + number
    codes = {
        "excel": ('_-* #,##0.00\\ "€"_-;\\-* #,##0.00\\ "€"_-;_-* "-"??\\ "€"_-;_-@_-', f"{amount:,.2f} €"),
        "openpyxl": ("#,##0.00 [$€-407]", f"{amount:,.2f} €"),
        "libreoffice": ("#,##0.00\\ [$€-407];[RED]\\-#,##0.00\\ [$€-407]", f"{amount:,.2f} €"),
    }
    code, euros = codes[writer]
    rows: list[list[Cell]] = [
        ["Item", "Price"],
        ["Pump", Number(f"{amount:.15g}", code)],
        ["Valve", Number("89.9", '"$"#,##0.00')],
        ["Rebate", Number("-35", '"$"#,##0.00_);("$"#,##0.00)')],
        ["水泵", Number("1680", '"¥"#,##0.00')],
        ["Tea", Number("3.5", "[$£-809]#,##0.00")],
        ["工资", Number("12000", "#,##0.00\\ [$元-804]")],
    ]
    must = (
        "Item Price",
        f"Pump {euros}",
        "Valve $89.90",
        "Rebate ($35.00)",
        "水泵 ¥1,680.00",
        "Tea £3.50",
        "工资 12,000.00 元",
    )
    return Made((sheet("Prices", rows),), must, ("1250.5",))


def _digits(number: int, _: Writer) -> Made:
    card = f"45391487600123{10 + number}"
    stored = f"{float(card):.17g}".replace("e+", "E+")
    rows: list[list[Cell]] = [
        ["Name", "Number", "As text"],
        ["Card", Number(stored, "0"), card],
        ["Phone", Number("8613800138000", "0"), "+86 138 0013 8000"],
        ["Account", Number(f"{1234567890123456 + number}", "0"), "0012 3456"],
    ]
    must = (
        "Name Number As text",
        f"Card {card}",
        "Phone 8613800138000 +86 138 0013 8000",
        f"Account {1234567890123456 + number} 0012 3456",
    )
    return Made((sheet("Ids", rows),), must, ("8.61E+12", "1.23456789012346E+15"))


def _dates(number: int, _: Writer) -> Made:
    days = [a_day(number, at) for at in range(5)]
    rows: list[list[Cell]] = [
        ["Step", "Date"],
        ["Order", Number(str(serial_of(days[0])), "yyyy-mm-dd")],
        ["Lieferung", Number(str(serial_of(days[1])), "dd.mm.yyyy")],
        ["验收", Number(str(serial_of(days[2])), 'yyyy"年"m"月"d"日";@')],
        ["Invoice", Number(str(serial_of(days[3])), "[$-409]d-mmm-yy;@")],
        ["Hand-over", Number(f"{serial_of(days[4]) + 0.5625:.10g}", "yyyy-mm-dd hh:mm")],
    ]
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    must = (
        "Step Date",
        f"Order {days[0]}",
        f"Lieferung {days[1]:%d.%m.%Y}",
        f"验收 {days[2].year}年{days[2].month}月{days[2].day}日",
        f"Invoice {days[3].day}-{months[days[3].month - 1]}-{days[3]:%y}",
        f"Hand-over {days[4]} 13:30",
    )
    return Made((sheet("Plan", rows),), must, (str(serial_of(days[0])),))


def _from_1904(number: int, _: Writer) -> Made:
    day = a_day(number, 2)
    serial = serial_of(day, epoch=datetime.date(1904, 1, 1))
    rows: list[list[Cell]] = [["Boat", "Launched"], ["Svala", Number(str(serial), "yyyy-mm-dd")]]
    return Made((sheet("Boats", rows),), ("Boat Launched", f"Svala {day}"), (str(serial),), from_1904=True)


def _shares(number: int, _: Writer) -> Made:
    rows: list[list[Cell]] = [
        ["Figure", "Value"],
        ["Yield", Number(f"0.{875 + number}", "0.0%")],
        ["Whole", Number("0.4", "0%")],
        ["Plate", Number("2.375", "# ?/?")],
        ["Small", Number("0.0000042", "0.00E+00")],
        ["Change", Number("-0.125", "+0.0%;-0.0%")],
        ["Size", Number("1536000", '#,##0.0,,"M"')],
    ]
    must = (
        "Figure Value",
        f"Yield {87.5 + number / 10}%",
        "Whole 40%",
        "Plate 2 3/8",
        "Small 4.20E-06",
        "Change -12.5%",
        "Size 1.5M",
    )
    return Made((sheet("Shares", rows),), must, ("0.875", "2.375"))


def _units(number: int, _: Writer) -> Made:
    rows: list[list[Cell]] = [
        ["Part", "Weight", "Length", "Temperature"],
        ["Axle", Number(str(35 + number), '0" kg"'), Number("1.25", '0.00" m"'), Number("-4", '0" °C"')],
        ["Hub", Number("1200", '#,##0\\ "kg"'), Number("0.3", '0.00" m"'), Number("20", '+0" °C";-0" °C"')],
        ["螺栓", Number("12", '0"个"'), Number("8", '0"毫米"'), None],
    ]
    must = (
        "Part Weight Length Temperature",
        f"Axle {35 + number} kg 1.25 m -4 °C",
        "Hub 1,200 kg 0.30 m +20 °C",
        "螺栓 12个 8毫米",
    )
    return Made((sheet("Parts", rows),), must)


def _conditions(number: int, _: Writer) -> Made:
    phone = f"{2125550100 + number}"
    rows: list[list[Cell]] = [
        ["Contact", "Phone", "Balance", "State"],
        [
            "Ito",
            Number(phone, "[<=9999999]###-####;(###) ###-####"),
            Number("-1520.4", "#,##0.00;[Red]-#,##0.00"),
            Number("1", '[=1]"open";[=0]"closed";General'),
        ],
        [
            "Sato",
            Number("5550100", "[<=9999999]###-####;(###) ###-####"),
            Number("0", '#,##0.00;-#,##0.00;"nil"'),
            Number("0", '[=1]"open";[=0]"closed";General'),
        ],
    ]
    must = (
        "Contact Phone Balance State",
        f"Ito ({phone[:3]}) {phone[3:6]}-{phone[6:]} -1,520.40 open",
        "Sato 555-0100 nil closed",
    )
    return Made((sheet("Contacts", rows),), must, (phone,))


KINDS: Final[dict[str, Callable[[int, Writer], Made]]] = {
    "times": _times,
    "spent": _spent,
    "zeros": _zeros,
    "money": _money,
    "digits": _digits,
    "dates": _dates,
    "from-1904": _from_1904,
    "shares": _shares,
    "units": _units,
    "conditions": _conditions,
    "merged": shapes.merged,
    "two-heads": shapes.two_heads,
    "years": shapes.years,
    "hidden": shapes.hidden,
    "noted": shapes.noted,
    "typed": shapes.typed,
    "rich": shapes.rich,
    "several": shapes.several,
    "form": shapes.form,
    "chinese": shapes.chinese,
}
