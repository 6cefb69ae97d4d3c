"""How long ``script/server`` takes until it is ready, the virtual environment being there: the first start and the second.

The goal stands for a machine that does nothing else; the suite asserts no times.
"""

from benchmarks.stage import serving, stage

ROUNDS = 5
GOAL = 3.0


def run() -> None:
    """Print the seconds of several rounds, each in a data folder of its own."""
    first, second = [], []
    for _ in range(ROUNDS):
        with stage() as on:
            for seconds_of in (first, second):
                with serving(on) as seconds:
                    seconds_of.append(seconds)
    print(f"first start, with database, static files and account: {_listed(first)}")
    print(
        f"second start: {_listed(second)} (goal: under {GOAL:g} s; {sum(each < GOAL for each in second)} of {ROUNDS} are)"
    )


def _listed(seconds: list[float]) -> str:
    return f"{', '.join(f'{each:.2f}' for each in seconds)} s"
