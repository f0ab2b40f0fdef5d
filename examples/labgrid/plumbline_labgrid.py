# SPDX-License-Identifier: MIT
"""A driver and a strategy of labgrid for Plumbline: power, boot, copy the tarball, run, fetch the results."""

import enum
import os
import shlex
import subprocess
import tarfile
import tempfile

import attr
from labgrid import target_factory
from labgrid.driver import Driver
from labgrid.driver.exception import ExecutionError
from labgrid.protocol import CommandProtocol, FileTransferProtocol
from labgrid.step import step
from labgrid.strategy import Strategy, StrategyError
from labgrid.strategy.common import never_retry


class RunLost(Exception):
    """A run did not end: the board hangs or is gone."""


@target_factory.reg_driver
@attr.s(eq=False)
class PlumblineDriver(Driver):
    """Runs Plumbline on a board, from the tarball of `deno task dist --with-deno`.

    Args:
        tarball (str): the tarball on this machine
        folder (str): a folder on the board, which this driver owns
        options (str): options of plumbline run, for every run on this board
        timeout (float): seconds after which a run counts as lost
    """

    bindings = {"command": CommandProtocol, "files": FileTransferProtocol}
    # for callers, because labgrid imports this file by itself
    Lost = RunLost
    tarball = attr.ib(validator=attr.validators.instance_of(str))
    folder = attr.ib(default="/var/tmp/plumbline", validator=attr.validators.instance_of(str))
    options = attr.ib(default="", validator=attr.validators.instance_of(str))
    timeout = attr.ib(default=7200.0, validator=attr.validators.instance_of(float))

    def _must(self, line):
        _, stderr, code = self.command.run(line, timeout=300)
        if code != 0:
            raise ExecutionError(f"{line}: status {code}: {' '.join(stderr)}")

    @Driver.check_active
    @step()
    def install(self):
        """Copies the tarball to the board, and unpacks it."""
        folder = shlex.quote(self.folder)
        self._must(f"rm -rf {folder}/program && mkdir -p {folder}/program {folder}/results")
        self.files.put(self.tarball, f"{self.folder}/plumbline.tar.gz")
        self._must(f"tar -xzf {folder}/plumbline.tar.gz -C {folder}/program --strip-components=1")

    @Driver.check_active
    @step(args=["name", "options"])
    def run(self, name, options=""):
        """Runs the suites.

        Args:
            name (str): name of the folder of the run
            options (str): more options of plumbline run

        Returns:
            int: the exit status of plumbline: 0, 1 if the design failed, 3 if the infrastructure failed

        Raises:
            RunLost: if the run did not end in time, or the connection broke
        """
        folder = shlex.quote(self.folder)
        results = shlex.quote(f"{self.folder}/results/{name}")
        line = f"rm -rf {results} && cd {folder}/program && ./plumbline run --quiet"
        try:
            _, stderr, code = self.command.run(
                f"{line} {self.options} {options} --results {results}", timeout=self.timeout
            )
        except subprocess.TimeoutExpired as error:
            raise RunLost(f"{name} did not end in {self.timeout:.0f} s") from error
        except ExecutionError as error:
            raise RunLost(f"{name} lost its connection: {error}") from error
        # 255 is ssh's own
        if code not in (0, 1, 2, 3):
            raise RunLost(f"{name} ended with status {code}: {' '.join(stderr[-3:])}")
        return code

    @Driver.check_active
    @step(args=["name", "destination"])
    def fetch(self, name, destination):
        """Fetches the folder of a run, also of one that was lost: its journal is on the board's disk.

        Args:
            name (str): name of the folder of the run
            destination (str): folder on this machine that receives it

        Returns:
            bool: whether the board has such a folder
        """
        folder = shlex.quote(f"{self.folder}/results")
        _, _, code = self.command.run(f"test -s {folder}/{shlex.quote(name)}/journal.jsonl", timeout=60)
        if code != 0:
            return False
        self._must(f"tar -cf {folder}/fetch.tar -C {folder} {shlex.quote(name)}")
        os.makedirs(destination, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            self.files.get(f"{self.folder}/results/fetch.tar", scratch)
            with tarfile.open(f"{scratch}/fetch.tar") as archive:
                archive.extractall(destination, filter="data")
        return True


class Status(enum.Enum):
    """States of a board."""

    unknown = 0
    off = 1
    shell = 2
    ready = 3


@target_factory.reg_driver
@attr.s(eq=False)
class PlumblineStrategy(Strategy):
    """Brings a board from any state to one in which Plumbline can run: off, shell, ready."""

    bindings = {
        "power": "PowerProtocol",
        "ssh": "SSHDriver",
        "plumbline": "PlumblineDriver",
    }
    status = attr.ib(default=Status.unknown)

    @never_retry
    @step(args=["status"])
    def transition(self, status, *, step):  # pylint: disable=redefined-outer-name
        if not isinstance(status, Status):
            status = Status[status]
        if status == Status.unknown:
            raise StrategyError(f"can not transition to {status}")
        if status == self.status:
            step.skip("nothing to do")
            return
        if status == Status.off:
            self.target.deactivate(self.plumbline)
            self.target.deactivate(self.ssh)
            self.target.activate(self.power)
            self.power.off()
        elif status == Status.shell:
            self.transition(Status.off)
            self.power.on()
            # waits until the board answers, at most connection_timeout
            self.target.activate(self.ssh)
            self.target.activate(self.plumbline)
        elif status == Status.ready:
            self.transition(Status.shell)
            self.plumbline.install()
        self.status = status
