import assert from 'node:assert/strict'
import { type Command, parseCommandLine } from '../../src/cli/arguments.ts'
import { usageText } from '../../src/cli/usage.ts'
import { UsageError } from '../../src/lib/errors.ts'

const plain = { debug: false }
const usage = (complaint?: string): Command => ({ verb: 'usage', complaint })
const unknown = (option: string): Command => usage(`Unknown option: ${option}`)
const help: Command = { verb: 'help', text: undefined }

/** Words separated by one blank; `~` stands for an empty word. */
const understood: readonly [string, Command][] = [
  ['start', { verb: 'start', config: undefined, ...plain }],
  ['status', { verb: 'status', config: undefined, ...plain }],
  ['a.cf stop', { verb: 'stop', config: 'a.cf', ...plain }],
  ['a.cf try-restart', { verb: 'try-restart', config: 'a.cf', ...plain }],
  ['a.cf restart', { verb: 'restart', config: 'a.cf', ...plain }],
  ['a.cf reload', { verb: 'reload', config: 'a.cf', ...plain }],
  ['a.cf force-reload', { verb: 'force-reload', config: 'a.cf', ...plain }],
  ['a.cf start and more --words', { verb: 'start', config: 'a.cf', ...plain }],
  ['-d a.cf start', { verb: 'start', config: 'a.cf', debug: true }],
  ['--debug start', { verb: 'start', config: undefined, debug: true }],
  ['-dd start', { verb: 'start', config: undefined, debug: true }],
  ['-- a.cf start', { verb: 'start', config: 'a.cf', ...plain }],
  ['-d -- -x start', { verb: 'start', config: '-x', debug: true }],
  ['- start', { verb: 'start', config: '-', ...plain }],
  ['run start', { verb: 'start', config: 'run', ...plain }],
  ['validate status', { verb: 'status', config: 'validate', ...plain }],
  ['start start', { verb: 'start', config: 'start', ...plain }],
  ['stop start', { verb: 'start', config: 'stop', ...plain }],
  ['stop --keep-table', { verb: 'stop', config: undefined, ...plain, keepTable: true }],
  ['a.cf stop --keep-table', { verb: 'stop', config: 'a.cf', ...plain, keepTable: true }],
  ['a.cf start --keep-table', { verb: 'start', config: 'a.cf', ...plain }],
  ['stop --keep-tables', usage('"--keep-tables" cannot stand behind stop')],
  ['start --keep-table', usage('"--keep-table" cannot stand behind start')],
  ['a.cf start -d', { verb: 'start', config: 'a.cf', ...plain }],
  ['-h', help],
  ['-?', help],
  ['--help', help],
  ['-vh', help],
  ['-dh start', help],
  ['-v', { verb: 'version' }],
  ['--version start', { verb: 'version' }],
  ['', usage()],
  ['a.cf', usage('There is no command in "a.cf"')],
  ['a.cf begin', usage('There is no command in "a.cf begin"')],
  ['a.cf stat', usage('There is no command "stat": did you mean "start"?')],
  ['vaildate a.cf', usage('There is no command "vaildate": did you mean "validate"?')],
  ['start begin', usage('"begin" cannot stand behind start')],
  ['-x start', unknown('x')],
  ['-dx start', unknown('x')],
  ['--verbose start', unknown('verbose')],
  ['--deb start', unknown('deb')],
  ['--debug=1 start', unknown('debug=1')],
  ['run', { verb: 'run', config: undefined, table: 'kernel', log: undefined }],
  ['run a.cf', { verb: 'run', config: 'a.cf', table: 'kernel', log: undefined }],
  ['a.cf run', { verb: 'run', config: 'a.cf', table: 'kernel', log: undefined }],
  ['run run', { verb: 'run', config: 'run', table: 'kernel', log: undefined }],
  ['check run', { verb: 'check', config: 'run', json: false }],
  ['run --table memory --log stdout a.cf', { verb: 'run', config: 'a.cf', table: 'memory', log: 'stdout' }],
  ['run a.cf --table=memory', { verb: 'run', config: 'a.cf', table: 'memory', log: undefined }],
  ['a.cf reload --confirm', { verb: 'reload', config: 'a.cf', ...plain, confirm: true }],
  ['reload --confirm', { verb: 'reload', config: undefined, ...plain, confirm: true }],
  ['show', { verb: 'show', config: undefined, virtual: undefined, what: 'table', json: false }],
  [
    'a.cf show 192.0.2.10:80 --rate',
    { verb: 'show', config: 'a.cf', virtual: '192.0.2.10:80', what: 'rate', json: false },
  ],
  ['show --config=a.cf --json', { verb: 'show', config: 'a.cf', virtual: undefined, what: 'table', json: true }],
  ['why web1 --all', { verb: 'why', config: undefined, real: 'web1', all: true, json: false }],
  [
    'drain web1 --max 15m',
    { verb: 'drain', config: undefined, real: 'web1', all: false, maxMs: 900_000, reason: undefined },
  ],
  [
    'a.cf disable web1 --for 1h30m --reason=x',
    { verb: 'disable', config: 'a.cf', real: 'web1', all: false, forMs: 5_400_000, reason: 'x' },
  ],
  ['enable web1', { verb: 'enable', config: undefined, real: 'web1', all: false }],
  ['show start', { verb: 'start', config: 'show', ...plain }],
  ['check --json', { verb: 'check', config: undefined, json: true }],
  ['check a.cf --json', { verb: 'check', config: 'a.cf', json: true }],
  ['plan a.cf', { verb: 'plan', config: 'a.cf', table: 'kernel', assume: undefined, json: false, format: undefined }],
  [
    'plan a.cf --table memory --assume down --format ipvsadm --json',
    { verb: 'plan', config: 'a.cf', table: 'memory', assume: 'down', json: true, format: 'ipvsadm' },
  ],
  ['validate a.cf', { verb: 'validate', config: 'a.cf', json: false, print: false }],
  ['validate --print a.cf', { verb: 'validate', config: 'a.cf', json: false, print: true }],
  ['validate a.cf --json', { verb: 'validate', config: 'a.cf', json: true, print: false }],
  ['validate -- -x', { verb: 'validate', config: '-x', json: false, print: false }],
  ['doctor', { verb: 'doctor', config: undefined, json: false }],
  ['doctor --json a.cf', { verb: 'doctor', config: 'a.cf', json: true }],
  ['save', { verb: 'save', json: false }],
  ['save --json', { verb: 'save', json: true }],
  ['demo', { verb: 'demo', stay: false }],
  ['demo --stay', { verb: 'demo', stay: true }],
]

