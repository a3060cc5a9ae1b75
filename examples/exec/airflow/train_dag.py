"""A task that becomes its work only if its run is verified and the policy allows it.

On every worker: runattest in /usr/local/bin, and in /etc/airun the policy with the keys beside it, all
of it root's. The run's bundle is a file that the worker can read; the trigger of the DAG names it:

    airflow dags trigger train --conf '{"bundle": "/srv/runs/7f3a/run.sigstore.json"}'

A task before this one that only says yes or no would be bound to nothing: Airflow can run the next
task without it, or much later. Who may write DAGs may leave the gate out; who may trigger them may not.
"""

from datetime import datetime

from airflow import DAG
from airflow.operators.bash import BashOperator

with DAG(
    dag_id="train",
    start_date=datetime(2026, 1, 1),
    schedule=None,
    catchup=False,
):
    BashOperator(
        task_id="train",
        # The conf is whatever was sent: it goes into a variable, not into the script.
        env={"BUNDLE": "{{ dag_run.conf['bundle'] }}"},
        append_env=True,
        bash_command=(
            "exec /usr/local/bin/runattest exec"
            " --policy /etc/airun/policy.yaml"
            ' --bundle "$BUNDLE"'
            " --decision-log /var/log/airun/airflow.jsonl"
            " -- python3 /srv/train/train.py"
        ),
        # Each try asks the gate anew. A no stays a no: nothing to try again.
        retries=0,
    )
