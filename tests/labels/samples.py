"""What the labels of the tests are for, and what a scanner must read from them."""

from dataclasses import replace
from typing import Final

from backend.app.services.labels.layout import Subject

_VARIANT: Final = "2d2f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c55"
QR: Final = f"bl:variant:{_VARIANT}"
EAN: Final = "8901234567890"
LONG_SKU: Final = "SOF-3-RECL-NILAMBUR-TEAK-CHARCOAL-LINEN-LEFT-240CM-V2"

SOFA: Final = Subject(
    name="Three-seater sofa, teak, grey",
    qr=QR,
    details="Teak · Grey",
    marks=("SKU SOF-3-GREY",),
    large="₹42,500.00",
    note="incl. tax",
    linear="SOF-3-GREY",
)
LONG: Final = Subject(
    name="Extra-long three-seater reclining sofa bed with storage chaise, solid Nilambur teak, hand-woven "
    "cane and charcoal linen cushions",
    qr=QR,
    details="Nilambur teak · Charcoal linen · Left-hand chaise · 240 cm",
    marks=(f"SKU {LONG_SKU}",),
    large="₹1,23,45,678.00",
    note="incl. tax",
    linear=LONG_SKU,
)
SUBJECTS: Final = {
    "ean": replace(SOFA, ean=EAN, linear=EAN),
    "sku": SOFA,
    "short": Subject("Stool", QR, linear="ST-1"),
    "figures": replace(SOFA, linear="400123456789012"),
    "long": LONG,
    "endless": replace(
        LONG,
        name="Bookcase" * 25,
        details="Rosewood" * 20,
        marks=("SKU " + "BOOKCASE-" * 6,),
        linear="BOOKCASE-" * 6,
    ),
    "devanagari": replace(
        SOFA, name="शीशम की लकड़ी का तीन सीटों वाला सोफ़ा, धूसर कपड़ा", details="शीशम · धूसर", ean=EAN, linear=EAN
    ),
    "devanagari qr": replace(SOFA, name="शीशम की लकड़ी का तीन सीटों वाला सोफ़ा", details="शीशम", prefers="qr"),
    "arabic": replace(
        SOFA,
        name="أريكة ثلاثية المقاعد من خشب الساج (رمادي) 180 سم",
        details="خشب الساج · رمادي",
        large="AED\u00a04,250.00",
    ),
    "arabic qr": replace(SOFA, name="أريكة ثلاثية المقاعد (رمادي) 180 سم Pro", prefers="qr"),
    "tamil": replace(SOFA, name="தேக்கு மர மூன்று இருக்கை சோபா"),
    "sku of letters": replace(SOFA, linear="सोफ़ा-3", marks=("SKU सोफ़ा-3",)),
    "piece": replace(
        SOFA,
        qr=f"bl:unit:{_VARIANT}:SN-2026-000123",
        linear="SN-2026-000123",
        marks=("SKU SOF-3-GREY", "S/N SN-2026-000123"),
        prefers="qr",
    ),
    "batch": replace(
        SOFA,
        qr="bl:batch:7b7f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c11",
        linear="L-0426",
        marks=("SKU GLUE-1", "Batch L-0426", "Use by 30 Apr 2027"),
        prefers="qr",
    ),
    "longest serial": replace(
        SOFA, qr=f"bl:unit:{_VARIANT}:{'Ω' * 60}", linear="Ω" * 60, marks=(f"S/N {'Ω' * 60}",), prefers="qr"
    ),
    "place": Subject(
        "Main warehouse, aisle 4",
        "bl:location:7b7f3f0e-1d9a-4f0e-8a53-0d9a3f1f0c99",
        details="Bengaluru Indiranagar",
        large="WH-A-04",
        linear="WH-A-04",
        prefers="qr",
    ),
}


def readings(subject: Subject) -> set[str]:
    """What a scanner may read from a label of the subject: any of its codes."""
    return {code for code in (subject.qr, subject.linear, subject.ean) if code}
