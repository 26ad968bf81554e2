"""What every A4 document says of itself: its PDF properties, its running head and its footnote."""

from collections.abc import Callable

from reportlab.platypus import Flowable

from backend.app.services.documents import facts, heading, pages
from backend.app.services.documents.look import Look
from backend.app.services.documents.prepare import Json
from backend.app.services.documents.text import clean


def about(document: Json, look: Look, generated: str = "generated") -> pages.About:
    """What the PDF says of itself in its properties and on every page."""
    say, title = look.say, heading.title(document, look)
    date = facts.issue_date(document, say)
    return pages.About(
        title=clean(f"{title} {document['number'] or ''}"),
        author=clean(facts.seller_name(document)),
        subject=clean(say("subject", title=title, date=date) if date else title),
        running=heading.running_head(document, look),
        footnote="   ·   ".join(
            (
                clean(document["number"]) or title,
                say("amounts_in", currency=clean(document["currency"])),
                say(generated),
            )
        ),
        look=look,
    )


def a4(
    document: Json, look: Look, story: Callable[[float], list[Flowable]], generated: str = "generated"
) -> bytes:
    """Builds the A4 document of a story."""
    return pages.a4(story, about(document, look, generated))