const refused: readonly [string, RegExp][] = [
  ['why', /missing required argument 'real'/],
  ['show --stats --rate', /conflicts|cannot be used with/],
  ['drain web1 --max soon', /^a duration is written 90s/],
  ['drain web1 --max 0', /^a duration is written 90s/],
  ['disable web1 --for 400d', /at most a year/],
  ['run --table disk', /^run: .*--table.*kernel, memory/],
  ['run --log file', /^run: .*--log/],
  ['run a.cf b.cf', /^run: too many arguments/],
  ['check --xml', /^check: unknown option '--xml'/],
  ['plan --assume', /^plan: .*argument missing/],
  ['plan --assume sideways', /^plan: .*up, down/],
  ['plan --format json', /^plan: .*ipvsadm/],
  ['validate --json --print', /^validate: .*cannot be used with/],
  ['doctor --fix', /^doctor: unknown option/],
  ['demo a.cf', /^demo: too many arguments/],
  ['save a.cf', /^save: too many arguments/],
  ['-d run', /^-d goes with start only/],
]

const words = (line: string): string[] => (line === '' ? [] : line.split(' '))

describe('parseCommandLine', () => {
  for (const [line, command] of understood) {
    it(`understands ${JSON.stringify(line)} as ${command.verb}`, () => {
      assert.deepEqual(parseCommandLine(words(line)), command)
    })
  }

  for (const [line, reason] of refused) {
    it(`refuses ${JSON.stringify(line)} in one line`, () => {
      assert.throws(
        () => parseCommandLine(words(line)),
        (error) => error instanceof UsageError && reason.test(error.message) && !error.message.includes('\n'),
      )
    })
  }

  for (const verb of 'run check plan validate doctor save demo show why drain disable enable'.split(' ')) {
    it(`has a help for ${verb}`, () => {
      const command = parseCommandLine([verb, '--help'])
      assert.equal(command.verb, 'help')
      assert.match('text' in command ? String(command.text) : '', new RegExp(`^Usage: ldirectord-ng ${verb}`))
    })
  }
})

describe('usage', () => {
  it('is one page of 80 columns and names every command', () => {
    const lines = usageText.split('\n')
    assert.ok(lines.length <= 40, `${lines.length} lines`)
    assert.deepEqual(
      lines.filter((line) => line.length > 80),
      [],
    )
    const perls = 'start stop restart try-restart reload force-reload status'
    const all = `${perls} run check plan validate doctor save demo show why drain disable enable`
    assert.deepEqual(
      all.split(' ').filter((word) => !usageText.includes(word)),
      [],
    )
  })
})
