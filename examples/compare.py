"""Runs a Marian, M2M100/NLLB, T5 or mT5 directory in transformers and in newsml, and prints the first difference.

usage: compare.py DIR [--texts FILE] [--rows FILE] [--source TOKEN] [--target TOKEN] [--beams 1 4] [--max-new 40]

What to run when a model disappoints: it tells whether newsml or the model is at fault. Needs torch and transformers,
and `cargo` in the repository. Texts are lines of a file; without one, and without a tokenizer in DIR, rows of random
ids are used (or the JSON arrays of `--rows`). Compares the source ids, the scores in float32 and quantized, and the
generated ids. Exits with 1 where float32 differs.
"""
import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

p = argparse.ArgumentParser()
p.add_argument("dir")
p.add_argument("--texts")
p.add_argument("--rows")
p.add_argument("--source", help="the token that names the source language, as in the catalogue")
p.add_argument("--target", help="the token that names the target language, as in the catalogue")
p.add_argument("--beams", type=int, nargs="+", default=[1, 4])
p.add_argument("--max-new", type=int, default=40)
p.add_argument("--count", type=int, default=32, help="how many rows")
p.add_argument("--scored", type=int, default=32, help="rows whose scores are compared")
p.add_argument("--tolerance", type=float, default=1e-3)
p.add_argument("--program", nargs="+", default=["cargo", "run", "--quiet", "--release", "--example", "compare", "--"])
a = p.parse_args()

model = AutoModelForSeq2SeqLM.from_pretrained(a.dir, dtype=torch.float32).eval()
failed = []


def report(what, good, detail=""):
    print(("same     " if good else "DIFFERENT") + f"  {what}" + (f": {detail}" if detail else ""), flush=True)
    if not good:
        failed.append(what)


class Newsml:
    def __init__(self, *options):
        self.process = subprocess.Popen([*a.program, "--model", a.dir, *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("newsml gave up; see above")
        return json.loads(answer)


a.dir = str(Path(a.dir).resolve())
exact, quantized = Newsml("--float"), Newsml()
if a.texts:
    texts = [line.rstrip("\n") for line in open(a.texts, encoding="utf-8")][: a.count]
    tokenizer = AutoTokenizer.from_pretrained(a.dir, **({"src_lang": a.source} if a.source else {}))
    prefix = f"{a.target} " if a.target and not a.source else ""
    rows = [tokenizer(prefix + text)["input_ids"] for text in texts]
    found = exact.ask(texts=texts, source=a.source, target=a.target)["rows"]
    wrong = [i for i in range(len(texts)) if rows[i] != found[i]]
    report("source ids", not wrong, f"text {wrong[0] + 1}: {texts[wrong[0]]!r}\n  transformers {rows[wrong[0]]}\n"
           f"  newsml       {found[wrong[0]]}" if wrong else f"{len(texts)} texts")
elif a.rows:
    rows = [json.loads(line) for line in open(a.rows)][: a.count]
else:
    rng = random.Random(0)
    end = model.config.eos_token_id
    rows = [[rng.randrange(3, model.config.vocab_size - 1) for _ in range(rng.randint(3, 40))] + [end]
            for _ in range(a.count)]

pad = model.config.pad_token_id
ids = torch.full((len(rows), max(map(len, rows))), pad)
mask = torch.zeros_like(ids)
for i, row in enumerate(rows):
    ids[i, : len(row)] = torch.tensor(row)
    mask[i, : len(row)] = 1
start = model.generation_config.decoder_start_token_id or model.config.decoder_start_token_id or 0
ends = model.generation_config.eos_token_id
ends = set(ends if isinstance(ends, list) else [ends])


def cut(sequence):
    sequence = sequence[1:]
    place = next((i for i, token in enumerate(sequence) if token in ends), len(sequence))
    return sequence[:place]


greedy = None
for beams in a.beams:
    with torch.no_grad():
        expected = model.generate(input_ids=ids, attention_mask=mask, num_beams=beams, do_sample=False,
                                  max_new_tokens=a.max_new).tolist()
    expected = [cut(sequence) for sequence in expected]
    greedy = greedy or expected
    found = exact.ask(rows=rows, beams=beams, max_new=a.max_new)["generated"]
    wrong = [i for i in range(len(rows)) if expected[i] != found[i]]
    report(f"generated ids, float32, beams {beams}", not wrong,
           f"{len(wrong)} of {len(rows)} rows, the first {wrong[0] + 1}\n  transformers {expected[wrong[0]]}\n"
           f"  newsml       {found[wrong[0]]}" if wrong else f"{len(rows)} rows")
    found = quantized.ask(rows=rows, beams=beams, max_new=a.max_new)["generated"]
    equal = sum(x == y for x, y in zip(expected, found))
    print(f"           generated ids, quantized, beams {beams}: equal in {equal} of {len(rows)} rows")

worst, agree, places = 0.0, 0, 0
with tempfile.TemporaryDirectory() as folder:
    for i, row in enumerate(rows[: a.scored]):
        target = greedy[i]
        with torch.no_grad():
            expected = model(input_ids=torch.tensor([row]),
                             decoder_input_ids=torch.tensor([[start, *target]])).logits[0].numpy()
        both = []
        for newsml in (exact, quantized):
            path = Path(folder) / "scores"
            newsml.ask(rows=[row], targets=[target], scores=str(path))
            both.append(numpy.fromfile(path, dtype="<f4").reshape(expected.shape))
        worst = max(worst, float(numpy.abs(both[0] - expected).max()))
        agree += int((both[1].argmax(1) == both[0].argmax(1)).sum())
        places += len(expected)
report("scores, float32", worst <= a.tolerance, f"largest difference {worst:.2e} over {places} places")
print(f"           scores, quantized: the likeliest token is the same in {100 * agree / places:.1f} % of places")
sys.exit(bool(failed))
