"""Scores by sacreBLEU and rouge-score, to hold `newsml eval` against.

    python tests/python/metrics.py HYP REF [REF ...]                      # prints their scores
    python tests/python/metrics.py --newsml target/debug/newsml HYP REF   # compares, status 1 if they differ
    python tests/python/metrics.py --fixtures tests/fixtures/metrics      # writes the fixtures anew
    python tests/python/metrics.py --perturb SEED FILE                    # prints a damaged copy of a file

Needs `pip install sacrebleu==2.6.0 rouge-score==0.1.2 numpy`. rouge-score's own words are ASCII only, so
it is given words of any script. Scores are compared to the last digit of a double (1e-9), intervals to
those digits that sacreBLEU prints, since it computes them in single precision.
"""

import argparse
import json
import pathlib
import random
import re
import subprocess
import sys

from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF

ROUGE = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
TOKENIZERS = ["13a", "intl", "char", "none"]


class UnicodeWords:
    def tokenize(self, text):
        return re.findall(r"\w+", text.lower())


def lines(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        return [line.rstrip() for line in file]


def scores(hypotheses, references, resamples):
    """All metrics: {key: {value, mean, half}}; `references` holds one list a file."""
    found = {}

    def corpus(key, metric):
        score = metric.corpus_score(hypotheses, references, n_bootstrap=max(resamples, 1))
        found[key] = {"value": score.score}
        if resamples:
            found[key] |= {"mean": float(score._mean), "half": float(score._ci)}
        return score

    for tokenizer in TOKENIZERS:
        score = corpus(f"bleu {tokenizer}", BLEU(tokenize=tokenizer))
        found[f"bleu {tokenizer}"] |= {
            "precisions": score.precisions,
            "lengths": [score.sys_len, score.ref_len],
        }
    corpus("bleu lowercase", BLEU(lowercase=True))
    corpus("chrf", CHRF())
    corpus("chrf lowercase", CHRF(lowercase=True))
    corpus("chrf++", CHRF(word_order=2))
    scorer = rouge_scorer.RougeScorer(ROUGE, tokenizer=UnicodeWords())
    each = [scorer.score_multi(list(refs), hyp) for hyp, *refs in zip(hypotheses, *references)]
    for key in ROUGE:
        mean = lambda field: 100 * sum(getattr(score[key], field) for score in each) / len(each)
        found[key] = {"value": mean("fmeasure"), "precision": mean("precision"), "recall": mean("recall")}
    return found


def by_lines(hypotheses, references):
    """rougeLsum of texts of four lines each, as one list of F-measures."""
    joined = lambda lines: ["\n".join(lines[at : at + 4]) for at in range(0, len(lines), 4)]
    scorer = rouge_scorer.RougeScorer(["rougeLsum"], tokenizer=UnicodeWords())
    texts = zip(joined(hypotheses), *map(joined, references))
    return [scorer.score_multi(list(refs), hyp)["rougeLsum"].fmeasure for hyp, *refs in texts]


def ours(program, hypothesis, references, resamples):
    """The same from `newsml eval`."""

    def run(*options):
        command = [program, "eval", "--json", "--hyp", hypothesis, f"--resamples={resamples}", *options]
        for reference in references:
            command += ["--ref", reference]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["scores"]

    found = {}

    def take(key, score):
        found[key] = {"value": score["value"], **{k: v for k, v in score["parts"].items()}}
        if "interval" in score:
            interval = score["interval"]
            found[key] |= {"mean": interval["mean"], "half": (interval["high"] - interval["low"]) / 2}

    for tokenizer in TOKENIZERS:
        take(f"bleu {tokenizer}", run("--metric=bleu", f"--tokenize={tokenizer}")["bleu"])
    lowered = run("--metric=bleu,chrf", "--lowercase")
    take("bleu lowercase", lowered["bleu"])
    take("chrf lowercase", lowered["chrf"])
    for key, score in run("--metric=" + ",".join(["chrf", "chrf++", *ROUGE])).items():
        take(key, score)
    return found


def differences(theirs, ours):
    for key, expected in theirs.items():
        for field, value in expected.items():
            if field in ("precisions", "lengths"):
                continue
            got = ours[key][field]
            same = f"{got:.2f}" == f"{value:.2f}" if field in ("mean", "half") else abs(got - value) < 1e-9
            if not same:
                yield f"{key} {field}: {value} expected, {got} found"


def perturbed(text, random):
    """A line as a bad translator would write it."""
    words = text.split(" ")
    for _ in range(random.randrange(4)):
        kind, at = random.randrange(7), random.randrange(len(words))
        other = random.randrange(len(words))
        if kind == 0:
            del words[at : at + random.randrange(1, 4)]
        elif kind == 1:
            words[at], words[other] = words[other], words[at]
        elif kind == 2:
            words.insert(at, words[other])
        elif kind == 3:
            words[at] = words[at][::-1]
        elif kind == 4:
            words[at] = words[at].upper()
        elif kind == 5:
            words.insert(at, random.choice(["…", "👩‍🚀", "é", "e\u0301", "\u200f", "ـ", "—", "3.14", "&amp;", "\u00a0"]))
        else:
            words[at] = words[at].replace("1", "7").strip(".,")
        words = words or [""]
    return " ".join(words) + random.choice(["", "", "", " ", "\t", " \r"])


def damaged(path, seed):
    generator = random.Random(seed)
    return [perturbed(line, generator) for line in lines(path)]


def write_fixtures(folder):
    expected = {}
    for language in ["ar", "ru", "en"]:
        names = [folder / f"{name}.{language}" for name in ["hyp", "ref", "ref2"]]
        hypothesis, reference, second = names
        for path, seed in [(hypothesis, 1), (second, 2)]:
            path.write_text("".join(line + "\n" for line in damaged(reference, seed)), encoding="utf-8", newline="\n")
        for count in [1, 2]:
            references = [lines(path) for path in names[1 : 1 + count]]
            found = scores(lines(hypothesis), references, 1000)
            expected[f"{language} {count}"] = found | {"by lines": by_lines(lines(hypothesis), references)}
    path = folder / "expected.json"
    path.write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--newsml", metavar="PROGRAM")
    parser.add_argument("--fixtures", metavar="FOLDER", type=pathlib.Path)
    parser.add_argument("--perturb", metavar="SEED", type=int)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    if arguments.fixtures:
        return write_fixtures(arguments.fixtures)
    if arguments.perturb is not None:
        return print("\n".join(damaged(arguments.files[0], arguments.perturb)))
    hypothesis, *references = arguments.files
    theirs = scores(lines(hypothesis), [lines(path) for path in references], arguments.resamples)
    if not arguments.newsml:
        return print(json.dumps(theirs, indent=1))
    wrong = list(differences(theirs, ours(arguments.newsml, hypothesis, references, arguments.resamples)))
    print("\n".join(wrong) or f"{len(theirs)} scores are equal")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
