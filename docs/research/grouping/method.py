"""Streaming story grouping: reference implementation.

usage: method.py DEV.jsonl OUT.jsonl [--weights weights.json] [--window 36] [--every 3] [--no-lsa]

Items come in published order and teach the statistics. Every EVERY hours a look scores the pairs of the last WINDOW
hours under the document frequencies of that moment and groups them afresh; a group takes the id of the story it
overlaps most, items older than the window stay as they are. NOT here: the provisional placing of an item on arrival
between two looks (it would use the same pair score and the same link, against the item's neighbours' stories).
"""
import argparse, heapq, json, math, re
from collections import Counter
from datetime import datetime
import numpy as np, scipy.sparse as sp
from text import tokens

SETTLE_H, TOP_TERMS, TOP_NEIGHBOURS, MIN_COS, MISSING, KEEP = 10 / 60, 16, 40, 0.07, -4.0, -3.5
FEATURES = ['sq','sqN','cosN','snn','sumL','resun','nun','ressh','ccosmin','nmsum','nmmax','nmn','sumidf','sumT','nsh',
            'dt','same','samesq','round','comm','covgeo','gap','dens20min','ratiomax','lsa']
ROUND = re.compile(r"\b(briefing|newsletter|round-?up|first thing|up first|morning report|(morning|afternoon|evening) update|headlines|digest|at a glance|key events|podcast|quiz|crossword|horoscope|market talk|corrections|letters|in pictures|photos of the|week in|this week'?s|best of|things to know|five things|cartoon|today'?s)\b|;.*;", re.I)
COMM = re.compile(r"\b(deals?|pre-?orders?|save \$|best price|on sale|discount|% off|\$\d+ off|cheapest|price drop|buy|record low|coupons?|promo)\b", re.I)

class Item:
    def __init__(s, d):
        s.id, s.outlet = d['id'], d['outlet']; s.t = datetime.fromisoformat(d['published']).timestamp() / 3600
        s.title, s.summary = tokens(d['title']), tokens((d['summary'] or '')[:400])
        s.rt, s.rs = Counter(x[0] for x in s.title if x[0]), Counter(x[0] for x in s.summary if x[0])
        s.terms = set(s.rt) | set(s.rs)
        s.round, s.comm = bool(ROUND.search(d['title'])), bool(COMM.search(d['title']))

class Stats:
    """What the stream has taught so far: document frequencies, per outlet too, and how often a word is capitalised."""
    def __init__(s): s.n = 0; s.df, s.odf, s.on, s.cap, s.low = Counter(), Counter(), Counter(), Counter(), Counter()
    def learn(s, it):
        s.n += 1; s.on[it.outlet] += 1
        for w in it.terms: s.df[w] += 1; s.odf[it.outlet, w] += 1
        words = [x for x in it.title if x[1] != 'n']
        lower_title = len(words) > 3 and sum(x[2] for x in words) < 0.6 * len(words)
        for part in ([it.title] if lower_title else []) + [it.summary]:
            for w, k, c, first in part:
                if k == 'w' and not first: (s.cap if c else s.low)[w] += 1
    def idf(s, w): return math.log((s.n + 1) / (s.df[w] + 0.5))
    def name(s, w): return s.cap[w] > 0.6 * (s.cap[w] + s.low[w] + 0.5)
    def furniture(s, o, w): c = s.odf[o, w]; return c >= 5 and c > 0.15 * s.on[o] and c > 0.3 * s.df[w]

