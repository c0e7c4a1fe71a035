"""Runs a GGUF file in llama.cpp and in newsml, and says how many greedy steps are the same.

usage: compare_gguf.py FILE.gguf [--texts FILE] [--ids-only] [--steps 64] [--count 16] [--write FILE]

Needs llama-cpp-python, numpy, and `cargo` in the repository. Texts are lines of a file, or the lines of the
articles beside this program. Compares the ids of all texts; then both programs are given the same prompt, llama.cpp
continues it greedily, and at each step it is asked which token newsml would have chosen. Where that is another one, the
gap between the two in newsml's scores is shown, as a share of the spread of the scores (their standard deviation).
Exits with 1 where ids differ, fewer than 95 of 100 steps are the same, or a difference is no near-tie (a gap of 0.25).
`--write` keeps the prompts and llama.cpp's continuations for the test of real weights.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import llama_cpp
import numpy

HERE = Path(__file__).parent
p = argparse.ArgumentParser()
p.add_argument("model")
p.add_argument("--texts")
p.add_argument("--ids-only", action="store_true")
p.add_argument("--steps", type=int, default=64)
p.add_argument("--count", type=int, default=16)
p.add_argument("--write")
p.add_argument("--device", default="cpu")
p.add_argument("--program", nargs="+", default=["cargo", "run", "--quiet", "--release", "--example", "compare", "--"])
a = p.parse_args()

if a.texts:
    texts = [line.rstrip("\n") for line in open(a.texts, encoding="utf-8", newline="\n")]
else:
    articles = [path.read_text(encoding="utf-8") for path in sorted((HERE / "articles").glob("*.txt"))]
    texts = [line for article in articles for line in article.split("\n") if len(line) > 60]

# Keys and values as float32, as newsml holds them.
llama = llama_cpp.Llama(a.model, n_ctx=1024, verbose=False, n_threads=2, vocab_only=a.ids_only,
                        type_k=llama_cpp.GGML_TYPE_F32, type_v=llama_cpp.GGML_TYPE_F32)
process = subprocess.Popen([*a.program, "--model", str(Path(a.model).resolve()), "--device", a.device],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE.parent)


def ask(**request):
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        sys.exit("newsml gave up; see above")
    return json.loads(answer)


wrong = 0
for text, found in zip(texts, ask(texts=texts)["rows"]):
    expected = llama.tokenize(text.encode(), add_bos=False, special=False)
    if found != expected:
        wrong += 1
        if wrong <= 5:
            print(f"ids of {text!r}\n  llama.cpp {expected}\n  newsml    {found}")
print(f"ids: {len(texts) - wrong} of {len(texts)} texts are the same")
failed = wrong > 0
if not a.ids_only:
    bos = llama.token_bos()
    adds = llama.metadata.get("tokenizer.ggml.add_bos_token", "true" if bos >= 0 else "false") == "true" and bos >= 0
    kept, same, steps, worst = [], 0, 0, 0.0
    for text in texts[:: max(1, len(texts) // a.count)][: a.count]:
        row = ([bos] if adds else []) + llama.tokenize(text.encode(), add_bos=False, special=False)[:120]
        llama.reset()
        llama.eval(row)
        target = []
        for _ in range(a.steps):
            scores = llama_cpp.llama_get_logits_ith(llama.ctx, -1)
            target.append(int(numpy.ctypeslib.as_array(scores, shape=(llama.n_vocab(),)).argmax()))
            llama.eval(target[-1:])
        with tempfile.NamedTemporaryFile() as file:
            ask(rows=[row], targets=[target], scores=file.name)
            scores = numpy.fromfile(file.name, dtype="<f4").reshape(len(target) + 1, -1)
        kept.append({"prompt": row, "continuation": target})
        for expected, line in zip(target, scores):
            steps += 1
            if line.argmax() == expected:
                same += 1
            else:
                gap = float((line.max() - line[expected]) / line.std())
                worst = max(worst, gap)
    share = same / max(1, steps)
    print(f"greedy steps: {same} of {steps} are the same ({100 * share:.1f} %), widest gap of the others {worst:.3f}")
    failed |= share < 0.95 or worst > 0.25
    if a.write:
        Path(a.write).write_text(json.dumps({"llama_cpp_python": llama_cpp.__version__, "rows": kept}) + "\n")
sys.exit(failed)
