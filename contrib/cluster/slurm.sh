#!/bin/sh
# An array of jobs of Slurm, one for each line of files.txt:
#   sbatch --array="1-$(wc -l <files.txt)%200" slurm.sh
#SBATCH --job-name=ostfs
#SBATCH --cpus-per-task=2
#SBATCH --mem=1G
#SBATCH --time=01:10:00
exec index-one "$SLURM_ARRAY_TASK_ID"
