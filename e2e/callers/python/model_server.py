"""Starts llama.cpp's own HTTP server with a model; prints its address; ends with standard input."""
import sys

import xllamacpp as x

p = x.CommonParams()
p.model.path = sys.argv[1]
p.hostnames, p.port = ["127.0.0.1"], 0
p.n_ctx, p.n_parallel = 4096, 2
p.warmup = False
p.cpuparams.n_threads = 1
p.cpuparams_batch.n_threads = 1
server = x.Server(p)
print(server.listening_address, flush=True)
sys.stdin.read()
