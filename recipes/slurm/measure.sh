#!/bin/bash
# Measures days in shards as a job array of Slurm, a shard a task:
#
#   job=$(sbatch --parsable --array=0-3 measure.sh registry parts march/*.qcev)
#   sbatch --dependency=afterok:$job --wrap "quoteclock merge --db market.db parts/*.db"
#
# registry, parts and days are on a file system that all nodes see. A task that was killed is submitted again by its number
# (sbatch --array=2 would be another array: scontrol requeue $job_2); what it writes replaces what it wrote.
#SBATCH --job-name=quoteclock
#SBATCH --cpus-per-task=1
#SBATCH --mem=1G
#SBATCH --requeue
set -euo pipefail
registry=$1 parts=$2
shift 2
count=${SLURM_ARRAY_TASK_COUNT:?expected a job array (sbatch --array=0-3)}
mkdir -p "$parts"
exec "${QUOTECLOCK:-quoteclock}" replay --quiet --threads 1 --registry "$registry" \
    --shard "auto/$count" --db "$parts/$SLURM_ARRAY_TASK_ID.db" "$@"
