"""Names that a shop, its goods and its customer may have: English, Hindi, Arabic, and as long as can be."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Names:
    """What people type: it stands on paper as it is, whatever the paper's language."""

    seller: str
    legal: str
    branch: str
    city: str
    street: str
    customer: str
    goods: tuple[str, str, str, str, str, str]
    piece: str
    suite: str
    offer: str
    coupon_offer: str
    fee: str
    note: str
    terms: str
    reason: str


ENGLISH = Names(
    seller="Teak & Thread",
    legal="Teak & Thread Furniture LLP",
    branch="Indiranagar",
    city="Bengaluru",
    street="12, 100 Feet Road",
    customer="Mehta Interiors Pvt Ltd",
    goods=(
        "Sofa, three seats, teak, grey linen",
        "Table lamp, brass",
        "Upholstery linen, natural",
        "Picture book of looms",
        "Earthen pot",
        "Assembly at home",
    ),
    piece="Loom 5 phone, 128 GB, blue",
    suite="Living-room suite",
    offer="Festive week",
    coupon_offer="Diwali",
    fee="Processing fee",
    note="Call before the delivery.",
    terms="Goods are exchanged within 7 days with this document.",
    reason="Damaged in transit",
)
HINDI = Names(
    seller="सागौन और धागा",
    legal="सागौन और धागा फ़र्नीचर",
    branch="इंदिरानगर",
    city="बेंगलुरु",
    street="१२, सौ फ़ुट मार्ग",
    customer="श्री कीर्ति ट्रेडर्स",
    goods=(
        "सागौन का सोफ़ा, तीन सीट",
        "पीतल का दीपक",
        "प्राकृतिक लिनन",
        "करघों की पुस्तक",
        "मिट्टी का घड़ा",
        "घर पर जोड़ना",
    ),
    piece="करघा पाँच फ़ोन, नीला",
    suite="बैठक का सेट",
    offer="त्योहार सप्ताह",
    coupon_offer="दीपावली",
    fee="प्रक्रिया शुल्क",
    note="सुपुर्दगी से पहले फ़ोन करें।",
    terms="माल सात दिन में बदला जाता है।",
    reason="रास्ते में टूटा",
)
ARABIC = replace(
    ENGLISH,
    customer="شركة النور للتجارة العامة والمقاولات",
    goods=(
        "أريكة ثلاثة مقاعد خشب الساج",
        "مصباح طاولة نحاسي 40 سم",
        "قماش كتان طبيعي",
        "كتاب مصور عن الأنوال",
        "إناء فخاري (كبير)",
        "التركيب في المنزل",
    ),
    piece="هاتف 5 أزرق 128 GB",
    suite="طقم غرفة الجلوس",
)


def _long(text: str, length: int) -> str:
    return (f"{text} " * length)[:length].strip()


LONG = replace(
    ENGLISH,
    seller=_long("Shri Venkateshwara Teak and Thread", 118),
    legal=_long("Shri Venkateshwara Teak and Thread Furniture Manufacturing Company Limited", 190),
    branch=_long("Indiranagar Hundred Feet Road", 110),
    customer=_long("Shri Lakshmi Narasimha Interior Decorators", 190),
    goods=(
        _long("Sofa with three seats of seasoned teak and grey linen,", 190),
        _long("सागौन की लकड़ी का तीन सीट वाला सोफ़ा और", 190),
        _long("أريكة من خشب الساج ثلاثة مقاعد", 190),
        "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 3,
        _long("Earthen pot", 130),
        _long("Assembly at home by two carpenters", 150),
    ),
    offer=_long("Festive week of all looms", 115),
    coupon_offer=_long("Diwali at home", 110),
    fee=_long("Processing fee of the house", 95),
)
