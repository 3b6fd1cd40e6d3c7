import { type ProcessVerb, processFlags, processVerbs } from '../../src/cli/arguments.ts'
import { usageText } from '../../src/cli/usage.ts'
import { type ListedVerb, listVerbs } from '../../src/cli/verb-arguments.ts'
import { bold, heading, italic, item, page, paragraph, part, prose, section, verbatim } from './roff.ts'

/** Perl ldirectord's commands; a new one does not compile without its line here. */
const commands: Readonly<Record<ProcessVerb, string>> = {
  start:
    'Starts the director in the background and answers when the IPVS table stands, or why it does not. 0 when it runs already.',
  stop: 'Ends it and waits for its end, ten seconds at most. The virtual services of the file leave the table, unless `cleanstop = no` or `--keep-table` says otherwise.',
  restart:
    'Stops and starts it. The new file is read first: with errors nothing is stopped. The table is left in place meanwhile.',
  'try-restart': 'The same, only if it runs.',
  reload:
    'Has it read its configuration again. With errors nothing changes and they are told. So it is with a file that would cut off what serves now, unless `--confirm` takes it.',
  'force-reload': 'The same as `reload`.',
  status: 'Tells whether it runs: exit status 0, 3 when it does not, 1 when it left a pid file behind.',
}

const exits: readonly (readonly [string, string])[] = [
  ['0', 'All is well. What else it says stands with each verb.'],
  ['1', 'It could not be done, or what was asked for is not so: see the verb.'],
  ['2', 'The configuration has errors.'],
  ['3', '`status`: it does not run. `check`: some results are not known.'],
  ['4', '`run`, `start`, `plan`, `save`: the IPVS table of the kernel can not be read or written.'],
  ['64', 'A verb was used wrongly.'],
  ['70', 'An internal error, with its stack.'],
  ['255', 'The command line is not understood; the usage is printed.'],
]

const files: readonly (readonly [string, string])[] = [
  ['/etc/ha.d/ldirectord.cf', 'The configuration when none is named, see `ldirectord.cf`(5).'],
  ['/run/ldirectord.INSTANCE.pid', 'The process. INSTANCE is the last part of CONFIG, or ldirectord without one.'],
  ['/run/ldirectord\\-ng/INSTANCE.sock', 'The control socket, by which the verbs ask the running daemon.'],
  ['/var/log/ldirectord.log', 'The log, where no `logfile` is set.'],
  ['/var/lib/ldirectord\\-ng', 'What operators have ordered, over a restart.'],
  [
    '/usr/share/doc/ldirectord\\-ng',
    'How to run it, every directive and service, and the differences from Perl ldirectord.',
  ],
]

const signals: readonly (readonly [string, string])[] = [
  ['HUP', 'Reads the configuration again.'],
  ['TERM, INT', 'Ends it.'],
  ['USR1', 'Opens the log file anew.'],
  ['USR2', 'Ends it and leaves the IPVS table as it is, for a start that follows.'],
]

/** ldirectord-ng(8): made from the declarations of the command line. */
export function programPage({ version, date }: { version: string; date: string }): string {
  return page(
    heading({ title: 'LDIRECTORD-NG', section: 8, version, date }),
    section('NAME', 'ldirectord\\-ng \\- check real servers and keep the kernel\\(aqs IPVS table right'),
    section('SYNOPSIS', ...synopsis),
    section('DESCRIPTION', ...description),
    section('COMMANDS', ...processVerbs.map(commandItem)),
    section('VERBS', ...listVerbs().flatMap(verbPart)),
    section(
      'USAGE',
      prose('The command line on one screen, as `ldirectord-ng --help` prints it:'),
      verbatim(usageText),
    ),
    section('SIGNALS', ...pairs(signals)),
    section('EXIT STATUS', ...pairs(exits)),
    section('FILES', ...files.map(([file, text]) => item(`\\fI${file}\\fR`, prose(text)))),
    section('SEE ALSO', '.BR ldirectord.cf (5),\n.BR ipvsadm (8),\n.BR systemctl (1)'),
  )
}

const synopsis = [
  `${bold('ldirectord-ng')} [${bold('-d')}] [${italic('CONFIG')}] ${italic('COMMAND')}`,
  '.br',
  `${bold('ldirectord-ng')} ${italic('VERB')} [${italic('CONFIG')}] [${italic('options')}]`,
]

const description = [
  prose(
    'Watches the real servers of a Linux Virtual Server: those that do not answer as they should are taken out of the\nIPVS table of the kernel until they do. It reads the `ldirectord.cf` of Perl ldirectord.',
  ),
  paragraph(
    'CONFIG is looked for in /etc/ha.d, in /etc/ha.d/conf, and as it is given; without one it is ldirectord.cf.\nUnder systemd the service is `ldirectord-ng`, and `ldirectord-ng@NAME` for the configuration /etc/ha.d/NAME.',
  ),
]

function commandItem(verb: ProcessVerb): string {
  const flag = processFlags[verb]
  return item(`${bold(verb)}${flag === undefined ? '' : ` [${bold(flag)}]`}`, prose(commands[verb]))
}

function verbPart({ name, summary, arguments: words, options }: ListedVerb): readonly string[] {
  const forms = words.map(({ form }) => ` ${italic(form)}`).join('')
  const told = options.map(({ form, about, values }) => {
    const choices = values.length > 1 ? `One of ${values.map((value) => `\`${value}\``).join(', ')}.` : ''
    return item(bold(form), prose(`${capital(about)}.`), prose(choices))
  })
  return [part(`ldirectord\\-ng ${name.replaceAll('-', '\\-')}${forms}`), prose(summary), ...told]
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const pairs = (all: readonly (readonly [string, string])[]): readonly string[] =>
  all.map(([term, text]) => item(bold(term), prose(text)))
