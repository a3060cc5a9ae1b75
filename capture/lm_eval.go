package capture

import (
	"slices"
	"sync"
)

var lmEval1 = sync.OnceValue(func() *table {
	return &table{
		api: "lm-eval", number: 1, kind: "evaluation",
		title: "the configuration of an evaluation by lm-evaluation-harness",
		about: []string{
			"Reads the YAML, or JSON, of `lm-eval run --config FILE`, before the evaluation starts. What the command line adds to it is another run: write it into the file.",
			"lm-eval reads YAML 1.1, so a text that readers of YAML 1.1 and 1.2 read in different ways is an error, and so are anchors, tags and merge keys. `model_args`, `gen_kwargs` and `metadata` as a list `NAME=VALUE,NAME=VALUE` and as a map are two runs.",
			"What `show_config` has lm-eval print is written after the run, with its results, and is another format: [lm-eval-results](lm-eval-results.md).",
			"The tasks that lm-eval has itself, their data, and the version of lm-eval are not in the file. The caller may give the folder of `include_path`: then its files are in `context`, and the path is left out.",
		},
		yaml: true,
		modelArgs: &modelArgs{
			member: "model_args", names: []string{"pretrained", "model", "model_id", "deployment_id", "engine", "load", "path"}, revision: "revision",
			kind: "model", models: []string{"dummy"}},
		folder: &folder{
			api: "lm-eval", number: 1, kind: "evaluation", role: "harness",
			folders: []string{".git"}, anywhere: []string{"__pycache__", ".ipynb_checkpoints"}, skipped: patterns("", ".gitattributes", ".gitignore", ".DS_Store"),
			replaces: "include_path",
		},
		body: &shape{members: slices.Concat(
			all(toParameters, "apply_chat_template", "batch_size", "fewshot_as_multiturn", "limit", "max_batch_size", "model", "num_fewshot", "predict_only"),
			[]member{
				{name: "tasks", value: taskNames()},
				{name: "system_instruction", to: toMessage},
				{name: "model_args", value: harnessArgs()},
				{name: "gen_kwargs", value: harnessArgs()},
				{name: "metadata", value: harnessArgs()},
				{name: "samples", value: &shape{free: true, secrets: unknownSecrets, elements: trainerSettings(), files: "content"}},
				{name: "seed", value: list(value)},
				{name: "cache_requests", hides: "messages", value: freeValue},
				{name: "include_path", hides: "content"},
				{name: "use_cache", hides: "model"},
				{name: "configs", to: refused, note: "the results of an evaluation have it: they are of the format lm-eval-results"},
				{name: "confirm_run_unsafe_code", to: toConstraints},
				{name: "trust_remote_code", to: toConstraints},
				leftOut("check_integrity", "tests of the tasks"),
				leftOut("config", "the path of the file itself"),
				leftOut("device", "where it runs"),
				leftOut("hf_hub_log_args", "publishing"),
				leftOut("log_samples", "logging"),
				leftOut("output_path", "where results go"),
				leftOut("show_config", "logging"),
				leftOut("trackio_args", "logging"),
				leftOut("verbosity", "logging"),
				leftOut("wandb_args", "logging"),
				leftOut("wandb_config_args", "logging"),
				leftOut("write_out", "logging"),
			})},
	}
})

var (
	// taskNames are names of tasks, or paths of files that have them.
	taskNames = sync.OnceValue(func() *shape { return &shape{files: "content", elements: &shape{files: "content"}} })
	// harnessArgs are passed on to a model or a task: a map, or a string NAME=VALUE,NAME=VALUE.
	harnessArgs = sync.OnceValue(func() *shape {
		return &shape{free: true, secrets: unknownSecrets, pairs: true, elements: trainerSettings()}
	})
)
