import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type ProcessPorts, processPorts } from '../../src/cli/process-ports.ts'
import type { Config, LoadResult } from '../../src/config/model.ts'
import { isDirector } from '../../src/control/process/director-process.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { Diagnostic } from '../../src/lib/diagnostics.ts'
import { defaultGlobals } from '../config/defaults.ts'
import { temporaryFolder } from '../log/temporary.ts'

const built = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href)

/** A daemon without a director: holds the pid file as the real one does and notes its signals in a file. */
const fakeDaemon = `
import { appendFileSync } from 'node:fs'
import { instanceOf, pidFileOf } from ${built('control/process/instance.js')}
import { acquirePidFile } from ${built('control/process/pid-file.js')}
import { readySignal } from ${built('control/process/daemonize.js')}
const words = process.argv.slice(2).filter((word) => word !== '--')
const journal = process.env.FAKE_JOURNAL
const say = (text) => appendFileSync(journal, text + '\\n')
const signal = readySignal()
const acquired = await acquirePidFile(pidFileOf(words.length > 1 ? instanceOf(words[0]) : 'ldirectord'))
if (acquired.kind === 'running') { signal.failed(1, 'already running'); process.exit(1) }
say('started ' + words.join(' '))
process.on('SIGHUP', () => say('HUP'))
const end = (name) => () => {
  say(name)
  if (words[0].includes('stubborn')) return
  setTimeout(() => { acquired.held.release(); say('ended'); process.exit(0) }, 200)
}
process.on('SIGTERM', end('TERM'))
if (!words[0].includes('perl')) process.on('SIGUSR2', end('USR2'))
setTimeout(() => process.exit(3), 30000)
if (words[0].includes('no-ipvs')) { acquired.held.release(); signal.failed(4, 'no IPVS in this kernel'); process.exit(4) }
signal.ready()
`

export interface Stage {
  readonly ports: ProcessPorts
  /** Writes a configuration and gives its path. `bad` in its text makes it one with errors. */
  config(name: string, text?: string): string
  path(name: string): string
  pidFile(name: string): string
  written(): { out: string; err: string }
  /** What the fake daemons did. */
  journal(): string[]
}

/** The verbs on real processes, files and signals; only the configuration's grammar and the director are left out. */
export function processStage(): Stage {
  const folder = temporaryFolder()
  let out = ''
  let err = ''
  const pids = new Set<number>()
  const journal = (): string => folder.path('journal')
  const started = (): string => (existsSync(journal()) ? readFileSync(journal(), 'utf8') : '')

  beforeEach(() => {
    out = ''
    err = ''
    writeFileSync(folder.path('ldirectord-fake.mjs'), fakeDaemon)
    process.env['FAKE_JOURNAL'] = journal()
    process.env['LDIRECTORD_NG_RUN_DIR'] = folder.path('.')
  })
  afterEach(() => {
    for (const pid of pids) if (isDirector(pid)) process.kill(pid, 'SIGKILL')
    pids.clear()
    delete process.env['FAKE_JOURNAL']
    delete process.env['LDIRECTORD_NG_RUN_DIR']
  })

  const base = {
    clock: systemClock,
    load: (file: string) => Promise.resolve(fakeLoad(file, folder.path('log'))),
    out: (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
  }
  const real = (): ProcessPorts => processPorts(base, folder.path('ldirectord-fake.mjs'))
  const noteOf = (file: string): void => {
    if (existsSync(file)) pids.add(Number(readFileSync(file, 'utf8')))
  }
  const pidFile = (name: string): string => folder.path(`ldirectord.${name}.pid`)
  const ports: ProcessPorts = {
    out: base.out,
    err: base.err,
    clock: base.clock,
    load: base.load,
    get runDirectory() {
      return folder.path('.')
    },
    isAlive: isDirector,
    kill: (pid, signal) => real().kill(pid, signal),
    catches: (pid, signal) => real().catches(pid, signal),
    askReload: async () => undefined,
    askRefused: (instance) => real().askRefused(instance),
    note: (to, text) => real().note(to, text),
    background: async (args, cwd) => {
      const report = await real().background(args, cwd)
      noteOf(pidFile(args.at(-2)?.split('/').at(-1) ?? 'ldirectord'))
      return report
    },
  }
  return {
    ports,
    path: (name) => folder.path(name),
    pidFile,
    config: (name, text = '') => {
      writeFileSync(folder.path(name), text)
      return folder.path(name)
    },
    written: () => ({ out, err }),
    journal: () => started().split('\n').slice(0, -1),
  }
}

function fakeLoad(file: string, logfile: string): LoadResult {
  const text = readFileSync(file, 'utf8')
  const line = text.split('\n').findIndex((words) => words.includes('bad')) + 1
  const at = { file, line, column: 1, length: 3 }
  const diagnostics: Diagnostic[] = line === 0 ? [] : [{ severity: 'error', code: 'value', message: 'bad value', at }]
  const empty = emptyConfig(file)
  const globals = { ...empty.globals, logfile, supervised: text.includes('supervised') }
  return { config: line === 0 ? { ...empty, globals } : undefined, diagnostics, text }
}

/** A configuration without virtual services. */
export function emptyConfig(file: string): Config {
  return { file, digest: '', globals: defaultGlobals, virtuals: [], unresolved: [] }
}
