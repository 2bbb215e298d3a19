"""Ways to find a boundary, played on the same trainings: synthetic ones, or those of a real grid.

python -m benchmarks.boundary simulate --world straight --repetitions 200 --out results/boundary
python -m benchmarks.boundary train GRID                      # every cell of the demo's axes
python -m benchmarks.boundary train SEARCHED --kind boundary  # what the search asks for
python -m benchmarks.boundary compare GRID --priced SEARCHED
python -m benchmarks.boundary replay GRID --priced SEARCHED --repetitions 20 --out results/boundary
python -m benchmarks.boundary tables --out results/boundary
"""
