"""Runs newsml and transformers on the same card, one after the other, and prints how they compare.

usage: compare_gpu.py --bench PROGRAM [--marian DIR ...] [--gguf FILE --qwen DIR] [--batch 64 128 256 512]

PROGRAM is `examples/bench` built with `--features cuda`. A Marian DIR is a checkpoint in Hugging Face layout; it may
have random weights. FILE and DIR of Qwen2 are the same network, for newsml and for transformers; without DIR,
transformers gets a network of the same shape with random weights, which takes as long. Rows are random token ids, all
outputs have the same length, and both programs decode greedily in bfloat16 (newsml's GGUF also as it is stored).

Prints a table with target tokens a second of both, their ratio and the most memory in use on the card; then for Marian
how many rows get the same ids in bfloat16 as in float32, and how float32 on the card compares with the processor.
Exits with 1 where a ratio is below --marian-ratio or --qwen-ratio, or the ids of more than 3 rows in 100 differ.
Needs torch and transformers.
"""
import argparse
import gc
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

p = argparse.ArgumentParser()
p.add_argument("--bench", required=True)
p.add_argument("--device", default="cuda", help="of newsml; `cpu-tensors` and --torch-device cpu try the program out")
p.add_argument("--torch-device", default="cuda")
p.add_argument("--marian", nargs="*", default=[])
p.add_argument("--gguf")
p.add_argument("--qwen")
p.add_argument("--batch", type=int, nargs="+", default=[64, 128, 256, 512])
p.add_argument("--sequences", type=int, default=64, help="prompts that Qwen2 continues together")
p.add_argument("--prompt", type=int, default=512, help="tokens of the longest prompt")
p.add_argument("--vocabulary", type=int, default=150000, help="ids of prompts are below this")
p.add_argument("--target", type=int, default=40, help="tokens of each Marian output")
p.add_argument("--new", type=int, default=128, help="tokens of each Qwen2 output")
p.add_argument("--runs", type=int, default=5)
p.add_argument("--marian-ratio", type=float, default=3.0)
p.add_argument("--qwen-ratio", type=float, default=1.5)
a = p.parse_args()
on_card = a.torch_device.startswith("cuda")
failed = []
folder = tempfile.TemporaryDirectory()


def rows_file(rows):
    path = Path(folder.name) / f"rows-{len(list(Path(folder.name).iterdir()))}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def newsml(model, rows, batch, target, device, *options):
    command = [a.bench, "--model", str(model), "--rows", str(rows), "--batch", str(batch), "--target", str(target),
               "--runs", str(a.runs), "--device", device, *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"newsml gave up: {' '.join(command)}")
    return json.loads(done.stdout)


def peak_of(work):
    """Runs `work` and returns what it gave, and the most MiB in use on the card, as the driver tells it."""
    if not on_card:
        return work(), None
    done, most = threading.Event(), [0]

    def watch():
        while not done.is_set():
            free, everything = torch.cuda.mem_get_info()
            most[0] = max(most[0], everything - free)
            time.sleep(0.002)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        return work(), most[0] >> 20
    finally:
        done.set()
        thread.join()


def timed(work):
    if on_card:
        torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    if on_card:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def padded(rows, pad, left):
    width = max(map(len, rows))
    ids = torch.full((len(rows), width), pad)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        place = slice(width - len(row), width) if left else slice(0, len(row))
        ids[i, place] = torch.tensor(row)
        mask[i, place] = 1
    return {"input_ids": ids.to(a.torch_device), "attention_mask": mask.to(a.torch_device)}


def forget():
    gc.collect()
    if on_card:
        torch.cuda.empty_cache()


def line(name, batch, ours, theirs, our_peak, their_peak, bar):
    ratio = ours / theirs
    good = bar is None or ratio >= bar
    print(f"| {name} | {batch} | {ours:.0f} | {theirs:.0f} | {ratio:.2f} | {our_peak or '-'} | {their_peak or '-'} |"
          + ("" if good else f"  below {bar}"), flush=True)
    if not good:
        failed.append(f"{name}, batch {batch}: {ratio:.2f}")


