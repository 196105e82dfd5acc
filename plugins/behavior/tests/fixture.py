#!/usr/bin/env python3
"""Writes fixture.json: what scikit-learn computes where the classic model is computed in Rust.

    python3 -m venv /tmp/sk && /tmp/sk/bin/pip install numpy scikit-learn && /tmp/sk/bin/python fixture.py > fixture.json

Inputs are drawn from a seeded generator and rounded, so that both sides start from the same decimal numbers. The solver's
tolerance is far below its default, so that both sides stand at the optimum and not somewhere within 1e-3 of it.
"""
import json
import sys

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

MEAN = np.array([92.0, 118.0, 0.85, 1.4, 96.0, 320.0, 5.2, 0.42])
SD = np.array([6.0, 18.0, 0.12, 0.2, 12.0, 83.0, 0.63, 0.067])
NU, GAMMA, SVM_WEIGHT, DISTANCE_WEIGHT = 0.1, 1 / 16, 0.5, 0.5
POINTS = 40


def case(name, n, constant, seed):
    rng = np.random.default_rng(seed)
    train = np.round(MEAN + SD * rng.standard_normal((n, 8)), 6)
    if constant is not None:
        train[:, constant] = MEAN[constant]
    # From the middle of the cloud to far outside it, so that both votes and both sides of D_max occur.
    spread = np.linspace(0.2, 2.6, POINTS)[:, None]
    test = np.round(MEAN + SD * spread * rng.standard_normal((POINTS, 8)), 6)
    if constant is not None:
        test[:, constant] = np.round(MEAN[constant] + rng.choice([0.0, 0.5], POINTS), 6)

    scaler = StandardScaler().fit(train)
    scaled, points = scaler.transform(train), scaler.transform(test)
    centroid = KMeans(n_clusters=1, n_init=1, random_state=0).fit(scaled).cluster_centers_[0]
    distances = np.linalg.norm(scaled - centroid, axis=1)
    d_max = distances.mean() + 2 * distances.std()
    svm = OneClassSVM(kernel="rbf", nu=NU, gamma=GAMMA, tol=1e-9).fit(scaled)
    decision = svm.decision_function(points)
    vote = svm.predict(points) > 0
    distance = np.linalg.norm(points - centroid, axis=1)
    fitness = SVM_WEIGHT * vote + DISTANCE_WEIGHT * np.maximum(0, 1 - distance / d_max)
    assert 5 < vote.sum() < POINTS - 5 and (distance > d_max).any()
    return {
        "name": name, "nu": NU, "gamma": GAMMA, "svm_weight": SVM_WEIGHT, "distance_weight": DISTANCE_WEIGHT,
        "train": train.tolist(), "scaled": scaled.tolist(), "centroid": centroid.tolist(), "d_max": float(d_max),
        "test": test.tolist(), "decision": decision.tolist(), "vote": vote.tolist(), "distance": distance.tolist(),
        "fitness": fitness.tolist(),
    }


cases = [
    case("twenty", 20, None, 1),
    case("hundred, the scroll distance always the same", 100, 5, 2),
    case("three hundred", 300, None, 3),
]
document = {"scikit_learn": sklearn.__version__, "numpy": np.__version__, "cases": cases}
json.dump(document, sys.stdout, separators=(",", ":"))
print()
