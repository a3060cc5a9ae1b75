package capture

import (
	"slices"
	"sync"
)

var lmEvalResults1 = sync.OnceValue(func() *table {
	return &table{
		api: "lm-eval-results", number: 1, kind: "evaluation",
		title: "what an evaluation by lm-evaluation-harness says of itself in its results",
		about: []string{
			"Reads the results of lm-evaluation-harness, the JSON object that `--show_config` prints or a file below `--output_path` holds: `config` and `configs`, and what a file says of the prompts beside these. It is written after the run has started, so that a signature over it proves nothing about the time before. Where there is the YAML of `lm-eval run --config`, capture that before the start ([lm-eval](lm-eval.md)).",
			"`config` says neither the system instruction and the chat template nor the data of the tasks: they are open.",
			"A function of a task is written as the address that it had in memory, which is another one in each run, and is an error. So are `NaN`, which is not JSON, among the results too, and what the program prints before and behind the object.",
		},
		afterStart: true,
		transient:  " at 0x",
		modelArgs:  lmEval1().modelArgs.in("config"),
		body: &shape{members: slices.Concat(
			required([]member{
				{name: "config", hides: "messages, system, content", value: &shape{members: slices.Concat(
					plain("model", "batch_size", "limit", "bootstrap_iters", "random_seed", "numpy_seed", "torch_seed", "fewshot_seed",
						"model_dtype", "model_revision", "model_sha", "peft_sha", "delta_sha"),
					[]member{
						is("model_args", harnessArgs()),
						is("gen_kwargs", harnessArgs()),
						open(is("use_cache", value), "model"),
						leftOut("batch_sizes", "found while it runs"),
						leftOut("device", "where it runs"),
						leftOut("model_num_parameters", "of the model"),
					})}},
				{name: "configs", value: &shape{free: true, labels: true, elements: trainerSettings()}},
			}),
			all(toParameters, "chat_template", "fewshot_as_multiturn"),
			[]member{{name: "system_instruction", to: toMessage}},
			results("results", "groups", "group_subtasks", "versions", "n-shot", "n-samples", "higher_is_better", "samples", "task_hashes",
				"git_hash", "upper_git_hash", "date", "pretty_env_info", "transformers_version", "lm_eval_version", "tokenizer_pad_token",
				"tokenizer_eos_token", "tokenizer_bos_token", "eot_token_id", "max_length", "model_source", "model_name", "model_name_sanitized",
				"system_instruction_sha", "chat_template_sha", "start_time", "end_time", "total_evaluation_time_seconds"))},
	}
})

// results are members that come of the run.
func results(names ...string) []member {
	l := all(out, names...)
	for i := range l {
		l[i].note = "found by the run"
	}
	return l
}