print(f"on {torch.cuda.get_device_name() if on_card else 'the processor'}, torch {torch.__version__}\n")
print("| what | batch | newsml tokens/s | transformers tokens/s | ratio | newsml peak MiB | transformers peak MiB |")
print("| --- | --- | --- | --- | --- | --- | --- |")
rng = random.Random(0)
marian_rows = {}
for directory in a.marian:
    config = AutoConfig.from_pretrained(directory)
    model = AutoModelForSeq2SeqLM.from_pretrained(directory, dtype=torch.bfloat16).to(a.torch_device).eval()
    for batch in a.batch:
        # Lengths of sentences: most are short.
        longest = min(96, config.max_position_embeddings - 1)
        lengths = [min(longest, 6 + int(rng.expovariate(1 / 22))) for _ in range(batch)]
        rows = [[rng.randrange(3, config.vocab_size - 1) for _ in range(length)] + [config.eos_token_id]
                for length in lengths]
        marian_rows.setdefault(directory, rows_file(rows))
        inputs = padded(rows, config.pad_token_id, left=False)

        def generate():
            with torch.inference_mode():
                model.generate(**inputs, num_beams=1, do_sample=False, min_new_tokens=a.target, max_new_tokens=a.target)

        generate()
        times, their_peak = peak_of(lambda: [timed(generate) for _ in range(a.runs)])
        theirs = batch * a.target / statistics.median(times)
        # The card is given back before the other program starts, so that each peak is its own.
        model.to("cpu")
        forget()
        found = newsml(directory, rows_file(rows), batch, a.target, a.device, "--precision", "bf16")
        model.to(a.torch_device)
        line(f"Marian {Path(directory).name}, bf16", batch, found["target_tokens_per_s"], theirs,
             found.get("peak_device_mb"), their_peak, a.marian_ratio)
    del model
    forget()

if a.gguf:
    if a.qwen:
        model = AutoModelForCausalLM.from_pretrained(a.qwen, dtype=torch.bfloat16)
    else:
        config = AutoConfig.for_model("qwen2", hidden_size=1536, intermediate_size=8960, num_hidden_layers=28,
                                      num_attention_heads=12, num_key_value_heads=2, vocab_size=151936,
                                      rope_theta=1e6, tie_word_embeddings=True)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model = model.to(a.torch_device).eval()
    lengths = [rng.randint(a.prompt // 2, a.prompt) for _ in range(a.sequences)]
    rows = [[rng.randrange(3, a.vocabulary) for _ in range(length)] for length in lengths]
    inputs = padded(rows, 0, left=True)

    def continued(new):
        with torch.inference_mode():
            model.generate(**inputs, do_sample=False, min_new_tokens=new, max_new_tokens=new, pad_token_id=0)

    def rate():
        # Decoding alone, as newsml's program counts it: what the prompts take is taken off.
        short, long = timed(lambda: continued(1)), timed(lambda: continued(a.new))
        return len(rows) * (a.new - 1) / (long - short)

    continued(2)
    rates, their_peak = peak_of(lambda: [rate() for _ in range(a.runs)])
    theirs = statistics.median(rates)
    del model
    forget()
    path = rows_file(rows)
    best = None
    for options in (["--precision", "bf16"], ["--precision", "auto"]):
        found = newsml(a.gguf, path, len(rows), a.new, a.device, *options)
        name = "weights as bf16" if "bf16" in options else "weights as stored"
        # The bar is for the faster of the two.
        best = max(best or 0, found["target_tokens_per_s"])
        line(f"Qwen2, {name}", len(rows), found["target_tokens_per_s"], theirs, found.get("peak_device_mb"),
             their_peak, None)
    if best / theirs < a.qwen_ratio:
        failed.append(f"Qwen2: {best / theirs:.2f}")

print()
for directory, path in marian_rows.items():
    count = len(path.read_text().splitlines())
    ids = {}
    for name, device, precision in [("processor", "cpu", "f32"), ("f32", a.device, "f32"), ("bf16", a.device, "bf16")]:
        out = Path(folder.name) / f"ids-{name}"
        newsml(directory, path, count, a.target, device, "--precision", precision, "--ids", str(out))
        ids[name] = out.read_text().splitlines()
    for one, other, bar in [("f32", "processor", 0.97), ("bf16", "f32", 0.97)]:
        equal = sum(x == y for x, y in zip(ids[one], ids[other], strict=True))
        print(f"{Path(directory).name}: {equal} of {count} rows have the same ids by {one} as by {other}")
        if equal < bar * count:
            failed.append(f"{directory}: {one} and {other} agree on {equal} of {count} rows")

print("\n" + ("below the bar: " + "; ".join(failed) if failed else "all above the bars"))
sys.exit(bool(failed))
