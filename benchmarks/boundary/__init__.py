"""Ways to find a boundary, played on the same trainings: synthetic ones, or those of a real grid.

python -m benchmarks.boundary simulate --world straight --repetitions 200 --out results/boundary
python -m benchmarks.boundary replay RESULTS --repetitions 100 --out results/boundary
python -m benchmarks.boundary tables --out results/boundary
"""
