"""What stands on a page without being part of its text: furniture, and notices about the text.

Owns the rules that recognise lines such as "Skip to content", pointers to other articles,
announcements of the article itself, and a source's declaration that it was generated.
Works on single lines or paragraphs of clean text; knows nothing of formats or files.
"""

import re

from corpus.cleaning import one_line
from corpus.documents import Notice

_LONGEST_FURNITURE = 30
_LONGEST_NOTICE = 60
"""Words; what is longer is taken for part of the text whatever it says."""
_LONGEST_WORD = 30
"""Characters; more for each word on average is noise, and costly to look at."""

_NAVIGATION = re.compile(
    r"""(?ix) ^\W*(?:
      (?:skip|jump)\ to\ (?:the\ )?(?:main\ )?(?:content|navigation|menu|search|footer)
    | (?:scroll|back|return|go)\ (?:back\ )?to\ (?:the\ )?top(?:\ of\ (?:the\ )?page)?
    | (?:toggle|open|close|show|hide|main)\ (?:navigation|menu|search|sidebar)
    | (?:previous|next|older|newer)\ (?:post|article|page|story)s?(?:\b.*)?
    | (?:print|email|share|bookmark)(?:\ this)?(?:\ (?:page|article|post|story))?(?:\ with\ .*)?
    | share\ (?:this|on|via)\b.*
    | (?:click|tap|press)\ (?:here\ )?to\ (?:share|print|email|tweet|subscribe|enlarge)\b.*
    | home(?:\ [>»/›].*)?
    | (?:tweet|pin\ it|like\ this|loading|advertisement|sponsored(?:\ content)?|menu|search)
    | (?:leave|post|write|add)\ a\ (?:comment|reply)\b.*
    | (?:log|sign)\ in(?:\ to\ .*)?
    | \d+\ (?:comments?|shares?|views?|likes?|min(?:ute)?s?\ read)
    | (?:estimated\ )?reading\ time\W.*
    | follow\ us\b.* | like\ us\ on\b.* | join\ our\ (?:mailing\ list|newsletter)\b.*
    | (?:subscribe|sign\ up)(?:\ (?:now|today|here|to|for)\b.*)?
    | (?:accept|reject|manage|allow)\ (?:all\ )?(?:cookies|preferences)(?:\ .*)?
    | cookie\ (?:settings|preferences|policy|notice)
    | privacy\ policy | terms\ (?:of\ (?:use|service)|and\ conditions)
    | (?:©|\(c\)|copyright\b)\W.*\d{4}.* | all\ rights\ reserved
    )\W*$"""
)
_COOKIES = re.compile(
    r"(?i)\b(?:we|this (?:web)?site|our (?:web)?site|by (?:continuing|using|clicking))\b"
    r".{0,80}\bcookies?\b"
)
# "See also", a gap (two blanks, a no-break space or a colon) and the other article's title.
_POINTER = re.compile(
    r"(?i)^\W*(?:see also|related(?: (?:articles?|posts?|stories|story|reading|content))?"
    r"|read (?:more|also|next)|also read|more on this|you (?:may|might) also (?:like|enjoy)"
    r"|recommended(?: (?:for you|reading|articles?))?|don['’]t miss|up next)"
    r"(?P<gap>[\s]*[:→»›|–—-]\s*|\s+)(?P<other>\S.*)$"
)
_REFERENCE = re.compile(
    r"\b(?:para|paras|art|arts|article|no|nos|vol|pp?|sect?|section|chap|chapter|annex)\b\.?\s*\d"
    r"|\d+\(\w+\)",
    re.IGNORECASE,
)
_ANNOUNCES = re.compile(
    r"(?i)\b(?:article|post|feature|essay|guide|story|blog|piece|report|series)\b"
    r"|\b(?:read on|keep reading|join us|we (?:will|explore|examine|look))\b"
)
_QUOTED = re.compile(r"[\"“”„«»‘’']([^\"“”„«»]{8,200}?)[\"“”„«»‘’']")
_AI = (
    r"(?:\bA\.?I\.?\b|artificial intelligence|(?:large )?language models?|\bLLMs?\b"
    r"|chat-?gpt|gpt-\d|machine[- ]generated|chatbot)"
)
_MADE = (
    r"(?:generated|assembled|created|written|produced|drafted|composed|prepared|compiled"
    r"|developed|crafted|authored|put together|assisted)"
)
_WORK = r"\b(?:content|article|text|post|page|document|piece|summary|story|material|publication)\b"
_GENERATED = re.compile(
    rf"(?i){_MADE}\b[^.!?]{{0,60}}?\b(?:by|with|using|through|via|from)\b[^.!?]{{0,40}}?{_AI}"
    rf"|{_AI}[-\s]+(?:\w+[-\s]+)?{_MADE}"
    rf"|{_AI}[^.!?]{{0,40}}\b(?:was|were|has been|helped)\b[^.!?]{{0,30}}(?:used|{_MADE}|write)"
)
_HAS_WORK = re.compile(rf"(?i){_WORK}")


