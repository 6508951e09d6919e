"""``cactus completion``: what a shell completes, made from the parsers."""

import argparse
from collections.abc import Iterator
from shlex import quote
from typing import Final

from cactus.cli.parser import build_parser

# Zsh runs bash's completion. Without a proposal of ours, names of files are completed.
_BASH: Final = """\
_cactus() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" prev="${{COMP_WORDS[COMP_CWORD-1]}}" words=
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="{commands}"
  else
    case "${{COMP_WORDS[1]}} $prev" in
{choices}
      *" --run") words="$(_cactus_runs)" ;;
      *) case "${{COMP_WORDS[1]}}" in
{options}
      esac ;;
    esac
  fi
  COMPREPLY=( $(compgen -W "$words" -- "$cur") )
}}
_cactus_runs() {{
  local plans
  for plans in results/*/plans; do
    [ -d "$plans" ] && basename "${{plans%/plans}}"
  done
}}
complete -o default -F _cactus cactus
"""


def show_completion(arguments: argparse.Namespace) -> int:
    """Print the completion of a shell, for its start-up file to evaluate."""
    if arguments.shell == "fish":
        print("\n".join(_fish()))
    else:
        start = "autoload -U +X bashcompinit && bashcompinit\n" * (arguments.shell == "zsh")
        print(start + _bash(), end="")
    return 0


def _commands() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command."""
    (action,) = (
        one for one in build_parser()._actions if isinstance(one, argparse._SubParsersAction)
    )
    return dict(action.choices)


def _bash() -> str:
    commands = _commands()
    choices, options = [], []
    for name, parser in commands.items():
        words = [one for action in parser._actions for one in action.option_strings]
        for action in parser._actions:
            of_option = [f'"{name} {option}"' for option in action.option_strings]
            if action.choices and of_option:
                choices.append(
                    f'      {"|".join(of_option)}) words="{" ".join(action.choices)}" ;;'
                )
            elif action.choices:
                words += action.choices
        runs = " $(_cactus_runs)" if _takes_run(parser) else ""
        options.append(f'        {name}) words="{" ".join(words)}{runs}" ;;')
    listed = " ".join([*commands, "--help", "--version"])
    return _BASH.format(commands=listed, choices="\n".join(choices), options="\n".join(options))


def _takes_run(parser: argparse.ArgumentParser) -> bool:
    """Return whether an argument that is no option may be a run."""
    return any("RUN" in str(one.metavar) and not one.option_strings for one in parser._actions)


def _fish() -> Iterator[str]:
    runs = "(path basename (path dirname results/*/plans))"
    first = "__fish_use_subcommand"
    yield f"complete -c cactus -n {first} -l version -d 'print the version and the commit'"
    for name, parser in _commands().items():
        here = quote(f"__fish_seen_subcommand_from {name}")
        text = quote(parser.description or "")
        yield f"complete -c cactus -n {first} -f -a {name} -d {text}"
        if _takes_run(parser):
            yield f"complete -c cactus -n {here} -a '{runs}'"
        for action in parser._actions:
            choices = " ".join(action.choices or ())
            values = f" -xa {quote(choices)}" if choices else ""
            for option in (one for one in action.option_strings if one.startswith("--")):
                if option == "--run":
                    values = f" -xa '{runs}'"
                more = "" if values or action.nargs == 0 else " -r"
                text = quote(action.help or "")
                yield f"complete -c cactus -n {here} -l {option[2:]} -d {text}{values}{more}"
            if choices and not action.option_strings:
                yield f"complete -c cactus -n {here} -f -a {quote(choices)}"
