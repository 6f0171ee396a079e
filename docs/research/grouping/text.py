"""Text to terms: tokenise, stem, fields. Pure functions of one item."""
import re, unicodedata
from functools import lru_cache
import snowballstemmer
_st = snowballstemmer.stemmer('english')
STOP = set("""a about above after again against all also am an and any are aren't as at be because been before being below between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each few for from further get gets getting got had has have having he he's her here hers him his how i i'm if in into is isn't it it's its itself just like may me might more most my new no nor not now of off on once one only or other our out over own said say says she should so some such than that that's the their theirs them then there these they they're this those through to too two under until up very was we we're were what when where which while who whom whose why will with won't would you you're your yours amid via among per according around since still us last first could yet within without upon told reading continue news report reports reported make makes made year years day days week today yesterday monday tuesday wednesday thursday friday saturday sunday mr mrs ms back well much many even way want take going go see know use used time people"""
.split())
TOK = re.compile(r"[A-Za-z](?:\.[A-Za-z])+\.?|[0-9]+(?:[.,:][0-9]+)*|[^\W\d_]+(?:'[^\W\d_]+)*|[0-9]+", re.U)
SENT = re.compile(r"[.!?:|—–\"“”‘(]\s*$|(^|\s)[-•]\s*$")
@lru_cache(maxsize=200000)
def stem(w): return _st.stemWord(w)
NUMW = dict(two='2',three='3',four='4',five='5',six='6',seven='7',eight='8',nine='9',ten='10',eleven='11',twelve='12',dozen='12')
def norm(s):
    s = unicodedata.normalize('NFKD', s)
    s = ''.join(c for c in s if not unicodedata.combining(c))
    return s.replace('’',"'").replace('‘',"'").replace('`',"'")
def tokens(s):
    """-> list of (term, kind, capital, initial); kind 'w' word, 'n' number"""
    s = norm(s); out = []
    end = 0
    for m in TOK.finditer(s):
        raw = m.group(0)
        gap = s[end:m.start()]
        initial = end == 0 or bool(re.search(r"[.!?:|\"“”(\u2014\u2013•]|\s-\s", gap)) or (gap.endswith("'"))
        end = m.end()
        if raw[0].isdigit():
            t = raw.replace(',','').replace(':','.')
            out.append((t,'n',False,initial)); continue
        w = raw
        if '.' in w: w = w.replace('.','')   # U.S. -> US
        low = w.lower()
        if low.endswith("'s"): low = low[:-2]; w=w[:-2]
        low = low.replace("'", '')
        cap = w[:1].isupper()
        if low == 'us' and w == 'US': low = 'usa'
        if low == 'uk': low='uk'
        if low in STOP or len(low) < 2: 
            out.append((None,'s',cap,initial)); continue
        if low in NUMW: out.append((NUMW[low],'n',False,initial)); continue
        out.append((stem(low),'w',cap,initial))
    return out
