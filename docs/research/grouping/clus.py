import numpy as np, heapq
from collections import defaultdict, Counter
def f1(p,r): return 2*p*r/(p+r) if p+r else 0
def score(gold,sysl,sub=None):
    if sub is not None: gold=gold[sub]; sysl=np.asarray(sysl)[sub]
    A=Counter(gold);B=Counter(sysl);C=Counter(zip(gold,sysl)); n=len(gold)
    p=sum(c*c/B[s] for (g,s),c in C.items())/n; r=sum(c*c/A[g] for (g,s),c in C.items())/n
    pr=lambda q:sum(c*(c-1)//2 for c in q.values())
    h=pr(C);pp=h/max(1,pr(B));rr=h/max(1,pr(A))
    return p,r,f1(p,r),pp,rr,f1(pp,rr)
def agglo(n,I,J,s,default,thr=0.0,mixmax=0.0,smooth=0.0,init=None,sizepen=0.0):
    """agglomerative: link(A,B)=(1-mixmax)*avg(log-odds; missing=default)+mixmax*max ; merge while > thr"""
    cl={i:[i] for i in range(n)}
    W=[dict() for _ in range(n)]  # sum, cnt, max
    for i,j,v in zip(I,J,s):
        W[i][j]=(v,1,v);W[j][i]=(v,1,v)
    size=np.ones(n,int)
    def link(a,b):
        sm,c,mx=W[a][b]; N=size[a]*size[b]
        avg=(sm+(N-c)*default)/(N+smooth)
        return (1-mixmax)*avg+mixmax*mx-sizepen*np.log(size[a]+size[b])
    h=[]
    ver=[0]*n
    for i in range(n):
        for j in W[i]:
            if i<j:
                l=link(i,j)
                if l>thr: h.append((-l,i,j,0,0))
    heapq.heapify(h); alive=[True]*n
    while h:
        l,a,b,va,vb=heapq.heappop(h)
        if not(alive[a] and alive[b]) or ver[a]!=va or ver[b]!=vb: continue
        # merge b into a
        alive[b]=False; size[a]+=size[b]; cl[a]+=cl.pop(b); ver[a]+=1
        for c,(sm,k,mx) in W[b].items():
            if c==a: continue
            del W[c][b]
            if c in W[a]:
                s2,k2,m2=W[a][c]; v=(sm+s2,k+k2,max(mx,m2))
            else: v=(sm,k,mx)
            W[a][c]=v;W[c][a]=v
        del W[a][b]; W[b]={}
        for c in W[a]:
            l=link(a,c)
            if l>thr: heapq.heappush(h,(-l,a,c,ver[a],ver[c]) if a<c else (-l,c,a,ver[c],ver[a]))
    lab=np.zeros(n,int)
    for k,v in cl.items(): lab[v]=k
    return lab
