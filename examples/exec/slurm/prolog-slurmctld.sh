#!/bin/bash -p
# PrologSlurmctld=/etc/slurm/prolog-slurmctld.sh
#
# Refuses every job that does not name its run, whose run the policy does not allow,
# or whose script is not the one that the run declares. It runs on the controller as SlurmUser before
# anything of the job starts. Not as Prolog=: that runs on the node, and one refused job drains it.
# Not as TaskProlog=: that is the user's own process, with the user's environment.
#
#   sbatch --comment=ID   the run's identity; users write comments, so it is taken for a claim
#   /var/spool/airun      <64 hex digits of the ID>.sigstore.json and, where there are some,
#                         .approvals.jsonl: written by the service that takes in runs
#   /etc/airun            the policy, and the keys beside it: root's, readable to SlurmUser
#   /var/log/airun        the decisions: SlurmUser's
#
# The declaration names the script by its digest, so that another script is another run:
#
#   context:
#     - {role: harness, name: job-script, digest: {sha256: ...}}   # sha256sum train.sbatch

set -euo pipefail
export PATH=/usr/local/bin:/usr/bin:/bin
export SLURM_CONF=/etc/slurm/slurm.conf # which slurmctld does not pass on
policy=/etc/airun/policy.yaml
spool=/var/spool/airun
log=/var/log/airun/slurm.jsonl
job=$SLURM_JOB_ID

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# refuse says why where the user sees it (scontrol show job), and ends the job: for the status 1 alone
# a batch job would be queued again, as it is if scontrol fails.
refuse() {
	scontrol update JobId="$job" Requeue=0 AdminComment="refused: ${1:0:400}" || true
	exit 1
}
trap 'refuse "the gate failed: line $LINENO"' ERR

id=${SLURM_JOB_COMMENT:-}
[[ $id =~ ^airun:1:sha256:[0-9a-f]{64}$ ]] || refuse "want the run's identity: sbatch --comment=\$(runattest id run.yaml)"
hex=${id##*:}

# Copies: what is verified twice and bound must not change in between.
cp "$spool/$hex.sigstore.json" "$work/bundle" 2>/dev/null || refuse "no bundle of $id was handed in"
approvals=()
if [[ -e $spool/$hex.approvals.jsonl ]]; then
	cp "$spool/$hex.approvals.jsonl" "$work/approvals"
	approvals=(--approvals "$work/approvals")
fi
scontrol write batch_script "$job" "$work/script" >/dev/null 2>&1 || true
[[ -f $work/script ]] || refuse "not a batch job: only a script can be held against its digest"

# Is this bundle about that run? Then: is the run allowed, and is this its script?
why=$(runattest verify --policy "$policy" "${approvals[@]}" --identity "$id" "$work/bundle" 2>&1) ||
	refuse "$(grep -m1 -o 'denied by.*' <<<"$why" || grep -m1 -o '[a-z]* *FAILED.*' <<<"$why" || head -n1 <<<"$why")"
why=$(runattest exec --dry-run --policy "$policy" "${approvals[@]}" --bundle "$work/bundle" \
	--bind job-script="$work/script" --decision-log "$log" -- true 2>&1 >/dev/null) ||
	refuse "$(head -n1 <<<"$why")"
