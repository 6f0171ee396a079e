"""Learns weights.json: logistic regression on candidate pairs under end-of-stream statistics, k-fold over stories."""
import json, sys, pickle, time
import numpy as np
from collections import Counter
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score as ap
from method import *
from clus import score
import sys; PATH = sys.argv[1]  # labelled items, as in tests/clusters.rs
def load(keep=lambda d: True):
    D=[d for d in map(json.loads,open(PATH)) if keep(d)]
    D.sort(key=lambda d:(datetime.fromisoformat(d['published']).timestamp(),d['id']))
    items=[Item(d) for d in D]; st=Stats()
    for it in items: st.learn(it)
    return D,items,st,np.array([d['story'] for d in D])
def weigh(I,y,story,pw=0.3):
    C=Counter(story.tolist()); sz=np.array([C[s] for s in story.tolist()]); w=np.ones(len(y)); p=y==1
    w[p]=1/np.maximum(1,sz[I][p]-1)**pw; return w, float(np.log(w[p].mean()))
def fit(X,y,w,shift):
    mu,sd=X.mean(0),X.std(0)+1e-9
    m=LogisticRegression(C=1.0,max_iter=2000).fit((X-mu)/sd,y,sample_weight=w); co=m.coef_[0]/sd
    return co, float(m.intercept_[0]-(mu*co).sum()-shift)
def labels(n,groups):
    l=np.zeros(n,int)
    for g,m in enumerate(groups): l[m]=g
    return l
def folds(story,K=5,seed=0):
    r=np.random.RandomState(seed); ids=np.unique(story); f=dict(zip(ids.tolist(),r.randint(0,K,len(ids)))); return np.array([f[s] for s in story.tolist()])
def oof(I,J,X,y,w,sh,fold):
    P=np.zeros((2,len(y))); ms=[]
    for k in range(5):
        tr=(fold[I]!=k)&(fold[J]!=k); co,b=fit(X[tr],y[tr],w[tr],sh); p=X@co+b; ms.append((co,b))
        P[0,fold[I]==k]=p[fold[I]==k]; P[1,fold[J]==k]=p[fold[J]==k]
    return P.mean(0),ms
fm=lambda r:' '.join('%.3f'%x for x in r)
GRID=[(m,t) for m in (0.4,0.5,0.6) for t in np.arange(-0.25,0.76,0.25)]
if __name__=='__main__':
    t0=time.time(); D,items,st,story=load(); n=len(items)
    I,J,X=pair_features(items,st); y=(story[I]==story[J]).astype(int); w,sh=weigh(I,y,story); print('pairs',len(I),y.sum(),'%.0fs'%(time.time()-t0),flush=True)
    pickle.dump((I,J,X,y,story),open('tr.pkl','wb'))
    for use in (True,False):
        X2=X.copy()
        if not use: X2[:,-1]=0
        fold=folds(story); P,ms=oof(I,J,X2,y,w,sh,fold); print('lsa',use,'OOF AP %.4f'%ap(y,P),flush=True)
        if use: pickle.dump((P,ms,fold),open('tr_oof.pkl','wb'))
        co,b=fit(X2,y,w,sh); Q=X2@co+b
        best=None
        for m,t in GRID:
            so=score(story,labels(n,group(n,I,J,P,m,t))); sf=score(story,labels(n,group(n,I,J,Q,m,t)))
            print('mix %.2f thr %.2f OOF'%(m,t),fm(so),'| full',fm(sf),flush=True)
            v=so[2]+so[5] if so[3]>=so[4] and so[0]>=so[1] else 0
            if best is None or v>best[0]: best=(v,m,t)
        json.dump(dict(features=FEATURES,w=co.tolist(),b=b,mix=0.6,thr=0.25,lsa=use,pen=0.4),open('weights.json' if use else 'weights_nolsa.json','w'),indent=1)
        print('chosen',best,flush=True)
