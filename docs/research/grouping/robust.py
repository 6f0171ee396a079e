from train import *
W=json.load(open('weights.json')); I,J,X,y,story=pickle.load(open('tr.pkl','rb')); P,ms,fold=pickle.load(open('tr_oof.pkl','rb')); n=len(story)
g=lambda n,I,J,s: labels(n,group(n,I,J,s,W['mix'],W['thr'],W['pen']))
# held-out stories only, clustered alone
R=[]
for k in range(5):
    ids=np.nonzero(fold==k)[0]; pos={v:i for i,v in enumerate(ids)}; m=(fold[I]==k)&(fold[J]==k); s=X[m]@ms[k][0]+ms[k][1]
    R.append(score(story[ids],g(len(ids),np.array([pos[v] for v in I[m]]),np.array([pos[v] for v in J[m]]),s)))
print('held-out stories alone, mean of 5:',fm(np.mean(R,0)))
for seed in (1,2):
    w,sh=weigh(I,y,story); f2=folds(story,seed=seed); P2,_=oof(I,J,X,y,w,sh,f2); print('other fold seed',seed,fm(score(story,g(n,I,J,P2))),flush=True)
def sub(keep,nm):
    """OOF pair model by story, everything (statistics, neighbours, features) computed from the kept items only"""
    D,items,st,sto=load(keep); i2,j2,x2=pair_features(items,st); fo=dict(zip(story.tolist(),fold.tolist())); ff=np.array([fo[s] for s in sto.tolist()])
    s=np.zeros(len(i2))
    for k in range(5):
        p=x2@ms[k][0]+ms[k][1]; s+=0.5*p*(ff[i2]==k)+0.5*p*(ff[j2]==k)
    print(nm,len(D),fm(score(sto,g(len(D),i2,j2,s))),flush=True)
sub(lambda d:d['published']<'2023-06-22','day 1 alone'); sub(lambda d:d['published']>='2023-06-22','day 2 alone')
import hashlib
h=lambda o,s:hashlib.md5((o+str(s)).encode()).digest()[0]%2
for s in (1,2): 
    sub(lambda d:h(d['outlet'],s)==0,'outlet half %da'%s); sub(lambda d:h(d['outlet'],s)==1,'outlet half %db'%s)
