"""How long the first and a later start of ``script/server`` take until it is ready, the virtual environment being there."""

from benchmarks.stage import serving, stage

LATER = 5


def run() -> None:
    """Print the seconds."""
    with stage() as on:
        with serving(on) as seconds:
            print(f"first start, with database, static files and account: {seconds:.2f} s")
        later = []
        for _ in range(LATER):
            with serving(on) as seconds:
                later.append(seconds)
        print(f"later starts: {', '.join(f'{seconds:.2f}' for seconds in later)} s (goal: under 3 s)")
