#!/usr/bin/env python3
"""What lm-evaluation-harness itself reads from the vectors of lm-eval: the same values, members and model.

Run by hand. The package is installed without what it depends on, PyTorch among it:

    python3 -m venv /tmp/lm && /tmp/lm/bin/pip install --no-deps lm-eval==0.4.13 && /tmp/lm/bin/pip install pyyaml==6.0.4
    /tmp/lm/bin/python lm_eval.py
"""
import importlib.util, json, sys, tempfile, types
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import oracle

PACKAGE = next(p for p in (Path(p) / "lm_eval" for p in sys.path) if (p / "config" / "evaluate_config.py").exists())


def cut(text, start, end):
    return text[text.index(start):text.index(end)]


def config_module():
    """lm_eval.config.evaluate_config, with the two functions of lm_eval.utils that it needs, which imports much more."""
    for name in ("lm_eval", "lm_eval.utils"):
        sys.modules[name] = types.ModuleType(name)
    utils = (PACKAGE / "utils.py").read_text()
    exec("from __future__ import annotations\n" + cut(utils, "def handle_arg_string", "def handle_non_serializable")
         + cut(utils, "def simple_parse_args_string", "def join_iters"), sys.modules["lm_eval.utils"].__dict__)
    spec = importlib.util.spec_from_file_location("evaluate_config", PACKAGE / "config" / "evaluate_config.py")
    module = sys.modules["evaluate_config"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plain(v):
    if isinstance(v, oracle.Obj):
        return {k: plain(e) for k, e in v}
    if isinstance(v, list):
        return [plain(e) for e in v]
    return json.loads(v) if isinstance(v, oracle.Number) else v


config = config_module()
names = {f.name for f in config.fields(config.EvaluatorConfig)}
assert names == set(oracle.read_table("lm-eval/1").body.members), "the table has other members"
checked = 0
for vector in sorted(HERE.parent.glob("lm-eval/*.vec")):
    head, body = oracle.read_vector(vector)
    if dict(head)["expect"] != "ok":
        continue
    with tempfile.NamedTemporaryFile(suffix=".yaml") as f:
        f.write(body)
        f.flush()
        values = config.EvaluatorConfig.load_yaml_config(f.name)
    assert values == plain(oracle.read_yaml(body)), vector
    c = config.EvaluatorConfig(**{k: v for k, v in values.items() if k in names})._parse_dict_args()
    args, model = c.model_args or {}, json.loads(dict(head)["canonical"])["model"]
    assert oracle.clean_text(next((args[n] for n in ("model", "pretrained", "load") if args.get(n)), c.model)) == model["name"], vector
    assert args.get("revision") == model.get("version"), vector
    checked += 1
print(checked, "vectors")
