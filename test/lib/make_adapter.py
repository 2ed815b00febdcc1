"""Writes a random LoRA adapter for the tiny model that a real engine runs with, as llama.cpp wants it (GGUF).

usage: make_adapter.py GGUF_PY_DIR OUT.gguf SEED
"""
import sys

import numpy as np

gguf_py, out, seed = sys.argv[1:4]
sys.path.insert(0, gguf_py)
import gguf

DIM, RANK, LAYERS = 64, 4, 4

writer = gguf.GGUFWriter(out, "llama")
writer.add_type(gguf.GGUFType.ADAPTER)
writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, 16.0)
random = np.random.default_rng(int(seed))
for layer in range(LAYERS):
    name = f"blk.{layer}.attn_q.weight"
    writer.add_tensor(f"{name}.lora_a", random.standard_normal((RANK, DIM)).astype(np.float32))
    writer.add_tensor(f"{name}.lora_b", random.standard_normal((DIM, RANK)).astype(np.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
