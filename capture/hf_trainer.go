package capture

import (
	"slices"
	"sync"
)

var hfTrainer1 = sync.OnceValue(func() *table {
	return &table{
		api: "hf-trainer", number: 1, kind: "training",
		title: "training arguments of Hugging Face transformers",
		about: []string{
			"Reads the JSON that `TrainingArguments.to_json_string()` of transformers 4 and 5 gives, before the training starts, for the model that the caller names. The data, the code and the model's files are not in it. `training_args.bin` is a pickle, and is not read.",
			"A new version of transformers has other members and other defaults, and so another identity for an unchanged script. Members of subclasses (TRL, PEFT) that the table does not have are kept and reported as unknown.",
			"The arguments have null for what is not set, and a version lacks members of others: so null is absent, unless the default is something else. A null below a member of the body is not the absence of one: another library reads it, and it may change the run. Settings that are the path of a file are open.",
			"What lacks a member that every version of these arguments writes is an error: the configuration of an adapter (PEFT), of a model, or a file with a few arguments leaves the others to the version that is installed.",
			"The configuration of an adapter says what is trained, and stands in a file of its own, PEFT's `adapter_config.json`. It is not a training run by itself, and a table for it would leave out everything else that this page declares. So add the file by its digest to the `context` of the captured declaration before that is signed (docs/capture.md shows how). The folder of an adapter that has been trained is a model: [hf-model](hf-model.md) reads it.",
			"`max_grad_norm=float(\"inf\")` is written as `Infinity`, which is not JSON, and is refused.",
		},
		callerModel: true,
		nulls:       true, ownNulls: true,
		missingHint: "write what TrainingArguments.to_json_string() returns into the file; a folder with an adapter_config.json is for hf-model",
		body: &shape{members: slices.Concat(
			required(all(toParameters, "learning_rate", "max_steps", "num_train_epochs", "per_device_train_batch_size", "seed")),
			nullCounts(all(toParameters,
				"adam_beta1", "adam_beta2", "adam_epsilon", "average_tokens_across_devices", "dataloader_pin_memory", "ddp_timeout",
				"eval_do_concat_batches", "eval_strategy", "gradient_accumulation_steps", "lr_scheduler_type", "max_grad_norm", "optim",
				"per_device_eval_batch_size", "ray_scope", "remove_unused_columns", "save_safetensors", "save_steps", "save_strategy",
				"train_sampling_strategy")),
			all(toParameters,
				"activation_checkpointing", "adafactor", "auto_find_batch_size",
				"batch_eval_metrics", "bf16", "bf16_full_eval", "data_seed", "dataloader_drop_last", "dataloader_in_order", "dataloader_multiprocessing_context",
				"dataloader_num_workers", "dataloader_persistent_workers", "dataloader_prefetch_factor", "ddp_backend",
				"ddp_broadcast_buffers", "ddp_bucket_cap_mb", "ddp_find_unused_parameters", "ddp_static_graph", "dispatch_batches",
				"do_eval", "do_predict", "do_train", "enable_jit_checkpoint", "eval_accumulation_steps", "eval_delay",
				"eval_on_start", "eval_steps", "eval_use_gather_object", "evaluation_strategy", "fp16", "fp16_backend", "fp16_full_eval",
				"fp16_opt_level", "fsdp_min_num_params", "fsdp_transformer_layer_cls_to_wrap", "full_determinism", "generation_max_length", "generation_num_beams",
				"gradient_checkpointing", "greater_is_better", "group_by_length", "half_precision_backend", "ignore_data_skip",
				"include_inputs_for_metrics", "include_num_input_tokens_seen", "include_tokens_per_second", "jit_mode_eval", "label_smoothing_factor",
				"length_column_name", "load_best_model_at_end", "metric_for_best_model",
				"mp_parameters", "neftune_noise_alpha", "no_cuda", "optim_args", "past_index",
				"per_gpu_eval_batch_size", "per_gpu_train_batch_size", "predict_with_generate", "prediction_loss_only",
				"restore_callback_states_from_checkpoint", "save_on_each_node", "save_only_model",
				"save_total_limit", "sortish_sampler", "split_batches", "tf32", "torch_compile", "torch_compile_backend",
				"torch_compile_mode", "torch_empty_cache_steps", "torchdynamo", "tpu_metrics_debug", "tpu_num_cores",
				"use_cache", "use_cpu", "use_ipex", "use_liger_kernel", "use_mps_device", "warmup_ratio", "warmup_steps", "weight_decay", "xpu_backend"),
			[]member{
				{name: "accelerator_config", value: trainerFile()},
				{name: "activation_checkpointing_kwargs", value: trainerSettings()},
				{name: "debug", value: list(value)},
				{name: "deepspeed", value: trainerFile()},
				{name: "fsdp", value: list(value)},
				{name: "fsdp_config", value: trainerFile()},
				{name: "gradient_checkpointing_kwargs", value: trainerSettings()},
				{name: "include_for_metrics", value: list(value)},
				{name: "label_names", value: list(value)},
				{name: "liger_kernel_config", value: trainerSettings()},
				{name: "lr_scheduler_kwargs", value: trainerSettings()},
				{name: "optim_target_modules", value: list(value)},
				{name: "parallelism_config", value: trainerSettings()},
				{name: "generation_config", value: &shape{free: true, secrets: unknownSecrets, names: "content", elements: trainerSettings(), members: []member{leftOut("transformers_version", "not what is trained")}}},
				{name: "resume_from_checkpoint", hides: "model"},
				leftOut("disable_tqdm", "logging"),
				leftOut("hub_always_push", "publishing"),
				leftOut("hub_model_id", "publishing"),
				leftOut("hub_private_repo", "publishing"),
				leftOut("hub_revision", "publishing"),
				leftOut("hub_strategy", "publishing"),
				leftOut("hub_token", "a credential"),
				leftOut("local_rank", "the process"),
				leftOut("log_level", "logging"),
				leftOut("log_level_replica", "logging"),
				leftOut("log_on_each_node", "logging"),
				leftOut("logging_dir", "logging"),
				leftOut("logging_first_step", "logging"),
				leftOut("logging_nan_inf_filter", "logging"),
				leftOut("logging_steps", "logging"),
				leftOut("logging_strategy", "logging"),
				leftOut("output_dir", "where results go"),
				leftOut("overwrite_output_dir", "where results go"),
				leftOut("project", "logging"),
				leftOut("push_to_hub", "publishing"),
				leftOut("push_to_hub_model_id", "publishing"),
				leftOut("push_to_hub_organization", "publishing"),
				leftOut("push_to_hub_token", "a credential"),
				leftOut("report_to", "logging"),
				leftOut("run_name", "bookkeeping"),
				leftOut("skip_memory_metrics", "logging"),
				leftOut("trackio_bucket_id", "logging"),
				leftOut("trackio_space_id", "logging"),
				leftOut("trackio_static_space_id", "logging"),
			})},
	}
})

// trainerSettings are passed on to another library.
var trainerSettings = sync.OnceValue(func() *shape { return &shape{free: true, secrets: unknownSecrets} })

// trainerFile is such settings, or the path of a file that has them.
var trainerFile = sync.OnceValue(func() *shape {
	return &shape{free: true, secrets: unknownSecrets, names: "content", elements: trainerSettings()}
})