def is_furniture(line: str) -> bool:
    """Whether a line or short paragraph belongs to the page rather than to its text.

    Navigation, sharing, subscribing, cookies, copyright lines; and pointers to other articles
    (`is_pointer`). Only short blocks qualify: a sentence that merely mentions cookies stays.
    """
    words = line.split()
    if not words or len(words) > _LONGEST_FURNITURE or _is_noise(line, len(words)):
        return False
    plain = one_line(line)
    if _NAVIGATION.match(plain) and (len(words) <= 12 or not plain.endswith(".")):
        return True
    return bool(_COOKIES.search(plain)) or is_pointer(line)


def is_pointer(line: str) -> bool:
    """Whether a line only points to another article: "See also  Another Title".

    The rest must look like a title: it begins with a capital, does not end as a sentence and
    cites no paragraph or article. After plain single space, most of its long words must be
    capitalised too, so that "Related factors explain this" stays.
    """
    match = _POINTER.match(line.strip())
    if not match:
        return False
    gap, other = match["gap"], one_line(match["other"])
    if other[-1] in ".;," or not (other[0].isupper() or other[0] in "\"“'‘«" or other[0].isdigit()):
        return False
    if _REFERENCE.search(other):
        return False
    if gap != " ":
        return True
    long_words = [word for word in re.findall(r"[^\W\d_]+", other) if len(word) > 3]
    return len(long_words) >= 2 and sum(w[0].isupper() for w in long_words) * 2 > len(long_words)


def announces(paragraph: str, title: str) -> bool:
    """Whether a paragraph advertises the article that it stands in.

    It quotes the article's own title word for word and speaks of an article, a post, what "we
    will" do. Only asked of what stands before the first heading.
    """
    if _is_noise(paragraph, len(paragraph.split())) or len(title.split()) < 3:
        return False
    if not _ANNOUNCES.search(paragraph):
        return False
    wanted = _letters(title)
    return any(
        _letters(quoted) == wanted or (len(wanted) > 20 and wanted in _letters(quoted))
        for quoted in _QUOTED.findall(paragraph)
    )


def _is_noise(text: str, words: int) -> bool:
    return len(text) > _LONGEST_WORD * (words + 2)


def _letters(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def ai_notice(paragraph: str) -> Notice | None:
    """The notice of a source that declares itself machine-made, in its own words, or `None`.

    A short paragraph of its own that names the work ("content", "article") and says it was
    made by or with artificial intelligence.
    """
    words = len(paragraph.split())
    if words > _LONGEST_NOTICE or _is_noise(paragraph, words):
        return None
    plain = one_line(paragraph)
    if _GENERATED.search(plain) and _HAS_WORK.search(plain):
        return Notice(kind="ai-generated", text=plain)
    return None
