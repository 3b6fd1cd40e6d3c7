import { CommanderError, Option, Command as Program } from 'commander'
import { UsageError } from '../lib/errors.ts'
import { isSteerVerb, type SteerCommand, type SteerVerb, steerForms, steerVerbs } from './steer-arguments.ts'

interface WithConfig {
  /** As given; undefined means the default. */
  readonly config: string | undefined
}

/** The verbs that Perl ldirectord does not have. */
export type VerbCommand =
  | ({ readonly verb: 'run'; readonly table: 'kernel' | 'memory'; readonly log: 'stdout' | undefined } & WithConfig)
  | ({ readonly verb: 'check'; readonly json: boolean } & WithConfig)
  | ({
      readonly verb: 'plan'
      readonly table: 'kernel' | 'memory'
      readonly assume: 'up' | 'down' | undefined
      readonly json: boolean
      readonly format: 'ipvsadm' | undefined
    } & WithConfig)
  | ({ readonly verb: 'validate'; readonly json: boolean; readonly print: boolean } & WithConfig)
  | ({ readonly verb: 'doctor'; readonly json: boolean } & WithConfig)
  | { readonly verb: 'save'; readonly json: boolean }
  | { readonly verb: 'demo'; readonly stay: boolean }
  | SteerCommand
  | { readonly verb: 'help'; readonly text: string }

type Verb = Exclude<VerbCommand['verb'], 'help'>

export const verbs: readonly Verb[] = ['run', 'check', 'plan', 'validate', 'doctor', 'save', 'demo', ...steerVerbs]

export function isVerb(word: string | undefined): word is Verb {
  return verbs.some((verb) => verb === word)
}

/** Throws UsageError with one line of reason. */
export function parseVerb(verb: Verb, words: readonly string[]): VerbCommand {
  let command: VerbCommand | undefined
  let help = ''
  const program = programOf(verb, (found) => {
    command = found
  })
  program.exitOverride().allowExcessArguments(false)
  program.configureOutput({
    writeOut: (text) => {
      help += text
    },
    writeErr: () => undefined,
  })
  try {
    program.parse([...words], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.helpDisplayed') return { verb: 'help', text: help }
    throw new UsageError(`${verb}: ${error.message.replace(/^error: /, '').replaceAll('\n', ' ')}`, { cause: error })
  }
  if (command === undefined) throw new Error(`${verb} was not understood`)
  return command
}

function programOf(verb: Verb, found: (command: VerbCommand) => void): Program {
  const program = new Program(`ldirectord-ng ${verb}`)
  if (isSteerVerb(verb)) return steerProgram(program, verb, found)
  if (verb !== 'demo' && verb !== 'save') program.argument('[config]', 'the configuration; ldirectord.cf when absent')
  switch (verb) {
    case 'run':
      return program
        .description('The daemon in the foreground; writes the logfile and standard output.')
        .addOption(tableOption())
        .addOption(new Option('--log <where>', 'only standard output, no logfile').choices(['stdout']))
        .action((config, { table, log }) => found({ verb, config, table, log }))
    case 'check':
      return program
        .description(
          'Every check once, in parallel; touches no table. Exit 0 all up, 1 some down, 2 bad config, 3 unknown.',
        )
        .option('--json', 'machine-readable', false)
        .action((config, { json }) => found({ verb, config, json }))
    case 'plan':
      return program
        .description('What a start would change in the table. Exit 0 nothing, 1 changes, 2 bad config, 4 no table.')
        .addOption(tableOption())
        .addOption(new Option('--assume <state>', 'of every real server, instead of checking').choices(['up', 'down']))
        .option('--json', 'machine-readable', false)
        .addOption(new Option('--format <form>', 'the lines that ipvsadm -R takes').choices(['ipvsadm']))
        .action((config, { table, assume, json, format }) => found({ verb, config, table, assume, json, format }))
    case 'validate':
      return program
        .description('All faults of a configuration at once. Exit 0 without errors, 2 with.')
        .addOption(new Option('--json', 'machine-readable').default(false).conflicts('print'))
        .option('--print', 'the configuration as it is understood, secrets hidden', false)
        .action((config, { json, print }) => found({ verb, config, json, print }))
    case 'doctor':
      return program
        .description('This configuration against this machine; changes nothing. Exit 0, 1 with errors, 2 bad config.')
        .option('--json', 'machine-readable', false)
        .action((config, { json }) => found({ verb, config, json }))
    case 'save':
      return program
        .description("The kernel's whole table as ipvsadm -S -n prints it, for ipvsadm -R. Exit 4 no table.")
        .option('--json', 'machine-readable, thresholds included', false)
        .action(({ json }) => found({ verb, json }))
    case 'demo':
      return program
        .description('A failover on loopback with small web servers; nothing of this machine is changed.')
        .option('--stay', 'until Ctrl-C', false)
        .action(({ stay }) => found({ verb, stay }))
  }
}

function steerProgram(program: Program, verb: SteerVerb, found: (command: VerbCommand) => void): Program {
  const { summary, argument, options, command } = steerForms[verb]
  program.description(summary).argument(argument.form, argument.about)
  for (const { form, about, conflicts = [] } of options) {
    program.addOption(new Option(form, about).conflicts([...conflicts]))
  }
  return program.action((word: string | undefined, values) => found(command(word, values)))
}

function tableOption(): Option {
  return new Option('--table <which>', 'the IPVS table to keep').choices(['kernel', 'memory']).default('kernel')
}

/** A verb of ours as a manual page or a shell's completion tells it. */
export interface ListedVerb {
  readonly name: Verb
  readonly summary: string
  /** Words behind the verb, as the usage writes them. */
  readonly arguments: readonly ListedWord[]
  readonly options: readonly (ListedWord & { readonly values: readonly string[]; readonly takesValue: boolean })[]
}

interface ListedWord {
  /** `[config]`, `--table <which>`. */
  readonly form: string
  readonly about: string
}

/** Every verb as it is declared above, in that order. */
export function listVerbs(): readonly ListedVerb[] {
  return verbs.map((name) => {
    const program = programOf(name, () => undefined)
    return {
      name,
      summary: program.description(),
      arguments: program.registeredArguments.map((word) => ({
        form: word.required ? `<${word.name()}>` : `[${word.name()}]`,
        about: word.description,
      })),
      options: program.options.map(({ flags, description, argChoices = [], required, optional }) => ({
        form: flags,
        about: description,
        values: argChoices,
        takesValue: required || optional,
      })),
    }
  })
}
