"""Words that turn a sentence round: opposites, words that deny, names written in two ways.

Owns these lists, as data for `claims`. Knows nothing of how they are used.
"""

import re

_OPPOSITES = """
accept accepts accepted accepting / reject rejects rejected rejecting decline declined
support supports supported / note notes noted
allow allows allowed permit permits permitted / forbid forbids forbidden ban bans banned
include includes included allow allows allowed / exclude excludes excluded prohibited
binding bound oblige obliged obligatory mandatory compulsory must / voluntary optional
in favour for / against
more over above / less fewer below under
higher / lower
raise raised raises increased increase rise rose / lower lowered lowers decreased decrease fell
before / after since
lifted lift suspended suspend waived / stay stays remain remains
upgraded / downgraded
public publicly / confidential secret private
paid pay / unpaid
open opened / closed
lift lifted lifts / impose imposed imposes
join joined / left leave withdraw withdrew withdrawn
first / last
all every each always / some few most many often usually sometimes partly
many / few
often frequently commonly usually / seldom rarely
inside within domestic / outside abroad foreign
temporary / permanent
direct directly / indirect indirectly
success successful / setback failure failed
stronger stronger strengthened / weaker weakened
named / anonymous
same / different differs differ separate distinct
legally / politically
broad widened / narrow narrowed
ended stopped / continued continues
winner won / lost
legal lawful / illegal unlawful
possible / impossible
able / unable
admissible / inadmissible
directly / through
kept keeps retained / dropped abolished lifted
cooperate cooperated / refused
minimum least / maximum most
start started began begun / ended end
early / late
independent independently / dependent answerable answer accountable
rich / poor
adopted / failed
"""

OPPOSITES: dict[str, list[tuple[int, int]]] = {}
"""Word → the pairs it belongs to, and its side in each."""
for _pair, _line in enumerate(line for line in _OPPOSITES.splitlines() if line):
    for _side, _words in enumerate(_line.split(" / ")):
        for _word in _words.split():
            if _word not in ("in", "for", "late", "legal", "most", "within", "end", "through"):
                OPPOSITES.setdefault(_word, []).append((_pair, _side))

NEGATORS = frozenset(
    str.split(
        "not no never nobody nothing none neither nor cannot without instead rather hardly barely"
        " scarcely seldom rarely false untrue incorrect wrong myth misconception"
    )
)
NEGATING_PAIRS = frozenset((("far", "from"), ("anything", "but")))
# Of the silent ones below, those that a statement may not add to what its source affirms.
STRONG_NEGATORS = frozenset(
    str.split(
        "fail fails failed failing refuse refuses refused refusing neglect neglects neglected omit"
        " omits omitted unable prevent prevents prevented forbid forbids forbidden forbade ban bans"
        " banned prohibit prohibits prohibited barred reject rejects rejected deny denies denied"
        " decline declines declined ceases ceased exempt exempts exempted stopped"
    )
)
EXCEPTIONS = frozenset(str.split("except excepting excluding barring"))
SILENT_NEGATORS = STRONG_NEGATORS | frozenset(
    str.split(
        "lack lacks lacking absence absent except excluding unlike kept"
        " avoid avoids beyond withdrew lost short turned miss missed missing away"
    )
)
# What follows these is what someone holds, not what is so.
DOUBTS = frozenset(
    str.split(
        "taken mistaken accuses accuse alleges alleged allege claims claimed argues argued"
        " proposed proposes planned suspected supposed wanted hoped threatened"
    )
)
CLAUSE_ENDS = frozenset(
    str.split(". ; : , ! ? ( ) but yet while whereas although though because and so when if")
)

# Common nouns of bodies and texts: in capitals they name whatever the passage speaks of.
COMMON_NAMES = frozenset(
    str.split(
        "committee commission council court convention covenant charter protocol statute treaty"
        " assembly declaration agreement resolution decision article articles report state states"
        " member members party parties rapporteur secretariat office high president prosecutor"
        " chair cycle session working group review government governments act law directive"
        " regulation chapter principles guidelines mechanism compact programme platform article"
        " organization organizations organisations special annex paragraph rights human expert"
        " experts statutes union rule rules independent universal mandate system body bodies"
        " platform plan guiding"
    )
)
# Words that often open a sentence, and so are capitals without being names.
NOT_NAMES = COMMON_NAMES | frozenset(
    str.split(
        "a an the this that these those it its he she they their his her we our who whose which"
        " what when where while whereas although though because since as if unless until after"
        " before during in on at by for from with without under over of to into within about"
        " around some many most more several few both each every all any no not neither nor only"
        " even also and but or yet so then thus therefore however moreover furthermore besides"
        " instead according additionally unlike like between among through throughout despite"
        " there here one two three four five six seven eight nine ten eleven twelve thirteen"
        " fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty"
        " seventy eighty ninety hundred first second third fourth fifth once now today later"
        " earlier finally overall such other another except given upon based i you may can must"
    )
)

_ACRONYMS = {
    "UN": "United Nations",
    "EU": "European Union",
    "AU": "African Union",
    "US": "United States of America|United States|USA",
    "UK": "United Kingdom",
    "UPR": "Universal Periodic Review",
    "ICC": "International Criminal Court",
    "ICJ": "International Court of Justice",
    "OHCHR": "(?:UN )?Office of the (?:UN )?High Commissioner for Human Rights"
    "|UN human rights office",
    "UNHCR": "Office of the (?:UN )?High Commissioner for Refugees",
    "ICCPR": "(?:International )?Covenant on Civil and Political Rights",
    "ICESCR": "(?:International )?Covenant on Economic, Social and Cultural Rights",
    "DPRK": "North Korea|Democratic People's Republic of Korea",
    "OAU": "Organi[sz]ation of African Unity",
    "ITU": "International Telecommunication Union",
    "NGO": "NGOs|[Nn]on-governmental organi[sz]ations?",
    "AI": "[Aa]rtificial intelligence",
    "HRC": "Human Rights Council",
    "ECOSOC": "Economic and Social Council",
    "UDHR": "Universal Declaration of Human Rights",
}
ACRONYMS = tuple((re.compile(rf"\b(?:{long})\b"), short) for short, long in _ACRONYMS.items())

# Stems that say the same in these texts; each maps to the first of its line.
_SAME = """
creat establish set found form up launch
refer referr
anyon someon somebodi anybodi
start began begin begun commenc
adopt pass approv
forc effect
vote ballot
countri state nation govern
individu person peopl
death capit
penalti punish
monitor follow watch
staff employe
turnov revenu
chair head
mandat task
reject turn
name author
independ impartial
implement carri execut
judgment rule verdict
member membership
ensur guarante
take took taken
give gave given
hold held
meet met
lead led
write wrote written
come came
bring brought
leav left
lose lost
grow grew grown
claim say said
global world worldwid
answer respons respond repli
violat breach
near close
end stop
"""
WORD_PAIRS: dict[str, str] = {}
for _line in _SAME.splitlines():
    for _word in _line.split():
        WORD_PAIRS[_word] = _line.split()[0]

ENDINGS = ("n", "an", "ian", "ish", "ese", "s", "i", "er", "en")
"""What makes the name of a country one of its people or things."""
SAME_NAMES = {
    "denmark": "danish",
    "france": "french",
    "britain": "british",
    "germany": "german",
    "italy": "italian",
    "spain": "spanish",
    "greece": "greek",
    "dutch": "netherlands",
    "dollars": "dollar",
    "euros": "euro",
}