def pair_features(items, st, use_lsa=True):
    """-> I, J, X: candidate pairs of the items and their features, all under the statistics of now."""
    n = len(items); vocab = {}; IDF = {}; NAME = {}
    T, A, V, NM = [], [], [], []
    for it in items:
        c = Counter()
        for w, f in it.rs.items(): c[w] += 0.6 * min(f, 3)
        for w, f in it.rt.items(): c[w] += 1.5
        c = {w: f for w, f in c.items() if not st.furniture(it.outlet, w)}
        for w in c:
            if w not in IDF: IDF[w] = st.idf(w); NAME[w] = st.name(w); vocab[w] = len(vocab)
        v = {w: math.sqrt(f) * IDF[w] for w, f in c.items()}; q = math.sqrt(sum(x * x for x in v.values())) or 1
        T.append({w for w in it.rt if w in c}); A.append(set(c)); V.append({w: x / q for w, x in v.items()}); NM.append({w for w in c if NAME[w]})
    def matrix(rows):
        r = [k for k, v in enumerate(rows) for _ in v]
        return sp.csr_matrix(([x for v in rows for x in v.values()], (r, [vocab[w] for v in rows for w in v])), shape=(n, len(vocab)))
    M = matrix(V)
    strongest = matrix([dict(heapq.nlargest(TOP_TERMS, v.items(), key=lambda x: (x[1], x[0]))) for v in V])
    found = (strongest @ M.T).tocsr()                     # the inverted index over each item's strongest terms
    pairs = set()
    for k in range(n):
        js, xs = found.indices[found.indptr[k]:found.indptr[k+1]], found.data[found.indptr[k]:found.indptr[k+1]]
        for q in np.lexsort((js, -xs))[:TOP_NEIGHBOURS + 1]:
            if js[q] != k: pairs.add((min(k, js[q]), max(k, js[q])))
    P = np.array(sorted(pairs)).reshape(-1, 2); cos = np.asarray(M[P[:, 0]].multiply(M[P[:, 1]]).sum(1)).ravel()
    P, cos = P[cos > MIN_COS], cos[cos > MIN_COS]; I, J = P[:, 0], P[:, 1]
    near = [[] for _ in range(n)]                          # neighbour lists, strongest first
    for a, b, x in zip(I.tolist(), J.tolist(), cos.tolist()): near[a].append((x, b)); near[b].append((x, a))
    for l in near: l.sort(key=lambda e: (-e[0], e[1])); del l[TOP_NEIGHBOURS:]
    first = np.array([l[0][0] if l else 0 for l in near]); mean5 = np.array([sum(x for x, _ in l[1:6]) / 5 for l in near]); d20 = np.array([l[19][0] if len(l) > 19 else 0 for l in near])
    local, ccos = [], np.zeros(n)                          # how common each term is among the item's neighbours
    for k in range(n):
        nb = [b for x, b in near[k][:30] if x > 0.08]; c = Counter(); s = Counter()
        for b in nb:
            c.update(A[b])
            for w, x in V[b].items(): s[w] += x
        local.append({w: c[w] / (len(nb) + 5) for w in A[k]})
        q = math.sqrt(sum(x * x for x in s.values())) or 1; ccos[k] = sum(x * s[w] for w, x in V[k].items()) / q
    N = sp.csr_matrix((np.array([x for l in near for x, _ in l if x > 0.1]), (np.array([k for k, l in enumerate(near) for x, _ in l if x > 0.1], int), np.array([b for l in near for x, b in l if x > 0.1], int))), shape=(n, n))
    q = np.sqrt(np.asarray(N.multiply(N).sum(1)).ravel()); q[q == 0] = 1; N = (sp.diags(1 / q) @ N).tocsr()
    snn = np.asarray(N[I].multiply(N[J]).sum(1)).ravel()
    lsa = np.zeros(len(I))
    if use_lsa and n > 150:                                # subspace iteration from a fixed start
        Y = np.random.RandomState(7).standard_normal((M.shape[1], 100))
        for _ in range(4): Y, _r = np.linalg.qr(M.T @ (M @ Y))
        Z = M @ Y; Z /= np.linalg.norm(Z, axis=1, keepdims=True) + 1e-9
        lsa = (Z[I] * Z[J]).sum(1)
    named = [sum(IDF[w] ** 2 for w in s) ** 0.5 or 1 for s in NM]; tsum = [sum(IDF[w] for w in s) or 1e-9 for s in T]
    rows = []
    for p, (a, b) in enumerate(zip(I.tolist(), J.tolist())):
        x, y, sh = items[a], items[b], A[a] & A[b]; la, lb = local[a], local[b]
        nm = [IDF[w] for w in sh if w in NM[a]]; cn = sum(v * v for v in nm) / named[a] / named[b]
        ua, ub, tt = T[a] - A[b], T[b] - A[a], T[a] & T[b]
        fresh = lambda w: IDF[w] * (1 - max(la.get(w, 0), lb.get(w, 0)))
        cov = (1 - sum(IDF[w] for w in ua) / tsum[a]) * (1 - sum(IDF[w] for w in ub) / tsum[b])
        same = float(x.outlet == y.outlet); s = math.sqrt(cos[p])
        rows.append((s, math.sqrt(cn), cn, snn[p], sum(map(fresh, sh)), sum(map(fresh, ua | ub)), len(ua) + len(ub),
            sum(map(fresh, (T[a] & A[b]) | (T[b] & A[a]))), min(ccos[a], ccos[b]), sum(nm), max(nm, default=0), len(nm), sum(IDF[w] for w in sh), sum(IDF[w] for w in tt), len(sh),
            abs(x.t - y.t), same, same * s, float(x.round or y.round), float(x.comm != y.comm), math.sqrt(max(0, cov)),
            cos[p] - max(mean5[a], mean5[b]), min(d20[a], d20[b]), cos[p] / max(first[a], first[b]), lsa[p]))
    return I, J, np.array(rows).reshape(-1, len(FEATURES))

