// SPDX-License-Identifier: MIT
/**
 * `plumbline completions`: scripts with which a shell completes commands and options.
 *
 * @module
 */
import type { CommandLine } from "../settings/arguments.ts";
import { parseName } from "../settings/values.ts";
import type { Command } from "./command.ts";

/** A command with its options. */
type Lines = Readonly<Record<string, Pick<CommandLine, "purpose" | "groups">>>;

/** What writes the script of each shell. */
const SHELLS: Readonly<Record<string, (commands: Lines) => string>> = { bash, zsh, fish };

/**
 * Makes the command `plumbline completions`.
 *
 * @param commands Returns the commands with their options
 * @returns The command
 */
export function completions(commands: () => Lines): Command {
  return {
    line: {
      command: "plumbline completions",
      purpose: "Print the script with which a shell completes commands and options.",
      details: "SHELL is bash, zsh or fish. The script completes the command plumbline.",
      operands: "SHELL",
      groups: [{ title: "Options", options: [] }],
      examples: [
        ["source <(plumbline completions bash)", "In ~/.bashrc, and the same with zsh in ~/.zshrc"],
        ["plumbline completions fish | source", "In ~/.config/fish/config.fish"],
      ],
      exit: {},
    },
    run({ operands: [shell = ""] }) {
      parseName("SHELL", shell, Object.keys(SHELLS));
      console.log(SHELLS[shell]?.(commands()));
      return 0;
    },
  };
}

function optionsOf({ groups }: Pick<CommandLine, "groups">): string[] {
  return [...groups.flatMap(({ options }) => options.map(({ name }) => name)), "help"];
}

function bash(commands: Lines): string {
  const cases = Object.entries(commands).map(([name, line]) =>
    `    ${name}) words="${optionsOf(line).map((option) => `--${option}`).join(" ")}" ;;`
  );
  return [
    "_plumbline() {",
    '  local words="" current="${COMP_WORDS[COMP_CWORD]}"',
    '  if [ "$COMP_CWORD" = 1 ]; then',
    `    COMPREPLY=($(compgen -W "${
      Object.keys(commands).join(" ")
    } --help --version" -- "$current"))`,
    "    return",
    "  fi",
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    "  esac",
    '  case "$current" in',
    '    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;',
    '    *) COMPREPLY=($(compgen -f -- "$current")) ;;',
    "  esac",
    "}",
    "complete -F _plumbline plumbline",
  ].join("\n");
}

/** zsh runs completions of bash. */
function zsh(commands: Lines): string {
  return ["autoload -U +X bashcompinit && bashcompinit", bash(commands)].join("\n");
}

function fish(commands: Lines): string {
  const quote = (text: string) => `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
  return Object.entries(commands).flatMap(([name, { purpose, groups }]) => [
    `complete -c plumbline -n __fish_use_subcommand -f -a ${name} -d ${quote(purpose)}`,
    ...groups.flatMap(({ options }) => options).map(({ name: option, help }) =>
      `complete -c plumbline -n '__fish_seen_subcommand_from ${name}' -l ${option} -d ${
        quote(help)
      }`
    ),
  ]).join("\n");
}
