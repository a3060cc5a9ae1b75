"""Writes a tiny llama model of random weights in GGUF: the same bytes each time."""
import sys

import gguf
import numpy as np

EMBED, LAYERS, HEADS, FEED_FORWARD, CONTEXT = 64, 2, 4, 128, 4096
SPECIAL = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{b:02X}>" for b in range(256)]
TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: "


def main(path: str) -> None:
    tokens = SPECIAL + BYTES
    kinds = [gguf.TokenType.UNKNOWN] + [gguf.TokenType.CONTROL] * 2 + [gguf.TokenType.BYTE] * 256
    w = gguf.GGUFWriter(path, "llama")
    w.add_name("tiny")
    w.add_context_length(CONTEXT)
    w.add_embedding_length(EMBED)
    w.add_block_count(LAYERS)
    w.add_feed_forward_length(FEED_FORWARD)
    w.add_head_count(HEADS)
    w.add_head_count_kv(HEADS)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_dimension_count(EMBED // HEADS)
    w.add_vocab_size(len(tokens))
    w.add_tokenizer_model("llama")
    w.add_tokenizer_pre("default")
    w.add_token_list([t.encode() for t in tokens])
    w.add_token_scores([0.0] * len(tokens))
    w.add_token_types([int(k) for k in kinds])
    w.add_unk_token_id(0)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_chat_template(TEMPLATE)

    random = np.random.Generator(np.random.PCG64(1))

    def matrix(name: str, rows: int, columns: int) -> None:
        w.add_tensor(name, random.standard_normal((rows, columns), dtype=np.float32) * 0.2)

    matrix("token_embd.weight", len(tokens), EMBED)
    matrix("output.weight", len(tokens), EMBED)
    w.add_tensor("output_norm.weight", np.ones(EMBED, dtype=np.float32))
    for i in range(LAYERS):
        for part in ("attn_norm", "ffn_norm"):
            w.add_tensor(f"blk.{i}.{part}.weight", np.ones(EMBED, dtype=np.float32))
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            matrix(f"blk.{i}.{part}.weight", EMBED, EMBED)
        matrix(f"blk.{i}.ffn_gate.weight", FEED_FORWARD, EMBED)
        matrix(f"blk.{i}.ffn_up.weight", FEED_FORWARD, EMBED)
        matrix(f"blk.{i}.ffn_down.weight", EMBED, FEED_FORWARD)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


main(sys.argv[1])
