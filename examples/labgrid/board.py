#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""All bitstreams on one board: acquire its place, bring it up, run, fetch, switch it off, release it.

    board.py CONFIG BOARD BITSTREAMS RESULTS

The exit status is 0 if all runs ended, and 3 if the board could not be had or a run was lost. What the runs
found is in their results.
"""

import os
import signal
import subprocess
import sys

from labgrid import Environment


def client(place, command):
    """Calls labgrid-client, as a person would. Returns what it complains about, or None."""
    done = subprocess.run(
        ["labgrid-client", "-p", place, command], capture_output=True, text=True, timeout=60, check=False
    )
    return None if done.returncode == 0 else (done.stderr or done.stdout).strip()


def bitstreams(path):
    """Reads the list: a name, and options of plumbline run."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            name, _, options = line.strip().partition(" ")
            if name and not name.startswith("#"):
                yield name, options.strip()


def run_all(strategy, runs, results, lost):
    """Runs each bitstream, and fetches what it left. Adds what was lost to a list."""
    for name, options in runs:
        try:
            strategy.transition("ready")
            strategy.plumbline.run(name, options)
        except strategy.plumbline.Lost as error:
            lost.append(f"{name}: {error}")
            # the board is in an unknown state, and its disk has the journal
            strategy.transition("off")
            strategy.transition("shell")
        strategy.plumbline.fetch(name, results)


def main(config, board, runs, results):
    """Runs everything on one board. Returns the exit status."""
    # the configuration of the target is the same for each board, except for this
    os.environ["LG_PLACE"] = board
    # so that the place is released when the night is over
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    problem = client(board, "acquire")
    if problem is not None:
        print(f"{board}: {problem}", file=sys.stderr)
        return 3
    lost = []
    try:
        target = Environment(config).get_target("main")
        strategy = target.get_driver("PlumblineStrategy")
        try:
            run_all(strategy, list(bitstreams(runs)), results, lost)
        finally:
            strategy.transition("off")
    except Exception as error:  # pylint: disable=broad-except
        # whatever a board does, the reason is in its log
        lost.append(f"{type(error).__name__}: {error}")
    finally:
        client(board, "release")
    for line in lost:
        print(f"{board}: {line}", file=sys.stderr)
    return 3 if lost else 0


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(f"Expected CONFIG BOARD BITSTREAMS RESULTS, found {len(sys.argv) - 1} operands")
    sys.exit(main(*sys.argv[1:]))