def group(n, I, J, s, mix, thr, pen=0.4):
    """Best link first: link(A, B) = (1-mix) * mean log-odds (MISSING where no pair) + mix * best
    - pen * ln(smaller size); joins while above thr."""
    W = [dict() for _ in range(n)]; size = [1] * n; mem = [[i] for i in range(n)]; ver = [0] * n; alive = [True] * n; h = []
    for a, b, v in zip(I.tolist(), J.tolist(), s.tolist()):
        if v > KEEP: W[a][b] = W[b][a] = (v, 1, v)
    def push(a, b):
        sm, c, mx = W[a][b]; N = size[a] * size[b]; l = (1 - mix) * (sm + (N - c) * MISSING) / N + mix * mx - pen * math.log(min(size[a], size[b]))
        if l > thr: a, b = min(a, b), max(a, b); heapq.heappush(h, (-l, a, b, ver[a], ver[b]))
    for a in range(n):
        for b in W[a]:
            if a < b: push(a, b)
    while h:
        _, a, b, va, vb = heapq.heappop(h)
        if not (alive[a] and alive[b]) or (ver[a], ver[b]) != (va, vb): continue
        alive[b] = False; size[a] += size[b]; mem[a] += mem[b]; ver[a] += 1; del W[a][b]
        for q, v in W[b].items():
            if q == a: continue
            del W[q][b]; u = W[a].get(q); W[a][q] = W[q][a] = (v[0] + u[0], v[1] + u[1], max(v[2], u[2])) if u else v
        W[b] = {}
        for q in W[a]: push(a, q)
    return [sorted(m) for a, m in enumerate(mem) if alive[a]]

def look(items, st, model, story, fresh_id):
    if len(items) < 2: return
    I, J, X = pair_features(items, st, model.get('lsa', True))
    s = X @ np.array(model['w']) + model['b']
    groups = group(len(items), I, J, s, model['mix'], model['thr'], model['pen']); taken = set()
    for g in sorted(groups, key=lambda g: (-len(g), g[0])):
        old = Counter(story[items[k].id] for k in g if items[k].id in story)
        sid = next((x for x, _ in sorted(old.items(), key=lambda e: (-e[1], e[0])) if x not in taken), None)
        if sid is None: sid = fresh_id()
        taken.add(sid)
        for k in g: story[items[k].id] = sid

def main():
    ap = argparse.ArgumentParser(); ap.add_argument('inp'); ap.add_argument('out'); ap.add_argument('--weights', default='weights.json')
    ap.add_argument('--window', type=float, default=36); ap.add_argument('--every', type=float, default=3); a = ap.parse_args()
    model = json.load(open(a.weights)); st = Stats(); story = {}; counter = iter(range(10**9)); fresh = lambda: next(counter)
    items = sorted((Item(json.loads(l)) for l in open(a.inp, encoding='utf-8')), key=lambda x: (x.t, x.id))
    nxt = items[0].t + 1; start = 0
    for k, it in enumerate(items):
        while it.t - SETTLE_H >= nxt:                      # what came by nxt has settled
            while items[start].t < nxt - a.window: start += 1
            look(items[start:k], st, model, story, fresh); nxt += a.every
        st.learn(it)
    while items[start].t < it.t - a.window: start += 1
    look(items[start:], st, model, story, fresh)
    with open(a.out, 'w') as f:
        for it in items: f.write(json.dumps({'id': it.id, 'story': story[it.id]}) + '\n')
if __name__ == '__main__': main()
