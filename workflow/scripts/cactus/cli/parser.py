"""What the command `cactus` accepts: its commands by what they do, and the options of each."""

import argparse
from itertools import takewhile
from typing import Any, Final

from cactus.cli.options import NO_JSON, add_options
from cactus.cli.version import version_text
from cactus.errors import did_you_mean

# The groups of commands, in the order of a study's life.
GROUPS: Final = {
    "set up": {
        "doctor": "check whether this computer can run a study",
        "data": "show which data sets are there, and where to get the others",
        "profile": "fit the Slurm profile to the cluster",
        "completion": "print the completion of commands and options for a shell",
    },
    "study and run": {
        "init": "write a new study with comments, ready to edit",
        "config": "show where the value of each key comes from",
        "plan": "show what the next run would do",
        "run": "run on a Slurm cluster under supervision",
        "update": "run stage by stage; skip jobs whose inputs come out unchanged",
    },
    "watch": {
        "status": "show the state of every cell",
        "top": "show what runs now: step, rate, time left, metrics",
        "logs": "print the logs of a cell, the last one first",
        "clean": "list what no run needs, and delete it if told to",
    },
    "results": {
        "results": "show accuracies with their intervals",
        "show": "show all that there is about a cell, and where",
        "diff": "show how two runs differ",
        "compare": "write numbers of several runs into one table and one figure, and test them "
        "in pairs",
        "report": "show the report of a run, a web page; of an unfinished one as it is now",
        "paper": "show the paper of a finished run, a PDF; write it if it is missing or stale",
        "digest": "write the small part of a run that is worth keeping: tables, figures, audit, "
        "a row per record",
        "export": "write a run as an RO-Crate",
        "replay": "run jobs of a crate again with its own code, and compare the results bit for "
        "bit",
    },
    "where results come from": {
        "why": "show what made a cell stale",
        "accept": "declare the changes that made a cell stale harmless",
        "trace": "show where a printed number comes from",
        "audit": "check files, records and printed numbers",
        "seal": "sign the digest of a run with your ssh key",
    },
}
_BEFORE: Final = ("--help", "--version", "--json")  # options that may come before a command
_EPILOG: Final = (
    "Without a command, cactus says what can be done next here. Every command works from any "
    "folder of the project. Without a run, the one in whose folder you are counts, or the one that "
    "was planned last."
)


class _Grouped(argparse.HelpFormatter):
    """Lists the commands under the headings of their groups."""

    def _format_action(self, action: argparse.Action) -> str:
        if not isinstance(action, argparse._SubParsersAction):
            return super()._format_action(action)
        listed = {one.dest: one for one in action._get_subactions()}
        lines = []
        for title, names in GROUPS.items():
            lines.append(f"\n  {title}:\n")
            self._indent()
            lines += [super(_Grouped, self)._format_action(listed[name]) for name in names]
            self._dedent()
        return "".join(lines).lstrip("\n")

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            self._action_max_length = 16


class _Version(argparse.Action):
    """Prints the version; the commit is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        print(version_text())
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="cactus",
        description="Study unsupervised meta-learning: plan, run, watch and check studies.",
        epilog=_EPILOG,
        formatter_class=_Grouped,
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="print the version and the commit, and exit"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    commands = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", prog="cactus"
    )
    parser.set_defaults(command="", parser=parser)
    for names in GROUPS.values():
        for name, text in names.items():
            command = commands.add_parser(name, help=text, description=_sentence(text))
            command.set_defaults(parser=command)
            add_options(name, command)
    return parser


def read_arguments(words: list[str]) -> argparse.Namespace:
    """Read the words of a command line.

    Words that a command does not know are refused with its own usage and advice.
    """
    _refuse_early_words(words)
    arguments, unknown = build_parser().parse_known_args(words)
    parser: argparse.ArgumentParser = arguments.parser
    if arguments.json and arguments.command in NO_JSON:
        unknown.append("--json")
    if unknown:
        options = [one for action in parser._actions for one in action.option_strings]
        similar = did_you_mean(unknown[0], options)
        advice = "".join(f"\n{one}" for one in (similar, parser.epilog) if one)
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{advice}")
    return arguments


def _refuse_early_words(words: list[str]) -> None:
    """Refuse what stands before a command and is not one, or is an option of its own."""
    names = [name for group in GROUPS.values() for name in group]
    for word in takewhile(lambda one: one not in names, words):
        if not word.startswith("-"):
            known = f"the commands are {', '.join(names)}"
            build_parser().error(f"no command {word!r}: {did_you_mean(word, names, known)}")
        if word.startswith("--") and not any(one.startswith(word) for one in _BEFORE):
            build_parser().error(f"{word} goes after the command: `cactus COMMAND {word}`")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
